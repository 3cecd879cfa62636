//! Parses JSON text under limits. The resulting values borrow from the text.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Limit, Value};
use crate::limits;

/// The limits for parsing one JSON text. After parsing they contain the limit that the text exceeded, if any.
#[derive(Debug)]
pub struct JsonLimits {
    nesting: u64,
    items: u64,
    exceeded: Cell<Option<Limit>>,
}

impl JsonLimits {
    /// The maximum nesting limit: one level less than the limit of serde_json, so that this limit is exceeded first.
    pub const MAX_NESTING: u64 = 126;

    /// Creates limits of `nesting` levels of arrays and objects, and of `items` items or members in each.
    #[must_use]
    pub fn new(nesting: u64, items: u64) -> Self {
        Self { nesting, items, exceeded: Cell::new(None) }
    }

    /// Returns the limit that the text exceeded, or `None` if parsing failed for another reason.
    #[must_use]
    pub fn take_exceeded(&self) -> Option<Limit> {
        self.exceeded.take()
    }

    /// Stores the exceeded limit and returns an error, which ends the parsing.
    pub fn exceed<E: Error>(&self, limit: Limit) -> E {
        self.exceeded.set(Some(limit));
        E::custom(format_args!("more than {} {}", limit.max, limit.unit.as_str()))
    }

    /// Returns the seed for parsing a value within `level` arrays and objects; the outermost value has the level 0.
    #[must_use]
    pub fn seed(&self, level: u64) -> JsonSeed<'_> {
        JsonSeed { limits: self, level }
    }
}

/// Parses one value. Texts without escape sequences are borrowed.
#[derive(Debug, Clone, Copy)]
pub struct JsonSeed<'l> {
    limits: &'l JsonLimits,
    level: u64,
}

impl JsonSeed<'_> {
    /// Returns the seed for the items of an array or the members of an object.
    fn nested_seed<E: Error>(self) -> Result<Self, E> {
        let level = self.level + 1;
        if level > self.limits.nesting {
            return Err(self.limits.exceed(limits::NESTING_DEPTH.with_value(self.limits.nesting)));
        }
        Ok(Self { level, ..self })
    }

    fn check_count<E: Error>(self, items: usize) -> Result<(), E> {
        if items as u64 >= self.limits.items {
            return Err(self.limits.exceed(limits::ITEM_COUNT.with_value(self.limits.items)));
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for JsonSeed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for JsonSeed<'_> {
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

    fn visit_string<E: Error>(self, text: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let inner = self.nested_seed()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            self.check_count(items.len())?;
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value<'de>, A::Error> {
        let inner = self.nested_seed()?;
        let mut members = Vec::new();
        while let Some(key) = access.next_key_seed(MemberName)? {
            self.check_count(members.len())?;
            members.push((key, access.next_value_seed(inner)?));
        }
        Ok(Value::Map(members))
    }
}

/// Parses the name of a member, which is borrowed if it has no escape sequences.
#[derive(Debug, Clone, Copy)]
pub struct MemberName;

impl<'de> DeserializeSeed<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for MemberName {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Parses a text as one value. Returns `None` if the text is not JSON or exceeds the limits.
#[must_use]
pub fn value_from_json<'a>(text: &'a str, limits: &JsonLimits) -> Option<Value<'a>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = limits.seed(0).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}
