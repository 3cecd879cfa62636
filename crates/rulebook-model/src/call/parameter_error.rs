//! The error of a single parameter of a request, of a value that a type rejects, and of a program's own rule.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Display;
use std::ops::{Deref, DerefMut};

use thiserror::Error;

use super::{Value, is_secret_name};

/// The part of a request that contains a parameter. The variants have the names that the member `in` of OpenAPI uses,
/// where OpenAPI has a name for that part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
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
const MAX_QUOTED_CHARS: usize = 100;

/// The error of a value that a type rejects. The details are boxed, so that a check returns a small `Result`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeMismatch(Box<TypeMismatchDetails>);

/// The details of a [`TypeMismatch`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TypeMismatchDetails {
    /// A description of the values that the type accepts, which can follow the word "expected" in a message: "a whole
    /// number from 1 to 5".
    pub expected: Cow<'static, str>,
    /// The rejected value, shortened: `"abc"`, `null`, `3 items`.
    pub got: String,
    /// The path from the checked value to the rejected item or member in it, such as `[2].name`. It is empty if the
    /// whole value is rejected.
    pub path: String,
    /// The rule of the type that the value violates. `None` if the value does not violate exactly one rule.
    pub violation: Option<Violation>,
    /// The message that the definition sets for this error.
    pub message: Option<String>,
}

impl TypeMismatch {
    /// Creates the error for the rejected `value`. `expected` describes the values that the type accepts.
    pub fn new(expected: impl Into<Cow<'static, str>>, value: &Value<'_>) -> Self {
        Self::with_got(expected, quote_value(value))
    }

    /// Creates the error for a rejected value that `got` describes. `expected` describes the values that the type
    /// accepts.
    pub fn with_got(expected: impl Into<Cow<'static, str>>, got: impl Into<String>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self(Box::new(TypeMismatchDetails { expected, got, path: String::new(), violation: None, message: None }))
    }

    /// Adds `segment` at the beginning of the path: the item (`[2]`) or member (`.name`) of an array or object that
    /// contains the rejected value.
    #[must_use]
    pub fn inside(mut self, segment: &str) -> Self {
        self.0.path.insert_str(0, segment);
        self
    }

    /// Sets the only rule of the type that the value violates.
    #[must_use]
    pub fn with_violation(mut self, violation: impl Into<Option<Violation>>) -> Self {
        self.0.violation = violation.into();
        self
    }

    /// Returns the details of the error.
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

/// Returns the first 100 characters of a text that the client sent, for an error message that quotes it.
#[must_use]
pub fn shorten_text(text: &str) -> String {
    text.chars().take(MAX_QUOTED_CHARS).collect()
}

/// Replaces the values of members that have [secret names](is_secret_name) by `…`. A string that begins like JSON and
/// contains a secret name is replaced entirely, because its members are not known.
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

/// Quotes a value in an error message: as JSON of at most 100 characters, without secrets and without the content of
/// files.
fn quote_value(value: &Value<'_>) -> String {
    match value {
        Value::List(items) if items.len() > MAX_QUOTED_CHARS => format!("{} items", items.len()),
        Value::Map(members) if members.len() > MAX_QUOTED_CHARS => format!("{} members", members.len()),
        Value::File(upload) => {
            let (name, size, media_type) = (json_text(upload.filename()), upload.size(), upload.media_type());
            truncate_quote(&format!("the file {name} of {size} bytes, {media_type}"))
        }
        Value::Text(text) if text.chars().nth(MAX_QUOTED_CHARS).is_some() => match mask_secrets(value) {
            Value::Text(text) => truncate_quote(&json_text(&shorten_text(&text))),
            other => other.kind().to_owned(),
        },
        other => {
            truncate_quote(&serde_json::to_string(&mask_secrets(other)).unwrap_or_else(|_| other.kind().to_owned()))
        }
    }
}

fn truncate_quote(text: &str) -> String {
    let mut shortened = shorten_text(text);
    if shortened.len() < text.len() {
        shortened.push('…');
    }
    shortened
}

fn json_text(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// The kind of a [`ParameterError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterErrorKind {
    /// The request lacks a required parameter.
    Missing,
    /// The type of the parameter rejects the value.
    Invalid,
    /// The request contains the parameter more than once, but the parameter accepts only one value.
    Repeated,
    /// The method does not define the parameter, and the settings of the API reject unknown parameters.
    Unknown,
}

/// An error of one parameter of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParameterError {
    /// The kind of the error.
    pub kind: ParameterErrorKind,
    /// The name of the parameter in requests, followed by the path to the rejected item or member of its value:
    /// `article_id`, `tags[2].name`.
    pub parameter: String,
    /// The name of the parameter in code, if it is another name.
    pub name_in_code: Option<Box<str>>,
    /// The part of the request that should contain the parameter.
    pub source: Source,
    /// A description of the values that the parameter accepts, which can follow the word "expected" in a message.
    pub expected: Cow<'static, str>,
    /// The rejected value, shortened; `None` if the parameter is missing or its value may be secret.
    pub got: Option<String>,
    /// The message that the definition sets for errors of this parameter.
    pub message: Option<Box<str>>,
    /// The rule of the type that the value violates. `None` if the value does not violate exactly one rule, or if the
    /// rule would reveal a secret value.
    pub violation: Option<Box<Violation>>,
    /// The name of the parameter that the client may have meant, if the parameter is unknown.
    pub similar: Option<Box<str>>,
}

