//! The arguments and attributes from which a term is compiled to a check, and the errors in these arguments.

use std::sync::Arc;

use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::{Check, Functions, NestedCheck, ObjectField};
use crate::constraint::Constraint;

/// The arguments and attributes that a definition writes for a type.
#[derive(Debug)]
pub struct TypeArguments<'a> {
    /// The name of the type in the definition, such as `int` in `int(1,5)`. It may be a synonym, such as `varchar`.
    pub name: &'a str,
    /// The arguments in the brackets of the term, for example `1` and `5` in `int(1,5)`.
    pub positional: &'a [TypeArgument],
    /// The attributes next to the term, such as `min`. The type [knows](super::Type::attributes) all of them.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`; `None` if the definition or the type does not have it.
    pub fields: Option<&'a [ObjectField]>,
    /// The constraints of the schemas whose fields an object extends.
    pub(super) inherited_constraints: &'a [Constraint],
    /// `true` if fields of the object are missing because of an error, so that an unknown field is not a further error.
    pub(super) has_missing_fields: bool,
    /// The time zone that applies to dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
    /// The functions that the attribute `callback` can name.
    pub(super) functions: &'a Functions,
    /// The types in the attributes of the whole type expression.
    pub(super) nested_types: &'a [NestedCheck],
    /// The path of the attributes, which precedes the name of an attribute in [`NestedCheck::attribute`].
    pub(super) path: &'a str,
}

/// An argument in the brackets of a term.
#[derive(Debug, Clone)]
pub enum TypeArgument {
    /// A word, a number or a list such as `a|b|c`, as the definition writes it.
    Word(String),
    /// The compiled check of another type, such as `int` in `array<int>`.
    Type(Arc<dyn Check>),
}

/// An error in the arguments or attributes that a definition writes for a type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ArgumentError {
    /// The kind of error, which determines the code of the diagnostic.
    pub kind: ArgumentErrorKind,
    /// The path of the invalid attribute, such as `items.max`. `None` if the error is in the term.
    pub attribute: Option<String>,
    /// The text that describes the error.
    pub message: String,
    /// A sentence that explains how to fix the error.
    pub help: Option<String>,
    /// Further errors in the attributes of the same type.
    others: Vec<Self>,
}

/// The kinds of [`ArgumentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentErrorKind {
    /// The type does not accept an argument, or does not accept the value of an attribute (`bad-type-argument`).
    Invalid,
    /// The lower bound is above the upper bound, or a bound is given twice (`bad-bounds`).
    Bounds,
    /// The type requires a set of allowed values, which is missing (`missing-range`).
    MissingRange,
    /// The type does not have this attribute (`bad-option`).
    UnknownAttribute,
    /// A value could have two of the types of a union (`union-overlap`).
    Overlap,
    /// A constraint between the fields of an object has an error (`bad-constraint`).
    Constraint,
}

impl ArgumentError {
    /// Creates an error in the term of a type. [`at`](Self::at) changes it to an error in an attribute.
    pub fn new(kind: ArgumentErrorKind, message: impl Into<String>) -> Self {
        Self { kind, attribute: None, message: message.into(), help: None, others: Vec::new() }
    }

    /// Sets the name of the attribute that has the error.
    #[must_use]
    pub fn at(mut self, attribute: &str) -> Self {
        self.attribute = Some(attribute.to_owned());
        self
    }

    /// Adds a sentence that explains how to fix the error.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Joins several errors, because the compilation of a type returns one error. Returns `None` without errors.
    pub(super) fn join(errors: Vec<Self>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.others.extend(errors.flat_map(Self::into_all));
        Some(first)
    }

    /// Returns the error and the errors that are joined with it.
    pub(crate) fn into_all(mut self) -> Vec<Self> {
        let others = std::mem::take(&mut self.others);
        std::iter::once(self).chain(others).collect()
    }
}

impl TypeArguments<'_> {
    /// Checks that the term has no arguments in brackets.
    ///
    /// # Errors
    /// Fails if the term has arguments.
    pub fn expect_no_arguments(&self) -> Result<(), ArgumentError> {
        if self.positional.is_empty() {
            return Ok(());
        }
        let name = self.name;
        Err(self.error(format!("`{name}` has no arguments")).help(format!("write `{name}`")))
    }

    /// Returns the value of the attribute with this name, which must be a text. Returns `None` if the definition does
    /// not have the attribute.
    ///
    /// # Errors
    /// Fails if the attribute's value is not a text.
    pub fn text(&self, attribute: &str) -> Result<Option<&str>, ArgumentError> {
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(format!("`{attribute}` must be a string")).at(attribute)),
        }
    }

    /// Returns the value of the attribute with this name, which must be a list of texts. A single text is split at
    /// commas; numbers in a list are converted to text. Returns `None` if the definition does not have the attribute.
    ///
    /// # Errors
    /// Fails if the attribute's value is neither a text nor a list of texts and numbers.
    pub fn texts(&self, attribute: &str) -> Result<Option<Vec<String>>, ArgumentError> {
        let error = || self.error(format!("`{attribute}` must be a list of strings")).at(attribute);
        let to_text = |item: &Json| match item {
            Json::String(text) => Ok(text.clone()),
            Json::Number(number) => Ok(number.to_string()),
            _ => Err(error()),
        };
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.split(',').map(|part| part.trim().to_owned()).collect())),
            Some(Json::Array(items)) => items.iter().map(to_text).collect::<Result<_, _>>().map(Some),
            Some(_) => Err(error()),
        }
    }

    /// Returns the types in the attribute with this name, in the order of the definition.
    pub(super) fn types_in(&self, attribute: &str) -> impl Iterator<Item = &NestedCheck> {
        let is_in = move |nested: &&NestedCheck| nested.attribute.strip_prefix(self.path) == Some(attribute);
        self.nested_types.iter().filter(is_in)
    }

    /// Creates an error of the kind [`ArgumentErrorKind::Invalid`] in the term of the type.
    pub(super) fn error(&self, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(ArgumentErrorKind::Invalid, message)
    }
}
