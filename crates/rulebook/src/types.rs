//! The traits that a program implements to add a parameter type to definitions, [`Type`] and [`Check`], and the types
//! in the signatures of these traits.
//!
//! [`Rulebook::add_type`](crate::Rulebook::add_type) adds such a type. To check or convert only the values of single
//! parameters, a function is enough: see [`Rulebook::callable`](crate::Rulebook::callable).

pub use rulebook_model::call::{
    Measure, Measured, PhpArray, PhpArrayError, PhpArrayLimits, PhpItem, PhpKey, TypeMismatch, TypeMismatchDetails,
    Value, Violation,
};
pub use rulebook_model::types::{
    ArgumentError, ArgumentErrorKind, Arity, Check, MaxSize, NamedSchema, ObjectField, ObjectShape, Structure, Type,
    TypeArgument, TypeArguments, TypeExpr,
};
