//! Why a type cannot be read from slots.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// An error of reading, with what serde knows of it. Boxed, so that the results of reading stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread(Box<Cause>);

/// In which way a type cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A field that must be there is not.
    Missing(&'static str),
    /// The type has no such field and refuses those that it does not have.
    Unknown(String),
    /// The field is there already, perhaps under another of its names.
    Duplicate(&'static str),
    /// A value does not fit; serde's words.
    Other(String),
}

impl Misread {
    /// In which way.
    pub fn cause(&self) -> &Cause {
        &self.0
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Cause::Missing(field) => write!(f, "missing field `{field}`"),
            Cause::Unknown(field) => write!(f, "unknown field `{field}`"),
            Cause::Duplicate(field) => write!(f, "duplicate field `{field}`"),
            Cause::Other(words) => f.write_str(words),
        }
    }
}

impl std::error::Error for Misread {}

impl de::Error for Misread {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self(Box::new(Cause::Other(words.to_string())))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            // What serde calls a unit is JSON's null.
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            _ => Self::custom(format_args!("invalid type: {unexpected}, expected {expected}")),
        }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self(Box::new(Cause::Unknown(field.to_owned())))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(Box::new(Cause::Missing(field)))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(Box::new(Cause::Duplicate(field)))
    }
}
