//! The value of a parameter in a call, and the outputs of a call.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value as Json;

use super::Upload;

/// The value of a parameter: a JSON value or an uploaded file. Strings borrow from the request where possible.
///
/// Each whole number of 64 bits has only one representation: [`Value::Int`] up to `i64::MAX`, and [`Value::Uint`]
/// above.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// The JSON value `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number from `i64::MIN` to `i64::MAX`.
    Int(i64),
    /// A whole number from `i64::MAX + 1` to `u64::MAX`.
    Uint(u64),
    /// A finite number that has a fraction, or that is a whole number outside of the range of 64 bits.
    Float(f64),
    /// A string.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object: the names and values of its members, in the order of the request.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// An uploaded file.
    File(Upload),
}

impl Value<'_> {
    /// Copies all borrowed data, so that the value does not depend on the request.
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(bool) => Value::Bool(bool),
            Value::Int(int) => Value::Int(int),
            Value::Uint(uint) => Value::Uint(uint),
            Value::Float(float) => Value::Float(float),
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::List(items) => Value::List(items.into_iter().map(Value::into_owned).collect()),
            Value::Map(members) => Value::Map(
                members.into_iter().map(|(key, value)| (Cow::Owned(key.into_owned()), value.into_owned())).collect(),
            ),
            Value::File(upload) => Value::File(upload),
        }
    }

    /// Returns a copy whose strings borrow from this value.
    #[must_use]
    pub fn reborrow(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(bool) => Value::Bool(*bool),
            Value::Int(int) => Value::Int(*int),
            Value::Uint(uint) => Value::Uint(*uint),
            Value::Float(float) => Value::Float(*float),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::List(items) => Value::List(items.iter().map(Value::reborrow).collect()),
            Value::Map(members) => {
                Value::Map(members.iter().map(|(key, value)| (Cow::Borrowed(&**key), value.reborrow())).collect())
            }
            Value::File(upload) => Value::File(upload.clone()),
        }
    }

    /// Returns the JSON type of the value as a noun with its article, such as "a string", or "null" without an article.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Uint(_) | Value::Float(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "an array",
            Value::Map(_) => "an object",
            Value::File(_) => "a file",
        }
    }

    /// Returns the value as JSON. A file becomes an object with `filename`, `size` and `media_type`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        serde_json::to_value(self).unwrap_or(Json::Null)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'static> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<u32> for Value<'static> {
    fn from(number: u32) -> Self {
        Value::Int(number.into())
    }
}

impl From<bool> for Value<'static> {
    fn from(bool: bool) -> Self {
        Value::Bool(bool)
    }
}

impl From<&Json> for Value<'static> {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => Value::Bool(*bool),
            Json::Number(number) => number
                .as_i64()
                .map(Value::Int)
                .or_else(|| number.as_u64().map(Value::Uint))
                .unwrap_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::MAX))),
            Json::String(text) => Value::Text(Cow::Owned(text.clone())),
            Json::Array(items) => Value::List(items.iter().map(Value::from).collect()),
            Json::Object(members) => {
                Value::Map(members.iter().map(|(key, value)| (Cow::Owned(key.clone()), value.into())).collect())
            }
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(bool) => serializer.serialize_bool(*bool),
            Value::Int(int) => serializer.serialize_i64(*int),
            Value::Uint(uint) => serializer.serialize_u64(*uint),
            Value::Float(float) => serializer.serialize_f64(*float),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Value::Map(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (key, value) in members {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Value::File(upload) => upload.serialize(serializer),
        }
    }
}

/// The outputs of a method. Every type that implements [`Serialize`] implements this trait; programs need not
/// implement it.
pub trait Encode: Send {
    /// Appends the outputs to `to`, as JSON text.
    ///
    /// # Errors
    /// Fails if the `Serialize` implementation of the type fails, or if a map has keys that are not strings.
    fn write_json(&self, to: &mut Vec<u8>) -> Result<(), serde_json::Error>;

    /// Returns the outputs as a JSON value, of which a caller can read single members.
    ///
    /// # Errors
    /// Fails in the same cases as [`Encode::write_json`].
    fn to_json(&self) -> Result<Json, serde_json::Error>;
}

impl<T: Serialize + Send> Encode for T {
    fn write_json(&self, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(to, self)
    }

    fn to_json(&self) -> Result<Json, serde_json::Error> {
        serde_json::to_value(self)
    }
}
