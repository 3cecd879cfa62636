//! What a type is compiled from, and what can be wrong with it.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Check, Field, Functions};

/// What a type is compiled from.
#[derive(Debug)]
pub struct Arguments<'a> {
    /// The type's name as it was written; a synonym is another name for the same check.
    pub name: &'a str,
    /// The arguments in the brackets of the term.
    pub terms: &'a [Argument],
    /// The attributes beside it, all of them [known](super::Type::attributes) to the type.
    pub attributes: &'a Map<String, Json>,
    /// The compiled members where `fields` is written; only for types that know this attribute.
    pub fields: Option<&'a [Field]>,
    /// The zone of dates and times that name none.
    pub timezone: &'a jiff::tz::TimeZone,
    /// The functions that definitions can name.
    pub(super) functions: &'a Functions,
}

/// An argument of a term.
#[derive(Debug, Clone)]
pub enum Argument {
    /// A word, number or `a|b|c`, as it is written.
    Word(String),
    /// A type.
    Type(Arc<dyn Check>),
}

/// Why a term's arguments or attributes do not make a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArgumentError {
    /// In which way, which decides the diagnostic's code.
    pub kind: ArgumentErrorKind,
    /// The attribute at fault, one of items as `items.max`; none where it is the term.
    pub attribute: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

/// The kinds of [`ArgumentError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentErrorKind {
    /// Not what the type takes (`bad-type-argument`).
    Bad,
    /// A lower bound over an upper one (`bad-bounds`).
    Bounds,
    /// A set of values that is needed and not there (`missing-range`).
    MissingRange,
    /// An attribute that this type does not have (`bad-option`).
    Unknown,
}

impl ArgumentError {
    /// An error of this kind in the term itself.
    pub fn new(kind: ArgumentErrorKind, message: impl Into<String>) -> Self {
        Self { kind, attribute: None, message: message.into(), help: None }
    }

    /// The same as an error in an attribute.
    #[must_use]
    pub fn at(mut self, attribute: &str) -> Self {
        self.attribute = Some(attribute.to_owned());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Arguments<'_> {
    /// Refuses arguments in brackets, for types that have none.
    ///
    /// # Errors
    /// There are some.
    pub fn no_terms(&self) -> Result<(), ArgumentError> {
        if self.terms.is_empty() {
            return Ok(());
        }
        let name = self.name;
        Err(self.bad(format!("`{name}` takes no arguments")).help(format!("write `{name}`")))
    }

    /// An attribute that is a text, where it is written.
    ///
    /// # Errors
    /// It is not a text.
    pub fn text(&self, attribute: &str) -> Result<Option<&str>, ArgumentError> {
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.bad(format!("`{attribute}` is a text")).at(attribute)),
        }
    }

    /// An attribute that is a list of texts, where it is written. A single
    /// text is the list of its parts between commas; numbers are their digits.
    ///
    /// # Errors
    /// It is neither.
    pub fn texts(&self, attribute: &str) -> Result<Option<Vec<String>>, ArgumentError> {
        match self.attributes.get(attribute) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.split(',').map(|part| part.trim().to_owned()).collect())),
            Some(Json::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Json::String(text) => Ok(text.clone()),
                    Json::Number(number) => Ok(number.to_string()),
                    _ => Err(self.bad(format!("`{attribute}` is a list of texts")).at(attribute)),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(self.bad(format!("`{attribute}` is a list of texts")).at(attribute)),
        }
    }

    /// An error of these arguments.
    pub(super) fn bad(&self, message: impl Into<String>) -> ArgumentError {
        ArgumentError::new(ArgumentErrorKind::Bad, message)
    }
}
