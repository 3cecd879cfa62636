//! The types of parameters and outputs. A definition names a type with a term (`array<int(1,5)>`), which is compiled to
//! a [`Check`].
//!
//! This module holds the grammar of terms, the table of all types, and one file for each type with its JSON Schema. It
//! must not know the source of a value.
//!
//! The JSON Schema of a type describes the [decoded](Check::decode) values. How closely it matches the check depends on
//! the type:
//!
//! - For most types, a value is valid exactly if it is valid against the plain JSON Schema.
//! - For `date`, `datetime`, `mail`, `url`, `ip`, `loose_float`, `numeric` and `callable`, every valid value is valid
//!   against the plain JSON Schema. With the [formats](FORMATS) of this module registered, the validator accepts no
//!   other values (`callable` excepted).
//! - For `filename`, every valid value is valid against the JSON Schema, but not the reverse.
//! - A `file` is never JSON.

// Types in general: the traits, the grammar of terms, the table.
mod after;
mod arguments;
mod check;
mod functions;
mod grammar;
mod table;

// Shared by several types.
mod bounds;
mod decimal;
mod formats;
mod moment;
mod nullable;
mod number;
mod pattern;
mod shape;

// One file for each type.
mod alphanumeric;
mod any;
mod array;
mod bool;
mod builtin;
mod callable;
mod date;
mod datetime;
mod digest;
mod enumeration;
mod file;
mod filename;
mod float;
mod hash;
mod int;
mod ip;
mod letters;
mod loose_float;
mod loose_int;
mod loose_string;
mod mail;
mod numeric;
mod object;
mod phone;
mod string;
mod text_id;
mod time;
mod truthy;
mod url;
mod uuid;

pub(crate) use after::function_names as after_function_names;
pub use arguments::{ArgumentError, ArgumentErrorKind, TypeArgument, TypeArguments};
pub(crate) use callable::callback;
pub use check::{Arity, Check, MaxSize, Type, TypeExpr};
pub use formats::{FORMATS, SchemaFormat};
pub use functions::Functions;
#[cfg(feature = "documents")]
pub(crate) use nullable::nullable_schema;
pub use table::{CompiledTerm, ObjectField, TermError, TermErrorKind, TermText, Types};
