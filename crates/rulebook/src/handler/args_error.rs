//! Errors of deserializing a handler's arguments.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use thiserror::Error;

/// An error of deserializing the arguments of a handler. The kind is boxed, so that results stay small.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ArgsError(Box<ArgsErrorKind>);

/// The kind of an [`ArgsError`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArgsErrorKind {
    /// The type requires a field for which there is no argument.
    #[error("missing field `{0}`")]
    MissingField(&'static str),
    /// The type denies unknown fields, and has no field for this argument.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// Two arguments fill this field, one of them perhaps through an alias.
    #[error("duplicate field `{0}`")]
    DuplicateField(&'static str),
    /// The type of a field does not accept the value. The message is serde's.
    #[error("{0}")]
    Other(String),
}

impl ArgsError {
    /// The kind of the error.
    pub fn kind(&self) -> &ArgsErrorKind {
        &self.0
    }
}

impl de::Error for ArgsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(ArgsErrorKind::Other(message.to_string())))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            // serde calls JSON's null a unit.
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            _ => Self::custom(format_args!("invalid type: {unexpected}, expected {expected}")),
        }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self(Box::new(ArgsErrorKind::UnknownField(field.to_owned())))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(Box::new(ArgsErrorKind::MissingField(field)))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(Box::new(ArgsErrorKind::DuplicateField(field)))
    }
}
