//! The parameters of methods.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::call::Source;
use crate::span::Span;
use crate::types::{Check, TypeExpr};

/// A parameter of a method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The location of the value in a request.
    pub from: Location,
    /// The name in the request: of a capture, a query or body field, a header field or a cookie; empty for positional
    /// parameters.
    pub key: String,
    /// The name in code.
    pub name: String,
    /// The description.
    pub info: String,
    /// The type.
    pub r#type: ParameterType,
    /// `true` if clients may omit the parameter.
    pub optional: bool,
    /// The value if clients omit the parameter, as in the definition. It passes the check of the type.
    pub default: Option<Json>,
    /// An example value.
    pub example: Option<Json>,
    /// The message for clients that send an invalid value.
    pub message: Option<String>,
    /// The position of its key in the definition.
    pub span: Span,
    /// The position of its type in the definition.
    pub type_span: Span,
}

/// The location of a parameter in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// A captured segment of the path.
    Path,
    /// The segment of the path with this index, from 0, after the path of the service: a positional parameter.
    Position(usize),
    /// The query.
    Query,
    /// The body.
    Body,
    /// The query or the body; the body takes precedence.
    Any,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

impl Location {
    /// The part of the request, for clients.
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
    /// The key in the tree dialect: `{id}`, `URL#0`, `GET@lang`, `title`.
    #[must_use]
    pub fn written_key(&self) -> String {
        let key = &self.key;
        match self.from {
            Location::Path => format!("{{{key}}}"),
            Location::Position(n) => format!("URL#{n}"),
            Location::Query => format!("GET@{key}"),
            Location::Body => key.clone(),
            Location::Any => format!("ANY@{key}"),
            Location::Header => format!("HEADER@{key}"),
            Location::Cookie => format!("COOKIE@{key}"),
        }
    }
}

/// The default for the name of a parameter in code: its key, without the braces of a capture.
#[must_use]
pub fn default_name(key: &str) -> &str {
    key.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(key)
}

/// A compiled type with its canonical expression. Two types are equal if their expressions are.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ParameterType {
    /// The canonical expression of the type.
    pub written: TypeExpr,
    /// The check of values.
    pub check: Arc<dyn Check>,
}

impl ParameterType {
    /// The type of a check.
    #[must_use]
    pub fn new(check: Arc<dyn Check>) -> Self {
        Self { written: check.type_expr(), check }
    }
}

impl PartialEq for ParameterType {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}
