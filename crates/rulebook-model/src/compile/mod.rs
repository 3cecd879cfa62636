//! Compiles a parsed definition to the model. This conversion is called lowering, as in other compilers.
//!
//! The function [`check_definition`] finds the types and permissions that the definition names, checks the API as a
//! whole (paths, captures, positional parameters, names) and returns the model.
//!
//! All errors are collected; an error that is only a consequence of another error is omitted. This Rust module does not
//! read the text of the definition files. It depends on their dialects (the notations of definition files) only through
//! [`DialectSpec`](crate::definition::dialect_spec::DialectSpec).

mod api;
mod collision;
mod default_and_example;
mod deprecation;
mod function;
mod inherited;
mod jsonp;
mod key;
mod kinds;
mod lowering;
mod method;
mod method_parameters;
mod module;
mod module_parts;
mod output;
mod parameter;
pub(crate) mod path;
mod response_field;
mod schemas;
mod scope;
mod service_names;
mod type_errors;
mod type_expr;
mod warnings;

pub use api::{CheckedDefinition, ProgramExtensions, ResponseRegistry, check_definition, check_definition_parts};
pub use default_and_example::decode_default;
pub use inherited::InheritedValue;
pub(crate) use lowering::Lowering;
pub(crate) use response_field::split_template;
