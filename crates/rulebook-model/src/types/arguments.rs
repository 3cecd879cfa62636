//! The arguments and attributes that a type is compiled from, and the errors in them.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::{Check, Functions, ObjectField};

/// The arguments and attributes that a definition gives a type.
#[derive(Debug)]
pub struct TypeArguments<'a> {
    /// The type name in the term, which may be a synonym such as `varchar`.
    pub name: &'a str,
    /// The arguments in the brackets of the term: `1` and `5` of `int(1,5)`.
    pub positional: &'a [TypeArgument],
    /// The attributes of the definition, such as `min`. All of them are [known](super::Type::attributes) to the type.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`, if the type knows it and the definition has it.
    pub fields: Option<&'a [ObjectField]>,
    /// The time zone of dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
    /// The functions that `callback` can name.
    pub(super) functions: &'a Functions,
}

/// An argument in the brackets of a term.
#[derive(Debug, Clone)]
pub enum TypeArgument {
    /// A word, a number or a list `a|b|c`, as written.
    Word(String),
    /// A compiled type.
    Type(Arc<dyn Check>),
}

/// An error in the arguments or attributes of a type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ArgumentError {
    /// The kind of error, which determines the code of the diagnostic.
    pub kind: ArgumentErrorKind,
    /// The invalid attribute, for example `items.max` for an attribute of items; `None` if the error is in the term.
    pub attribute: Option<String>,
    /// A description of the error.
    pub message: String,
    /// Advice how to fix the error.
    pub help: Option<String>,
}

/// The kinds of [`ArgumentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentErrorKind {
    /// The type does not accept the argument or attribute value (`bad-type-argument`).
    Invalid,
    /// A lower bound is above the upper bound (`bad-bounds`).
    Bounds,
    /// The required set of values is missing (`missing-range`).
    MissingRange,
    /// The type does not have this attribute (`bad-option`).
    UnknownAttribute,
}

impl ArgumentError {
    /// Creates an error in the term.
    pub fn new(kind: ArgumentErrorKind, message: impl Into<String>) -> Self {
        Self { kind, attribute: None, message: message.into(), help: None }
    }

    /// Sets the invalid attribute.
    #[must_use]
    pub fn at(mut self, attribute: &str) -> Self {
        self.attribute = Some(attribute.to_owned());
        self
    }

    /// Adds advice how to fix the error.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl TypeArguments<'_> {
    /// Checks that the term has no arguments in brackets.
    ///
    /// # Errors
    /// Fails if there are arguments.
    pub fn expect_no_arguments(&self) -> Result<(), ArgumentError> {
        if self.positional.is_empty() {
            return Ok(());
        }
        let name = self.name;
        Err(self.invalid(format!("`{name}` has no arguments")).help(format!("write `{name}`")))
    }

    /// Returns the value of an attribute that must be a text, or `None` if the definition does not have the attribute.
    ///
    /// # Errors
    /// Fails if the value is not a text.
    pub fn text(&self, attribute: &str) -> Result<Option<&str>, ArgumentError> {
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.invalid(format!("`{attribute}` must be a string")).at(attribute)),
        }
    }

    /// Returns the value of an attribute that must be a list of texts, or `None` if the definition does not have the
    /// attribute. A single text is split at commas; numbers in a list are converted to text.
    ///
    /// # Errors
    /// Fails if the value is neither a text nor a list of texts and numbers.
    pub fn texts(&self, attribute: &str) -> Result<Option<Vec<String>>, ArgumentError> {
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.split(',').map(|part| part.trim().to_owned()).collect())),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Json::String(text) => Ok(text.clone()),
                    Json::Number(number) => Ok(number.to_string()),
                    _ => Err(self.invalid(format!("`{attribute}` must be a list of strings")).at(attribute)),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(self.invalid(format!("`{attribute}` must be a list of strings")).at(attribute)),
        }
    }

    /// Creates an error of the kind [`ArgumentErrorKind::Invalid`].
    pub(super) fn invalid(&self, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(ArgumentErrorKind::Invalid, message)
    }
}
