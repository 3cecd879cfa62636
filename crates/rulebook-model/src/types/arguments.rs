//! The arguments and attributes from which a term is compiled to a check, and the errors in these arguments.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use thiserror::Error;

use super::term_compiler::CompileResult;
use super::{Check, Functions, ObjectField};
use crate::constraint::Constraint;

/// The arguments and attributes that a definition writes for a type.
#[derive(Debug)]
pub struct TypeArguments<'a> {
    /// The name of the type as the definition writes it, for example `int` in `int(1,5)`. It may be a synonym of the
    /// type, such as `varchar`.
    pub name: &'a str,
    /// The arguments in the brackets of the term, for example `1` and `5` in `int(1,5)`.
    pub positional: &'a [TypeArgument],
    /// The attributes that the definition writes next to the term, such as `min`. The type
    /// [knows](super::Type::attributes) all of them.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members of the attribute `fields`. `None` if the type does not have this attribute or if the
    /// definition does not set it.
    pub fields: Option<&'a [ObjectField]>,
    /// The constraints of the schemas whose fields an object extends.
    pub(super) inherited_constraints: &'a [Constraint],
    /// The time zone that applies to dates and times without an offset.
    pub timezone: &'a jiff::tz::TimeZone,
    /// The functions that the attribute `callback` can name.
    pub(super) functions: &'a Functions,
    /// Compiles the types that attributes such as `of` contain.
    pub(super) compiler: TypeCompiler<'a>,
}

/// Compiles a type in an attribute: its term, with its attributes.
#[derive(Clone, Copy)]
pub(super) struct TypeCompiler<'a>(pub(super) &'a dyn Fn(&str, &Map<String, Json>) -> CompileResult);

impl TypeCompiler<'_> {
    /// A compiler of no types, for types without such attributes.
    #[cfg(test)]
    pub(super) const NONE: TypeCompiler<'static> = TypeCompiler(&|_, _| Err(Vec::new()));
}

impl fmt::Debug for TypeCompiler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TypeCompiler")
    }
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
    /// The name of the invalid attribute, for example `items.max` for the attribute `max` of the items of an array.
    /// `None` if the error is in the term.
    pub attribute: Option<String>,
    /// The text that describes the error.
    pub message: String,
    /// A sentence that explains how to fix the error.
    pub help: Option<String>,
}

/// The kinds of [`ArgumentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentErrorKind {
    /// The type does not accept an argument, or does not accept the value of an attribute (`bad-type-argument`).
    Invalid,
    /// The lower bound is above the upper bound (`bad-bounds`).
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
        Self { kind, attribute: None, message: message.into(), help: None }
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
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.split(',').map(|part| part.trim().to_owned()).collect())),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Json::String(text) => Ok(text.clone()),
                    Json::Number(number) => Ok(number.to_string()),
                    _ => Err(self.error(format!("`{attribute}` must be a list of strings")).at(attribute)),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(self.error(format!("`{attribute}` must be a list of strings")).at(attribute)),
        }
    }

    /// Compiles a type in the attribute `attribute`: a term, or an object with a term under `type` and with attributes.
    pub(super) fn compile_type(&self, json: &Json, attribute: &str) -> Result<Arc<dyn Check>, ArgumentError> {
        let mut attributes = match json {
            Json::Object(members) => members.clone(),
            _ => Map::new(),
        };
        let term = match (json, attributes.shift_remove("type")) {
            (Json::String(term), _) => term.clone(),
            (_, Some(Json::String(term))) => term,
            _ => {
                let message = format!("`{attribute}` must contain types: strings, or objects with the key `type`");
                return Err(self.error(message).at(attribute));
            }
        };
        let compiled = (self.compiler.0)(&term, &attributes);
        compiled.map_err(|errors| {
            let message = errors.first().map(|error| error.kind.to_message(&term)).unwrap_or_default();
            self.error(message).at(attribute)
        })
    }

    /// Creates an error of the kind [`ArgumentErrorKind::Invalid`] in the term of the type.
    pub(super) fn error(&self, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(ArgumentErrorKind::Invalid, message)
    }
}
