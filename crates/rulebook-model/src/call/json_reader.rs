//! Parses JSON text, with limits of nesting and of the number of items. The resulting values borrow from the text.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Limit, Value};
use crate::limits;

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

    /// Checks that an array or object that already has `items` items or members can have another one.
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
