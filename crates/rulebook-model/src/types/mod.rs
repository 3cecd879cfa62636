//! The types of parameters and outputs. A definition names a type with a *term* such as `array<int(1,5)>`. Each term is
//! compiled to a [`Check`], which validates the values of the type.
//!
//! This Rust module contains the grammar of terms, the table of all types, and one file for each type with its JSON
//! Schema. The code in this module must not depend on where a value comes from (a query, a body, a handler).
//!
//! The JSON Schema of a type describes the values after [decoding](Check::decode), which converts the text of a request
//! to a JSON value. Every value that passes the check is valid against the JSON Schema. The reverse is true too, if the
//! validator knows the [formats](SCHEMA_FORMATS) of this module, except for the values that the page `docs/types.md`
//! lists: no keyword of JSON Schema describes why the check rejects them. The JSON Schema of `file` validates nothing,
//! because an uploaded file is never a JSON value.

// The traits that all types implement, the grammar of terms, the table of all types, and the compiler of terms.
mod after_attribute;
mod arguments;
mod check;
mod failed_type;
mod functions;
mod grammar;
mod structure;
mod table;
mod term_compiler;

// Code that several types share.
mod bounds;
mod decimal_pattern;
mod moment;
mod named_schema;
mod nullable;
mod number;
mod pattern;
mod simple_type;
mod text_lengths;
mod text_type;

// The types, one file for each. The file `builtin.rs` has the table of all built-in types.
mod any;
mod array;
mod array_text;
mod builtin;
mod callable;
mod constant;
mod decimal;
mod enumeration;
mod file;
mod filename;
mod float;
mod int;
mod loose;
mod map;
mod object;
mod partial;
mod string;
mod union;
mod url;

pub(crate) use after_attribute::{AFTER_ATTRIBUTE, after_function_names};
pub use arguments::{ArgumentError, ArgumentErrorKind, TypeArgument, TypeArguments};
pub(crate) use callable::callback_function_name;
pub use check::{Arity, Check, MaxSize, Type, TypeExpr, python_type};
pub(crate) use failed_type::{failed_type, is_failed_type};
pub use file::includes_media_type;
pub use functions::Functions;
pub(crate) use grammar::names_in_term;
#[cfg(feature = "documents")]
pub(crate) use moment::is_moment;
pub(crate) use moment::{datetime_pattern, utc_seconds_of};
pub use named_schema::{NamedSchema, SCHEMA_REFERENCE_PREFIX, all_referenced_schemas, complete_schema, is_shallow};
pub(crate) use named_schema::{SchemaCells, recursive_reference, replace_references, schema_reference};
#[cfg(feature = "documents")]
pub(crate) use named_schema::{add_info, info_with_type_description, schema_without_outer_references};
#[cfg(feature = "documents")]
pub(crate) use nullable::{nullable_schema, optional_schema};
pub use number::compare_numbers;
pub use object::ObjectShape;
pub use structure::Structure;
pub use table::{CompiledTerm, NestedCheck, ObjectField, TermError, TermErrorKind, Types, UncompiledTerm};
pub(crate) use table::{FIELDS_ATTRIBUTE, nested_type_path};
pub use text_type::{SCHEMA_FORMATS, SchemaFormat};
