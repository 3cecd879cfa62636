//! Errors that occur while a handler's arguments are deserialized into its argument type.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use thiserror::Error;

/// An error that occurred while a handler's arguments were deserialized.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArgsError {
    /// The argument type requires this field, but the definition has no parameter with its name.
    #[error("missing field `{0}`")]
    MissingField(&'static str),
    /// The argument type denies unknown fields, and has no field for this parameter.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// Two parameters fill this field: for example, one by the field's name and one by its serde alias.
    #[error("duplicate field `{0}`")]
    DuplicateField(&'static str),
    /// The type of a field does not accept the value of an argument. The text is the error message of serde.
    #[error("{0}")]
    Other(String),
}

impl de::Error for ArgsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            // serde's message would call the value `unit value`; in JSON, its name is null.
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            _ => Self::custom(format_args!("invalid type: {unexpected}, expected {expected}")),
        }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownField(field.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::DuplicateField(field)
    }
}
