//! The values that calls bind to the parameters of statements, and what is known about them before a call.

use rulebook::handler_kind::{ArgumentSlot, ArgumentSlots, HandlerError};
use rulebook::types::Value;
use rulebook::{Claims, Context, Upload};
use rulebook_model::model::Parameter;
use serde_json::Value as Json;

use crate::moments::Moments;
use crate::target::Target;

/// Where the value of a name in a statement comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The parameter with this index, or the member of its value that these names lead to.
    Parameter(usize, Vec<String>),
    /// Whether the client has sent this parameter, or this member of its value.
    Given(usize, Vec<String>),
    /// A fact about the uploaded file of the parameter of the method with this index.
    FileFact(usize, FileFact),
    IdentityName,
    IdentityPermissions,
    /// The claim with this name in the caller's token.
    IdentityClaim(String),
    /// A value that the call finds itself, such as the id of a row that it has inserted.
    Computed,
}

/// Returns a fact about an uploaded file.
pub(crate) type FileFact = fn(&Upload) -> SqlValue;

/// The names of the facts about an uploaded file, which follow the name of its parameter: `file.name`.
pub(crate) const FILE_FACTS: [(&str, FileFact, Target); 3] = [
    ("name", |upload| SqlValue::Text(upload.filename().to_owned()), Target::Text),
    ("type", |upload| SqlValue::Text(upload.media_type().to_owned()), Target::Text),
    ("size", |upload| SqlValue::Int(i64::try_from(upload.size()).unwrap_or(i64::MAX)), Target::Integer),
];

/// The names of values of the caller. After the last one follows the name of a claim.
pub(crate) const IDENTITY_NAMES: [&str; 3] = ["identity.name", "identity.permissions", "identity.claims.NAME"];

/// A value that is bound to a parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SqlValue {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number above the range of [`SqlValue::Int`].
    Uint(u64),
    Float(f64),
    /// A decimal in a cursor of MySQL.
    Decimal(String),
    Text(String),
    /// An array or an object.
    Nested(Json),
    /// An uploaded file before its content is read.
    File(Upload),
    /// The content of an uploaded file.
    Bytes(Vec<u8>),
}

impl Source {
    pub(crate) fn value(&self, arguments: &ArgumentSlots<'_, '_>, context: &Context) -> SqlValue {
        let identity = context.identity();
        let argument = |index: &usize| match arguments.values.get(*index) {
            Some(ArgumentSlot::Value(value)) => value,
            Some(ArgumentSlot::Null | ArgumentSlot::Absent) | None => &Value::Null,
        };
        match self {
            Self::Parameter(index, path) => member(argument(index), path).map_or(SqlValue::Null, SqlValue::from),
            Self::Given(index, path) if path.is_empty() => {
                SqlValue::Bool(!matches!(arguments.values.get(*index), Some(ArgumentSlot::Absent) | None))
            }
            Self::Given(index, path) => SqlValue::Bool(member(argument(index), path).is_some()),
            Self::FileFact(index, fact) => match argument(index) {
                Value::File(upload) => fact(upload),
                _ => SqlValue::Null,
            },
            Self::IdentityName => {
                identity.map_or(SqlValue::Null, |identity| SqlValue::Text(identity.name().to_owned()))
            }
            Self::IdentityPermissions => {
                let permissions = identity.map(|identity| identity.permissions().map(Json::from).collect());
                SqlValue::Nested(Json::Array(permissions.unwrap_or_default()))
            }
            Self::IdentityClaim(name) => {
                let claim = identity.and_then(|identity| identity.data::<Claims>()?.get(name));
                claim.map_or(SqlValue::Null, |claim| SqlValue::from(&Value::from(claim)))
            }
            Self::Computed => SqlValue::Null,
        }
    }
}

/// Returns the member of a value that the names lead to.
fn member<'v, 'a>(value: &'v Value<'a>, path: &[String]) -> Option<&'v Value<'a>> {
    path.iter().try_fold(value, |value, name| match value {
        Value::Map(members) => members.iter().find(|(known, _)| known == name).map(|(_, value)| value),
        _ => None,
    })
}

impl SqlValue {
    /// Returns the JSON text of a value; `None` for null and for files.
    pub(crate) fn json_text(&self) -> Option<String> {
        Some(match self {
            Self::Null | Self::File(_) | Self::Bytes(_) => return None,
            Self::Bool(bool) => bool.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Uint(uint) => uint.to_string(),
            Self::Float(float) => Json::from(*float).to_string(),
            Self::Text(text) | Self::Decimal(text) => Json::from(text.as_str()).to_string(),
            Self::Nested(json) => json.to_string(),
        })
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
    pub source: Source,
    pub target: Target,
    /// The type in SQL of a decimal number, such as `decimal(10,2)`; `None` for other values.
    pub decimal: Option<String>,
    /// Where the value contains points in time; `None` if it contains none.
    pub moments: Option<Moments>,
    /// `true` if the statement uses the value as JSON text.
    pub is_json: bool,
    /// `true` if the value can be above the largest whole number of most databases.
    pub exceeds_i64: bool,
    /// The maximum size in bytes of an uploaded file, if the type of its parameter limits it.
    pub max_bytes: Option<u64>,
    /// The parameter of the method; `None` for values of the caller.
    pub request: Option<Parameter>,
}

impl NamedValue {
    /// Returns what is known about a value that is not a parameter.
    pub(crate) fn new(name: &str, source: Source, target: Target) -> Self {
        let name = name.to_owned();
        let (decimal, moments, max_bytes, request) = (None, None, None, None);
        Self { name, source, target, decimal, is_json: false, moments, exceeds_i64: false, max_bytes, request }
    }

    /// Returns the error of a value that is larger than a whole number of the database.
    pub(crate) fn range_error(&self) -> HandlerError {
        let message = format!("the values of `:{}` are larger than the whole numbers of the database", self.name);
        HandlerError::new(message).help("give the type an upper bound, such as `uint(0,9223372036854775807)`")
    }
}
