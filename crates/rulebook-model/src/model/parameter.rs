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
    /// The part of a request that has the value.
    pub from: Location,
    /// The name of the value in the request: of the capture, the query or body field, the header field or the cookie.
    /// Empty for positional parameters.
    pub key: String,
    /// The name in code.
    pub name: String,
    /// The description.
    pub info: String,
    /// The type.
    pub r#type: ParameterType,
    /// `true` if clients may omit the parameter.
    pub optional: bool,
    /// The value that is used if clients omit the parameter, as in the definition. It is valid for the type.
    pub default: Option<Json>,
    /// An example value.
    pub example: Option<Json>,
    /// The message for clients that send an invalid value.
    pub message: Option<String>,
    /// The span of the key in the definition.
    pub span: Span,
    /// The span of the type in the definition.
    pub type_span: Span,
}

/// The part of a request that contains a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Location {
    /// A captured segment of the path.
    Path,
    /// A positional parameter: the segment with this index, from 0, after the path of the service.
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
    /// Returns the part of the request as errors and documents name it.
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
    /// Returns the key in the dialect `tree`: `{id}`, `URL#0`, `GET@lang`, `title`.
    #[must_use]
    pub fn tree_key(&self) -> String {
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

/// Returns the default name of a parameter in code: its key, without the braces of a capture.
#[must_use]
pub fn default_name(key: &str) -> &str {
    key.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(key)
}

/// A compiled type and its canonical notation. Two types are equal if their notations are equal.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ParameterType {
    /// The canonical notation of the type.
    pub written: TypeExpr,
    /// The check that validates values.
    pub check: Arc<dyn Check>,
}

impl ParameterType {
    /// Creates the type from its check.
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
