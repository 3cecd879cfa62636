//! Compiles a parsed definition to the model, which is called lowering.
//!
//! The function [`lower`] resolves types and permissions, checks the API as a whole (collisions, captures, positions,
//! names) and returns the model.
//!
//! Every error is collected; errors that only follow from another one are omitted. This module does not depend on the
//! text of the files. It depends on their dialects only through
//! [`DialectSpec`](crate::definition::dialect_spec::DialectSpec).

mod api;
mod check;
mod collision;
mod format;
mod function;
mod jsonp;
mod key;
mod lower;
mod method;
mod method_parameters;
mod module;
mod module_parts;
mod name;
mod option;
mod output;
mod parameter;
pub(crate) mod path;
mod reserved;
mod scope;
mod service_names;
mod type_expr;
mod value;

pub use api::{Lowered, ResponseRegistry, lower, type_table};
pub use check::{Checked, Extensions, check};
pub use function::{FunctionRef, unknown_functions};
pub(crate) use lower::Lowering;

pub use value::read_default;
