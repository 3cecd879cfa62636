//! The error of a single parameter of a call.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::{CustomError, Value, Violation};

/// The part of a request that contains a parameter, with the names of OpenAPI's `in` where OpenAPI has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A captured or positional segment of the path.
    Path,
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

impl Source {
    /// Returns the name of the part in responses and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
            Self::Any => "query or body",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The maximum number of characters of a rejected value that an error message quotes.
const MAX_QUOTED: usize = 100;

/// The error of a value that a type rejects. The data is boxed, so that the result of a check stays as small as a
/// value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMismatch(Box<TypeMismatchDetails>);

/// The data of a [`TypeMismatch`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypeMismatchDetails {
    /// The values that the type accepts, as they follow "expected" in a message: "a whole number from 1 to 5".
    pub expected: Cow<'static, str>,
    /// The rejected value, shortened: `"abc"`, `null`, `3 items`.
    pub got: String,
    /// The path to the rejected part within the value, such as `[2].name`; empty if the whole value is rejected.
    pub path: String,
    /// The rule that the value violates, if it is a single one.
    pub violation: Option<Violation>,
}

impl TypeMismatch {
    /// Creates the error for `value`. `expected` describes the values that the type accepts.
    pub fn new(expected: impl Into<Cow<'static, str>>, value: &Value<'_>) -> Self {
        Self::with_got(expected, quote(value))
    }

    /// Creates the error for a value that `got` describes.
    pub fn with_got(expected: impl Into<Cow<'static, str>>, got: impl Into<String>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self(Box::new(TypeMismatchDetails { expected, got, path: String::new(), violation: None }))
    }

    /// Extends the path by the item (`[2]`) or member (`.name`) of a larger value that contains the rejected value.
    #[must_use]
    pub fn inside(mut self, segment: &str) -> Self {
        self.0.path.insert_str(0, segment);
        self
    }

    /// Sets the single rule that the value violates.
    #[must_use]
    pub fn with_violation(mut self, violation: impl Into<Option<Violation>>) -> Self {
        self.0.violation = violation.into();
        self
    }

    /// Returns the data of the error.
    #[must_use]
    pub fn into_details(self) -> TypeMismatchDetails {
        *self.0
    }
}

impl Deref for TypeMismatch {
    type Target = TypeMismatchDetails;

    fn deref(&self) -> &TypeMismatchDetails {
        &self.0
    }
}

impl DerefMut for TypeMismatch {
    fn deref_mut(&mut self) -> &mut TypeMismatchDetails {
        &mut self.0
    }
}

/// Returns `true` if the name indicates that the value is secret. Such values are never quoted.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 7] = ["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey"];
    let name = name.to_lowercase().replace('-', "_");
    WORDS.iter().any(|word| name.contains(word))
}

/// Returns the first 100 characters of a client's text, which an error message may quote.
#[must_use]
pub fn shortened(text: &str) -> String {
    text.chars().take(MAX_QUOTED).collect()
}

/// Replaces the values of members with secret names by `…`. A text that looks like JSON and contains a secret name is
/// replaced entirely, because it could not be parsed.
fn mask_secrets<'a>(value: &'a Value<'_>) -> Value<'a> {
    match value {
        Value::Text(text) if text.trim_start().starts_with(['{', '[']) && is_secret_name(text) => {
            Value::Text("…".into())
        }
        Value::List(items) => Value::List(items.iter().map(mask_secrets).collect()),
        Value::Map(members) => {
            let shown = |name: &str, member| {
                if is_secret_name(name) { Value::Text("…".into()) } else { mask_secrets(member) }
            };
            Value::Map(members.iter().map(|(name, member)| (Cow::Borrowed(&**name), shown(name, member))).collect())
        }
        other => other.reborrow(),
    }
}

/// Quotes a value for the client: as JSON of at most 100 characters, without secrets and without the content of files.
fn quote(value: &Value<'_>) -> String {
    match value {
        Value::List(items) if items.len() > MAX_QUOTED => format!("{} items", items.len()),
        Value::Map(members) if members.len() > MAX_QUOTED => format!("{} members", members.len()),
        Value::File(upload) => {
            let (name, size, media_type) = (JsonText(upload.filename()), upload.size(), upload.media_type());
            truncate(&format!("the file {name} of {size} bytes, {media_type}"))
        }
        Value::Text(text) if text.chars().nth(MAX_QUOTED).is_some() => match mask_secrets(value) {
            Value::Text(text) => truncate(&JsonText(&shortened(&text))),
            other => other.kind().to_owned(),
        },
        other => truncate(&serde_json::to_string(&mask_secrets(other)).unwrap_or_else(|_| other.kind().to_owned())),
    }
}

fn truncate(text: &(impl fmt::Display + ?Sized)) -> String {
    let text = text.to_string();
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A text that is displayed as a JSON string.
struct JsonText<'a>(&'a str);

impl fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).unwrap_or_default())
    }
}

/// The kind of a [`ParameterError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterErrorKind {
    /// The parameter is required and missing.
    Missing,
    /// The type of the parameter rejects the value.
    Invalid,
    /// The parameter occurs more than once but accepts only one value.
    Repeated,
    /// The method has no such parameter, and the API is set to reject unknown parameters.
    Unknown,
}

/// An error of one parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterError {
    /// The kind of the error.
    pub kind: ParameterErrorKind,
    /// The parameter as clients name it, with the path into its value: `article_id`, `tags[2].name`.
    pub parameter: String,
    /// The part of the request that should contain the parameter.
    pub source: Source,
    /// The values that the parameter accepts, as they follow "expected" in a message.
    pub expected: Cow<'static, str>,
    /// The rejected value, shortened; `None` if the parameter is missing or its value may be secret.
    pub got: Option<String>,
    /// The message that the definition sets for errors of this parameter.
    pub message: Option<Box<str>>,
    /// The rule that the value violates, if it is a single one and does not reveal a secret.
    pub violation: Option<Box<Violation>>,
}

impl ParameterError {
    /// Creates an error without the received value and without a violated rule.
    #[must_use]
    pub fn new(
        kind: ParameterErrorKind,
        parameter: impl Into<String>,
        source: Source,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (parameter, expected) = (parameter.into(), expected.into());
        Self { kind, parameter, source, expected, got: None, message: None, violation: None }
    }

    /// Sets the description of the received value.
    #[must_use]
    pub fn with_got(self, got: Option<String>) -> Self {
        Self { got, ..self }
    }

    /// Returns the error of the program's function or type that rejected the value, if its message is sent to the
    /// client.
    #[must_use]
    pub fn custom_error(&self) -> Option<&CustomError> {
        match self.violation.as_deref() {
            Some(Violation::Custom(error)) if self.message.is_none() => Some(error),
            _ => None,
        }
    }
}
