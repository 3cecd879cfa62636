//! What a program needs to add a type that definitions can name: the traits [`Type`] and [`Check`], and the types in their
//! signatures.
//!
//! [`Rulebook::add_type`](crate::Rulebook::add_type) adds a type. A function that checks or converts single values is
//! less work: see [`Rulebook::callable`](crate::Rulebook::callable).

pub use rulebook_model::call::{Measure, Measured, TypeMismatch, TypeMismatchDetails, Value, Violation};
pub use rulebook_model::types::{
    ArgumentError, ArgumentErrorKind, Arity, Check, MaxSize, ObjectField, Type, TypeArgument, TypeArguments, TypeExpr,
};