impl ParameterError {
    /// Creates an error that contains neither the received value nor the violated rule.
    #[must_use]
    pub fn new(
        kind: ParameterErrorKind,
        parameter: impl Into<String>,
        source: Source,
        expected: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (parameter, expected) = (parameter.into(), expected.into());
        Self {
            kind,
            parameter,
            name_in_code: None,
            source,
            expected,
            got: None,
            message: None,
            violation: None,
            similar: None,
        }
    }

    /// Sets the description of the received value; `None` if the value is missing or may be secret.
    #[must_use]
    pub fn with_got(self, got: Option<String>) -> Self {
        Self { got, ..self }
    }

    /// Sets the name of the parameter that the client may have meant, if there is one.
    #[must_use]
    pub fn with_similar(self, similar: Option<&str>) -> Self {
        Self { similar: similar.map(Into::into), ..self }
    }

    /// Returns the error of the program's function or type that rejected the value. Returns `None` if the definition
    /// sets another message, or if a built-in type rejected the value.
    #[must_use]
    pub fn custom_error(&self) -> Option<&CustomError> {
        match self.violation.as_deref() {
            Some(Violation::Custom(error)) if self.message.is_none() => Some(error),
            _ => None,
        }
    }
}

/// The rule of a type that a value violates, such as a bound, a list of allowed values or a pattern.
///
/// Most error messages describe all values that the type accepts, with the text `expected` of the [`TypeMismatch`]. A
/// catalogue can also have a message for each rule, into which this data is inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// The value, or its length, count or size, is below the minimum.
    BelowMin(Measured),
    /// The value, or its length, count or size, is above the maximum.
    AboveMax(Measured),
    /// The value is not in the list of allowed values.
    NotAllowed {
        /// The allowed values, separated by `/`.
        allowed: String,
        /// The rejected value, shortened to 100 characters.
        got: String,
    },
    /// The request contains no file for the parameter.
    MissingFile,
    /// The extension of the file name is not an allowed extension. The text lists the allowed extensions as a JSON
    /// array.
    FileExtension(String),
    /// The text is not JSON, or is JSON of another kind than expected.
    Json,
    /// The text does not match the regular expression of the type.
    Pattern,
    /// A function or type of the program rejects the value. The client receives the message of this error.
    Custom(CustomError),
}

/// A quantity that was measured of a value, and the bound that it violates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Measured {
    /// The measured quantity.
    pub measure: Measure,
    /// The violated bound.
    pub bound: String,
    /// The number or time that was measured.
    pub got: String,
}

/// A quantity of a value that can have bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// The value itself, which is a number or a point in time.
    Value,
    /// The length of a text in characters.
    Length,
    /// The number of items of an array.
    Count,
    /// The size of a file in bytes.
    Size,
}

impl Measure {
    /// Returns the first word of the keys of messages about the quantity.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Length => "length",
            Self::Count => "count",
            Self::Size => "size",
        }
    }
}

impl Violation {
    /// Returns the violation if `got` is below `min` or above `max`, or `None` if it is within these bounds.
    pub fn of_bounds<T: Copy + PartialOrd + Display>(
        measure: Measure,
        min: Option<T>,
        max: Option<T>,
        got: T,
    ) -> Option<Self> {
        let measured = |bound: T| Measured { measure, bound: bound.to_string(), got: got.to_string() };
        match (min, max) {
            (Some(min), _) if got < min => Some(Self::BelowMin(measured(min))),
            (_, Some(max)) if got > max => Some(Self::AboveMax(measured(max))),
            _ => None,
        }
    }

    /// Returns `true` if the data of this violation contains the rejected value itself, not only its length, count or
    /// size.
    #[must_use]
    pub fn reveals_value(&self) -> bool {
        match self {
            Self::BelowMin(measured) | Self::AboveMax(measured) => measured.measure == Measure::Value,
            Self::NotAllowed { .. } => true,
            Self::MissingFile | Self::FileExtension(_) | Self::Json | Self::Pattern | Self::Custom(_) => false,
        }
    }
}

/// The maximum error code that a handler or function can set for the `phalapi` envelope.
pub(super) const MAX_PHALAPI_CODE: u8 = 99;

/// The error with which a function or type of the program rejects a value: a message for the client, and an optional
/// code.
///
/// ```
/// # use rulebook_model as rulebook;
/// use rulebook::CustomError;
///
/// let plain: CustomError = "Illegal version".into();
/// let numbered = CustomError::new("Illegal version").with_phalapi_code(1);
/// assert_ne!(plain, numbered);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct CustomError {
    message: String,
    phalapi_code: u8,
}

impl CustomError {
    /// Creates an error without a code, with this message for the client.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), phalapi_code: 0 }
    }

    /// Sets a code from 0 to 99; a higher code is ignored. If a response in the `phalapi` envelope reports this error,
    /// its member `ret` is 400 plus the code. Other envelopes do not show the code.
    #[must_use]
    pub fn with_phalapi_code(mut self, code: u8) -> Self {
        self.phalapi_code = if code <= MAX_PHALAPI_CODE { code } else { 0 };
        self
    }

    /// Returns the message for the client.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the code for the `phalapi` envelope, from 0 to 99. It is 0 if none was set.
    #[must_use]
    pub fn phalapi_code(&self) -> u8 {
        self.phalapi_code
    }
}

impl From<&str> for CustomError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

impl From<String> for CustomError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
