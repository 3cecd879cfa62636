//! A value of a parameter, borrowed from the request where it can be.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value as Json;

use super::Upload;

/// What JSON can say, and a file.
///
/// Whole numbers are [`Value::Int`] where they fit, [`Value::Uint`] only above
/// `i64::MAX`: there is one way to hold each number.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// JSON's null.
    Null,
    /// true or false.
    Bool(bool),
    /// A whole number of 64 bits.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// A number with a fraction or beyond 64 bits; always finite.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Value<'a>>),
    /// An object, in the order in which it came.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
    /// An uploaded file.
    File(Upload),
}

impl Value<'_> {
    /// The same value, borrowing from nothing.
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

    /// The same value, borrowing its texts from this one.
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

    /// The value's kind in JSON's words, with its article: "a string", "null".
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

    /// The value as JSON; a file as `{filename, size, media_type}`.
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
