//! The value of a parameter in a call, the outputs of a call, and the parser of JSON text with limits of nesting and of
//! the number of items, whose values borrow from the text.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value as Json;

use super::{Limit, Upload};
use crate::limits;

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

/// The limits for parsing one JSON text. If the text exceeds a limit, the parser stores that limit here.
#[derive(Debug)]
pub struct JsonLimits {
    max_nesting: u64,
    max_items: u64,
    keeps_last: bool,
    exceeded: Cell<Option<Limit>>,
}

impl JsonLimits {
    /// The highest value of the nesting limit. It is below the nesting limit of serde_json, so that a text exceeds this
    /// limit first.
    pub const HIGHEST_NESTING_LIMIT: u64 = 126;

    /// Limits the nesting of arrays and objects to `max_nesting` levels, and each of them to `max_items` items or
    /// members.
    #[must_use]
    pub fn new(max_nesting: u64, max_items: u64) -> Self {
        Self { max_nesting, max_items, keeps_last: false, exceeded: Cell::new(None) }
    }

    /// Keeps only the last one of several members with the same name, as PHP does, if `keeps_last` is `true`.
    /// Otherwise, the types of the values refuse them.
    #[must_use]
    pub fn keeping_last(self, keeps_last: bool) -> Self {
        Self { keeps_last, ..self }
    }

    /// Returns the limit that the text exceeded, or `None` if parsing failed for another reason.
    #[must_use]
    pub fn take_exceeded(&self) -> Option<Limit> {
        self.exceeded.take()
    }

    /// Stores the exceeded limit and returns an error for serde, which ends the parsing.
    fn limit_error<E: Error>(&self, limit: Limit) -> E {
        self.exceeded.set(Some(limit));
        E::custom(format_args!("more than {} {}", limit.max, limit.unit.as_str()))
    }

    /// Returns the [`DeserializeSeed`] that parses a value at a nesting `level`: the number of arrays and objects
    /// around the value, 0 for the outermost value.
    #[must_use]
    pub fn value_seed(&self, level: u64) -> JsonValueSeed<'_> {
        JsonValueSeed { limits: self, level }
    }

    /// Returns the nesting level of the items of an array, or the members of an object, that is itself at `level`.
    fn nested_level<E: Error>(&self, level: u64) -> Result<u64, E> {
        let nested = level + 1;
        if nested > self.max_nesting {
            return Err(self.limit_error(limits::NESTING_DEPTH.with_value(self.max_nesting)));
        }
        Ok(nested)
    }

    fn check_item_count<E: Error>(&self, items: usize) -> Result<(), E> {
        if items as u64 >= self.max_items {
            return Err(self.limit_error(limits::ITEM_COUNT.with_value(self.max_items)));
        }
        Ok(())
    }
}

/// Parses one JSON value under [`JsonLimits`]. Strings without escape sequences are borrowed from the text.
#[derive(Debug, Clone, Copy)]
pub struct JsonValueSeed<'l> {
    limits: &'l JsonLimits,
    level: u64,
}

/// The capacity of an object when its first member is parsed.
const INITIAL_MEMBERS: usize = 4;

impl<'de> DeserializeSeed<'de> for JsonValueSeed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonValueSeed<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(bool))
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<Value<'de>, E> {
        Ok(Value::Int(int))
    }

    fn visit_u64<E: Error>(self, uint: u64) -> Result<Value<'de>, E> {
        Ok(i64::try_from(uint).map_or(Value::Uint(uint), Value::Int))
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(float))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let level = self.limits.nested_level(self.level)?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self.limits.value_seed(level))? {
            self.limits.check_item_count(items.len())?;
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let level = self.limits.nested_level(self.level)?;
        let mut members = Vec::new();
        while let Some(MemberName(name)) = access.next_key()? {
            self.limits.check_item_count(members.len())?;
            if members.is_empty() {
                members.reserve(INITIAL_MEMBERS);
            }
            members.push((name, access.next_value_seed(self.limits.value_seed(level))?));
        }
        if self.limits.keeps_last {
            let mut names = HashSet::with_capacity(members.len());
            members.reverse();
            members.retain(|(name, _)| names.insert(name.clone()));
            members.reverse();
        }
        Ok(Value::Map(members))
    }
}

/// The name of an object member. It is borrowed from the text if it has no escape sequences.
#[derive(Deserialize)]
struct MemberName<'a>(#[serde(borrow)] Cow<'a, str>);

/// Collects members of a JSON object.
pub trait MemberCollector<'de> {
    /// What the collector knows about a member before its value has been parsed.
    type Key;

    /// Decides by the name of a member whether it is collected. The value of any other member is skipped.
    fn select(&mut self, name: Cow<'de, str>) -> Option<Self::Key>;

    /// Collects a selected member.
    fn add(&mut self, key: Self::Key, value: Value<'de>);
}

/// Parses a JSON object of at most `max_members` members, and passes them to a collector. Text after the object is not
/// read.
///
/// # Errors
/// Fails if the text is not a JSON object, or exceeds a limit.
pub fn collect_members<'de, R: serde_json::de::Read<'de>>(
    reader: &mut serde_json::Deserializer<R>,
    limits: &JsonLimits,
    max_members: u64,
    collector: &mut impl MemberCollector<'de>,
) -> Result<(), serde_json::Error> {
    reader.deserialize_map(MembersVisitor { limits, max_members, collector })
}

struct MembersVisitor<'v, C> {
    limits: &'v JsonLimits,
    max_members: u64,
    collector: &'v mut C,
}

impl<'de, C: MemberCollector<'de>> Visitor<'de> for MembersVisitor<'_, C> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let mut count = 0;
        while let Some(MemberName(name)) = access.next_key()? {
            count += 1;
            if count > self.max_members {
                return Err(self.limits.limit_error(limits::FIELD_COUNT.with_value(self.max_members)));
            }
            match self.collector.select(name) {
                Some(key) => self.collector.add(key, access.next_value_seed(self.limits.value_seed(1))?),
                None => drop(access.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Parses a text as one JSON value. Returns `None` if the text is not JSON or exceeds the limits.
#[must_use]
pub fn value_from_json<'a>(text: &'a str, limits: &JsonLimits) -> Option<Value<'a>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = limits.value_seed(0).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}
