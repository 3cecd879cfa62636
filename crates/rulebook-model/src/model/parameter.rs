//! The parameters of methods.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::call::Source;
use crate::span::Span;
use crate::types::{Arity, Check, TypeExpr};

/// A parameter of a method.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parameter {
    /// The part of a request that contains the parameter.
    pub from: Location,
    /// The name of the parameter in that part of the request: the name of the capture, of the query or body field, of
    /// the header field or of the cookie. Empty for positional parameters, and for the whole body.
    pub key: String,
    /// The name of the parameter in the code of handlers.
    pub name: String,
    /// The description of the parameter for documents.
    pub info: String,
    /// The type of the parameter's values.
    pub r#type: ParameterType,
    /// `true` if clients may omit the parameter.
    pub optional: bool,
    /// The value that is used if a client omits the parameter, in the notation of the definition. The type accepts it.
    pub default: Option<Json>,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The error message for clients that send an invalid value; `None` for the messages of the server.
    pub message: Option<String>,
    /// `true` if the parameter is the version that the request changes: the entity tag in `If-Match`, without its
    /// quotes.
    pub is_entity_tag: bool,
    /// The position of the parameter's key in the definition.
    pub span: Span,
    /// The position of the parameter's type in the definition.
    pub type_span: Span,
}

impl Parameter {
    /// Returns the name of the parameter in requests. A positional parameter has no name in requests, and neither has
    /// the whole body, so that the result is the name in code.
    #[must_use]
    pub fn request_name(&self) -> &str {
        if self.key.is_empty() { &self.name } else { &self.key }
    }

    /// Returns `true` if the parameter is the whole body of a request: a JSON value, or a file.
    #[must_use]
    pub fn is_whole_body(&self) -> bool {
        self.from == Location::WholeBody
    }

    /// Returns `true` if the whole body of a request is the parameter, which is a file.
    #[must_use]
    pub fn is_raw_body(&self) -> bool {
        self.is_whole_body() && self.r#type.check.arity() == Arity::File
    }
}

/// The part of a request that contains a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// The path: the parameter is a captured segment.
    Path,
    /// The path: the parameter is positional. It is the segment with this index, from 0, after the path of the service.
    Position(usize),
    /// The query.
    Query,
    /// The body: the parameter is a field of a form, or a member of a JSON object.
    Body,
    /// The body: the parameter is the whole JSON value, or the file that the body is.
    WholeBody,
    /// The query or the body. If both contain the parameter, the body takes precedence.
    Any,
    /// A header field.
    Header,
    /// A cookie.
    Cookie,
}

impl Location {
    /// Returns the part of the request as error responses and documents name it. They do not distinguish captured and
    /// positional segments, or the whole body and its fields.
    #[must_use]
    pub fn source(self) -> Source {
        match self {
            Self::Path | Self::Position(_) => Source::Path,
            Self::Query => Source::Query,
            Self::Body | Self::WholeBody => Source::Body,
            Self::Any => Source::Any,
            Self::Header => Source::Header,
            Self::Cookie => Source::Cookie,
        }
    }
}

impl Parameter {
    /// Returns the key that the parameter has in a definition in the dialect `tree`: `{id}`, `URL#0`, `GET@lang`,
    /// `title`.
    #[must_use]
    pub fn tree_key(&self) -> String {
        let key = &self.key;
        match self.from {
            Location::Path => format!("{{{key}}}"),
            Location::Position(n) => format!("URL#{n}"),
            Location::Query => format!("GET@{key}"),
            Location::Body => key.clone(),
            Location::WholeBody => WHOLE_BODY_KEY.to_owned(),
            Location::Any => format!("ANY@{key}"),
            Location::Header => format!("HEADER@{key}"),
            Location::Cookie => format!("COOKIE@{key}"),
        }
    }
}

/// The header field with the entity tag of the version that a request changes.
pub(crate) const IF_MATCH: &str = "If-Match";

/// The prefixes of parameter keys, except the prefixes of positional parameters, with the part of the request that
/// contains the parameter.
pub const LOCATION_PREFIXES: [(&str, Location); 4] =
    [("GET@", Location::Query), ("HEADER@", Location::Header), ("COOKIE@", Location::Cookie), ("ANY@", Location::Any)];

/// The key of the parameter that is the whole body of a request.
pub const WHOLE_BODY_KEY: &str = "*";
/// The name in code of the whole body if the definition sets no name.
const WHOLE_BODY_NAME: &str = "body";

/// Returns the name in code of a parameter for which the definition sets no name. It is the parameter's key, without
/// the braces of a capture and without the prefix for the part of the request: `page` for `GET@page`. For the whole
/// body, it is `body`.
#[must_use]
pub fn default_parameter_name(key: &str) -> &str {
    if key == WHOLE_BODY_KEY {
        return WHOLE_BODY_NAME;
    }
    let capture = || key.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let prefixed = || LOCATION_PREFIXES.iter().find_map(|(prefix, _)| key.strip_prefix(prefix));
    capture().or_else(prefixed).unwrap_or(key)
}

/// A compiled type and its canonical notation: the notation that documents and the canonical form of a definition use.
/// Two types are equal if their canonical notations are equal.
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
