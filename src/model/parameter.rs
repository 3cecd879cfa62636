//! One input of a method.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::call::Source;
use crate::place::Place;
use crate::types::{Check, Written};

/// One input of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Where its value stands in a request.
    pub from: From,
    /// Its name there: of a capture, query or body field, header or cookie; empty for positions.
    pub key: String,
    /// Its name in code.
    pub name: String,
    /// What it is.
    pub info: String,
    /// What values it takes.
    pub r#type: ParameterType,
    /// Whether it may be left out.
    pub optional: bool,
    /// What it holds when it is left out: written as in the definition, checked by its type.
    pub default: Option<Json>,
    /// A value that shows it.
    pub example: Option<Json>,
    /// Words for the client when its value does not pass.
    pub message: Option<String>,
    /// Where its key is written.
    pub place: Place,
    /// Where its type is written.
    pub type_place: Place,
}

/// Where the value of a parameter stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum From {
    /// A captured segment.
    Path,
    /// The n-th segment behind the service's own path.
    Position(usize),
    /// The query.
    Query,
    /// The body.
    Body,
    /// Query or body; the body wins.
    Any,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

impl From {
    /// The place's name for clients.
    #[must_use]
    pub fn source(self) -> Source {
        match self {
            Self::Path | Self::Position(_) => Source::Path,
            Self::Query => Source::Query,
            Self::Body => Source::Body,
            Self::Any => Source::Any,
            Self::Header => Source::Header,
            Self::Cookie => Source::Cookie,
        }
    }
}

impl Parameter {
    /// The key as the tree dialect writes it: `{id}`, `URL#0`, `GET@lang`, `title`.
    #[must_use]
    pub fn written_key(&self) -> String {
        let key = &self.key;
        match self.from {
            From::Path => format!("{{{key}}}"),
            From::Position(n) => format!("URL#{n}"),
            From::Query => format!("GET@{key}"),
            From::Body => key.clone(),
            From::Any => format!("ANY@{key}"),
            From::Header => format!("HEADER@{key}"),
            From::Cookie => format!("COOKIE@{key}"),
        }
    }
}

/// The name in code of a parameter whose definition gives it none: its whole key, of a capture what stands in the braces.
#[must_use]
pub fn derived_name(key: &str) -> &str {
    key.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(key)
}

/// A compiled type with the canonical way to write it. Two are equal when they are written alike.
#[derive(Debug, Clone)]
pub struct ParameterType {
    /// The canonical way to write it.
    pub written: Written,
    /// What it lets pass.
    pub check: Arc<dyn Check>,
}

impl ParameterType {
    /// The type that `check` checks.
    #[must_use]
    pub fn new(check: Arc<dyn Check>) -> Self {
        Self { written: check.written(), check }
    }
}

impl PartialEq for ParameterType {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}
