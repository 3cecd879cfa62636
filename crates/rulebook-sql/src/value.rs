//! The values that calls bind to the parameters of statements, and what is known about them before a call.

use std::borrow::Cow;

use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots, HandlerError};
use rulebook::types::Value;
use rulebook::{ApiError, Context, Upload};
use rulebook_model::call::{ParameterError, ParameterErrorKind, Source as ParameterSource};
use rulebook_model::model::Parameter;
use serde_json::Value as Json;

use crate::moments::Moments;
use crate::target::Target;

/// Where the value of a name in a statement comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The parameter of the method with this index.
    Parameter(usize),
    /// A fact about the uploaded file of the parameter of the method with this index.
    FileFact(usize, FileFact),
    /// The name of the caller's identity.
    IdentityName,
    /// The permissions of the caller's identity.
    IdentityPermissions,
}

/// A fact about an uploaded file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileFact {
    Name,
    MediaType,
    Size,
}

/// The names of the facts about an uploaded file, which follow the name of its parameter: `file.name`.
pub(crate) const FILE_FACTS: [(&str, FileFact, Target); 3] = [
    ("name", FileFact::Name, Target::Text),
    ("type", FileFact::MediaType, Target::Text),
    ("size", FileFact::Size, Target::Integer),
];

/// The names of values that are not parameters.
pub(crate) const IDENTITY_NAMES: [(&str, Source); 2] =
    [("identity.name", Source::IdentityName), ("identity.permissions", Source::IdentityPermissions)];

/// A value that is bound to a parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SqlValue {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above the range of [`SqlValue::Int`].
    Uint(u64),
    Float(f64),
    Text(String),
    /// An array or an object.
    Nested(Json),
    /// An uploaded file before its content is read.
    File(Upload),
    /// The content of an uploaded file.
    Bytes(Vec<u8>),
}

impl Source {
    /// Returns the value in a call.
    pub(crate) fn value(self, arguments: &ArgumentSlots<'_, '_>, context: &Context) -> SqlValue {
        let identity = context.identity();
        let argument = |index: usize| match arguments.values.get(index) {
            Some(ArgumentSlot::Value(value)) => value,
            Some(ArgumentSlot::Null | ArgumentSlot::Absent) | None => &Value::Null,
        };
        match self {
            Self::Parameter(index) => SqlValue::from(argument(index)),
            Self::FileFact(index, fact) => match argument(index) {
                Value::File(upload) => fact.of(upload),
                _ => SqlValue::Null,
            },
            Self::IdentityName => {
                identity.map_or(SqlValue::Null, |identity| SqlValue::Text(identity.name().to_owned()))
            }
            Self::IdentityPermissions => {
                let permissions = identity.map(|identity| identity.permissions().map(Json::from).collect());
                SqlValue::Nested(Json::Array(permissions.unwrap_or_default()))
            }
        }
    }
}

impl FileFact {
    fn of(self, upload: &Upload) -> SqlValue {
        match self {
            Self::Name => SqlValue::Text(upload.filename().to_owned()),
            Self::MediaType => SqlValue::Text(upload.media_type().to_owned()),
            Self::Size => SqlValue::Int(i64::try_from(upload.size()).unwrap_or(i64::MAX)),
        }
    }
}

impl From<&Value<'_>> for SqlValue {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(bool) => Self::Bool(*bool),
            Value::Int(int) => Self::Int(*int),
            Value::Uint(uint) => Self::Uint(*uint),
            Value::Float(float) => Self::Float(*float),
            Value::Text(text) => Self::Text(text.clone().into_owned()),
            Value::List(_) | Value::Map(_) => Self::Nested(value.to_json()),
            Value::File(upload) => Self::File(upload.clone()),
        }
    }
}

/// What is known about a value of a method before a call.
#[derive(Debug)]
pub(crate) struct NamedValue {
    pub name: String,
    pub target: Target,
    /// Where the value contains points in time; `None` if it contains none.
    pub moments: Option<Moments>,
    /// `true` if the value can be above the largest whole number of most databases.
    pub exceeds_i64: bool,
    /// The maximum size in bytes of an uploaded file, if the type of its parameter limits it.
    pub max_bytes: Option<u64>,
    /// The parameter of the method; `None` for values of the caller.
    pub request: Option<RequestParameter>,
}

impl NamedValue {
    /// Returns what is known about a value that is not a parameter.
    pub(crate) fn new(name: &str, target: Target) -> Self {
        let name = name.to_owned();
        Self { name, target, moments: None, exceeds_i64: false, max_bytes: None, request: None }
    }

    /// Returns the error of a value that is larger than a whole number of the database.
    pub(crate) fn range_error(&self) -> HandlerError {
        let message = format!("the values of `:{}` are larger than the whole numbers of the database", self.name);
        HandlerError::new(message).help("give the type an upper bound, such as `uint(0,9223372036854775807)`")
    }
}

/// A parameter as error responses describe it.
#[derive(Debug)]
pub(crate) struct RequestParameter {
    pub name: String,
    source: ParameterSource,
    /// The message that the definition sets for errors of this parameter.
    message: Option<Box<str>>,
}

impl RequestParameter {
    pub(crate) fn new(parameter: &Parameter) -> Self {
        let message = parameter.message.as_deref().map(Into::into);
        Self { name: parameter.request_name().to_owned(), source: parameter.from.source(), message }
    }

    /// Returns the error of a call whose value the database cannot store. `expected` describes the other values.
    pub(crate) fn error(&self, expected: impl Into<Cow<'static, str>>) -> ApiError {
        ApiError::parameters(vec![self.parameter_error(expected)])
    }

    pub(crate) fn parameter_error(&self, expected: impl Into<Cow<'static, str>>) -> ParameterError {
        let kind = ParameterErrorKind::Invalid;
        let mut error = ParameterError::new(kind, self.name.as_str(), self.source, expected);
        error.message.clone_from(&self.message);
        error
    }
}
