//! Parses JSON text, with limits of nesting and of the number of items. The resulting values borrow from the text.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::iter;
use std::mem;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Limit, Value};
use crate::limits;

/// The limits for parsing one JSON text. If the text exceeds a limit, the parser stores that limit here.
#[derive(Debug)]
pub struct JsonLimits {
    max_nesting: u64,
    max_items: u64,
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
        Self { max_nesting, max_items, exceeded: Cell::new(None) }
    }

    /// Returns the limit that the text exceeded, or `None` if parsing failed for another reason.
    #[must_use]
    pub fn take_exceeded(&self) -> Option<Limit> {
        self.exceeded.take()
    }

    /// Stores the exceeded limit and returns an error for serde, which ends the parsing.
    pub fn limit_error<E: Error>(&self, limit: Limit) -> E {
        self.exceeded.set(Some(limit));
        E::custom(format_args!("more than {} {}", limit.max, limit.unit.as_str()))
    }

    /// Returns the [`DeserializeSeed`] that parses a value at a nesting `level`: the number of arrays and objects
    /// around the value, 0 for the outermost value.
    #[must_use]
    pub fn value_seed(&self, level: u64) -> JsonValueSeed<'_> {
        JsonValueSeed { limits: self, level }
    }

    /// Returns the [`DeserializeSeed`] that does the same as [`value_seed`](Self::value_seed), and stores the value in
    /// a place that contains [`Value::Null`]. This is faster if the value is not moved afterwards.
    fn place_seed<'v, 'de>(&'v self, level: u64, place: &'v mut Value<'de>) -> JsonPlaceSeed<'v, 'de> {
        JsonPlaceSeed { limits: self, level, place }
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

impl<'de> DeserializeSeed<'de> for JsonValueSeed<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        let mut value = Value::Null;
        self.limits.place_seed(self.level, &mut value).deserialize(deserializer)?;
        Ok(value)
    }
}

/// The capacity of an object when its first member is parsed.
const INITIAL_MEMBERS: usize = 4;

/// Parses one JSON value into its place, because moving each value of a large text there takes time.
struct JsonPlaceSeed<'v, 'de> {
    limits: &'v JsonLimits,
    level: u64,
    place: &'v mut Value<'de>,
}

impl<'de> JsonPlaceSeed<'_, 'de> {
    fn store<E>(self, value: Value<'de>) -> Result<(), E> {
        store(self.place, value);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for JsonPlaceSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

// Some functions are not inlined for the reason that `store_text` describes.
impl<'de> Visitor<'de> for JsonPlaceSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.store(Value::Null)
    }

    #[inline(never)]
    fn visit_bool<E: Error>(self, bool: bool) -> Result<(), E> {
        self.store(Value::Bool(bool))
    }

    fn visit_i64<E: Error>(self, int: i64) -> Result<(), E> {
        self.store(Value::Int(int))
    }

    #[inline(never)]
    fn visit_u64<E: Error>(self, uint: u64) -> Result<(), E> {
        self.store(i64::try_from(uint).map_or(Value::Uint(uint), Value::Int))
    }

    #[inline(never)]
    fn visit_f64<E: Error>(self, float: f64) -> Result<(), E> {
        self.store(Value::Float(float))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        store_text(self.place, text);
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.store(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<(), E> {
        self.store(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let level = self.limits.nested_level(self.level)?;
        let mut items = Vec::new();
        let mut item = Value::Null;
        while access.next_element_seed(self.limits.place_seed(level, &mut item))?.is_some() {
            self.limits.check_item_count(items.len())?;
            items.push(mem::replace(&mut item, Value::Null));
        }
        self.store(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let level = self.limits.nested_level(self.level)?;
        let mut next_key = access.next_key_seed(MemberNameSeed)?;
        let mut members = Vec::with_capacity(if next_key.is_some() { INITIAL_MEMBERS } else { 0 });
        while let Some(key) = next_key {
            self.limits.check_item_count(members.len())?;
            match key {
                Cow::Borrowed(name) => add_member(&mut members, name),
                Cow::Owned(name) => members.push((Cow::Owned(name), Value::Null)),
            }
            if let Some((_, place)) = members.last_mut() {
                access.next_value_seed(self.limits.place_seed(level, place))?;
            }
            next_key = access.next_key_seed(MemberNameSeed)?;
        }
        store_members(self.place, members);
        Ok(())
    }
}

/// Stores a value in a place that contains null, so that nothing has to be dropped.
#[inline(always)]
fn store<'de>(place: &mut Value<'de>, value: Value<'de>) {
    mem::forget(mem::replace(place, value));
}

/// Stores a text. This is not inlined, so that pointer and length reach their place from registers: a processor waits
/// when it reads a whole value from the stack to which it has just written the parts.
#[inline(never)]
fn store_text<'de>(place: &mut Value<'de>, text: &'de str) {
    store(place, Value::Text(Cow::Borrowed(text)));
}

/// Stores an object; not inlined for the same reason.
#[inline(never)]
fn store_members<'de>(place: &mut Value<'de>, members: Vec<(Cow<'de, str>, Value<'de>)>) {
    store(place, Value::Map(members));
}

/// Adds a member whose value is null to an object. The member is created in its place, unlike one that is passed to
/// `push`, for the same reason.
fn add_member<'de>(members: &mut Vec<(Cow<'de, str>, Value<'de>)>, name: &'de str) {
    members.extend(iter::once(name).map(|name| (Cow::Borrowed(name), Value::Null)));
}

/// Parses the name of an object member. The name is borrowed from the text if it has no escape sequences.
#[derive(Debug, Clone, Copy)]
pub struct MemberNameSeed;

impl<'de> DeserializeSeed<'de> for MemberNameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for MemberNameSeed {
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

/// Parses a text as one JSON value. Returns `None` if the text is not JSON or exceeds the limits.
#[must_use]
pub fn value_from_json<'a>(text: &'a str, limits: &JsonLimits) -> Option<Value<'a>> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = limits.value_seed(0).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(value)
}
