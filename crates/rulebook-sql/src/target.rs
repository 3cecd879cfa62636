//! Which JSON values a type of the definition accepts, as far as conversions from and to a database depend on it.

use rulebook::types::{Check, Structure, Value};
use serde_json::{Number, Value as Json};
use sqlx::error::BoxDynError;

use crate::moments::{is_datetime, with_zone};

/// The kind of JSON value that a type accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Values of several kinds, or of kinds that are not known.
    Any,
    Bool,
    Integer,
    Number,
    Text,
    /// Points in time, as strings. Only outputs have this kind: databases get those of parameters as texts.
    Datetime,
    Nested,
    /// The content of a file: that of an uploaded file, or that of a download.
    Binary,
}

impl Target {
    /// Returns the kind of value that a check accepts.
    pub(crate) fn of(check: &dyn Check) -> Self {
        match check.structure() {
            Structure::Array(_) | Structure::Map(_) | Structure::Object(_) | Structure::TaggedUnion { .. } => {
                Self::Nested
            }
            Structure::Nullable(inner) => Self::of(&*inner),
            Structure::Schema(schema) => Self::of(&*schema.check),
            Structure::Scalar => match check.schema().get("type").and_then(Json::as_str) {
                Some("boolean") => Self::Bool,
                Some("integer") => Self::Integer,
                Some("number") => Self::Number,
                Some("string") if is_datetime(check) => Self::Datetime,
                Some("string") => Self::Text,
                Some("array" | "object") => Self::Nested,
                _ => Self::Any,
            },
            _ => Self::Any,
        }
    }

    /// Returns the kind of value that a handler gets for a parameter. Some types convert their values: a date can
    /// become the seconds since 1970.
    pub(crate) fn of_argument(check: &dyn Check) -> Self {
        let target = match Self::of(check) {
            Self::Datetime => Self::Text,
            target => target,
        };
        let example = check.example().and_then(|example| check.checked(example).ok());
        match (target, example) {
            (Self::Text, Some(Value::Int(_) | Value::Uint(_))) => Self::Integer,
            (Self::Text, Some(Value::Float(_))) => Self::Number,
            (Self::Text, Some(Value::Bool(_))) => Self::Bool,
            (Self::Text | Self::Bool, Some(Value::List(_) | Value::Map(_))) => Self::Nested,
            (Self::Bool | Self::Integer | Self::Number, Some(Value::Text(_))) => Self::Text,
            _ => target,
        }
    }

    /// Describes values of this kind.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Bool => "a boolean",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Datetime => "a date and time",
            Self::Nested => "an array or an object",
            Self::Binary => "a file",
        }
    }
}

/// A value of a database before its conversion to JSON.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Raw {
    /// A value whose JSON representation does not depend on the output.
    Json(Json),
    /// A whole number, which is a boolean in databases without booleans.
    Int(i64),
    /// A decimal number in decimal notation.
    Decimal(String),
    /// A text, which contains JSON in databases without a type for it.
    Text(String),
    /// The text of a JSON value.
    JsonText(String),
    /// Binary data, for [`Target::Binary`] only.
    Bytes(Vec<u8>),
}

impl Raw {
    /// Converts the value for an output.
    pub(crate) fn into_json(self, target: Target) -> Result<Json, serde_json::Error> {
        Ok(match (self, target) {
            (Self::Json(json), _) => json,
            (Self::Int(int @ (0 | 1)), Target::Bool) => Json::Bool(int == 1),
            (Self::Int(int), _) => int.into(),
            (Self::Decimal(text), Target::Text) => Json::String(text),
            (Self::Decimal(text), _) => decimal_to_json(text),
            (Self::Text(text), Target::Datetime) => Json::String(with_zone(text)),
            (Self::Text(text), Target::Nested) => serde_json::from_str(&text)?,
            (Self::JsonText(text) | Self::Text(text), Target::Text) | (Self::Text(text), _) => Json::String(text),
            (Self::JsonText(text), _) => serde_json::from_str(&text)?,
            // A file does not become JSON.
            (Self::Bytes(_), _) => Json::Null,
        })
    }
}

impl Raw {
    /// Converts the value to the bytes of a file; `None` if it is null.
    pub(crate) fn into_bytes(self) -> Result<Option<Vec<u8>>, BoxDynError> {
        match self {
            Self::Json(Json::Null) => Ok(None),
            Self::Bytes(bytes) => Ok(Some(bytes)),
            Self::Text(text) | Self::JsonText(text) => Ok(Some(text.into_bytes())),
            _ => Err("the value is neither binary data nor a text".into()),
        }
    }
}

/// Returns a decimal as a number: as a whole number if it has no fraction. A decimal that is not a JSON number remains
/// a text (`NaN`).
fn decimal_to_json(text: String) -> Json {
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => &text,
    };
    if let Ok(int) = whole.parse::<i64>() {
        return int.into();
    }
    match text.parse::<f64>().ok().and_then(Number::from_f64) {
        Some(number) => Json::Number(number),
        None => Json::String(text),
    }
}
