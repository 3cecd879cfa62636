//! The types that parameters can have, each compiled from a term to a check.
//!
//! In charge of what a value must be: the grammar of terms, one file a type,
//! the table of all types, and each type's JSON Schema. Must not know where a
//! value came from.
//!
//! After [decoding](Check::decode) a type is of one of three kinds. Of an
//! exact type a value passes the check exactly if it passes the plain JSON
//! Schema. Of a format type (`date`, `datetime`, `mail`, `url`, `ip`,
//! `loose_float`, `numeric`, `callable`) what passes the check passes the plain schema, and
//! exactly that where our [formats](FORMATS) are registered with the validator. What passes as a
//! `filename` passes its schema. A `file` is no JSON at all.

// What a type is, and how one is found.
mod after;
mod arguments;
mod check;
mod functions;
mod grammar;
mod table;

// What several types share.
mod bounds;
mod decimal;
mod formats;
mod moment;
mod nullable;
mod number;
mod pattern;
mod shape;

// The types.
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

pub(crate) use after::names as after_names;
pub use arguments::{Argument, ArgumentError, ArgumentErrorKind, Arguments};
pub(crate) use callable::callback;
pub use check::{Check, Most, Takes, Type, Written};
pub use formats::{FORMATS, Format};
pub use functions::Functions;
pub(crate) use nullable::nullable_schema;
pub use table::{Compiled, Field, TermError, TermErrorKind, TermText, Types};
