//! A deserializer for an array or object in a JSON text whose type can be checked in parts: each item or member is
//! checked when it has been parsed, before it is passed on.
//!
//! What is read is the same as if the whole value were parsed, checked and then read by [`ValueReader`]; an error does
//! not say what is wrong.

mod items;
mod members;

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::mem;

use rulebook_model::types::{Check, Parts, keep_last_members_within};
use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};
use serde::forward_to_deserialize_any;

use self::items::ItemsVisitor;
use self::members::MembersVisitor;
use super::value_reader::ValueReader;
use crate::call::{JsonLimits, Value};

/// Returns the only error of readers that do not say what is wrong.
#[cold]
pub(in crate::handler) fn unreadable<E: Error>() -> E {
    E::custom("the arguments cannot be read directly")
}

/// What all readers of the parts of one text share.
#[derive(Debug)]
pub(in crate::handler) struct Reading {
    pub(in crate::handler) limits: JsonLimits,
    has_failed: Cell<bool>,
}

impl Reading {
    pub(in crate::handler) fn new(limits: JsonLimits) -> Self {
        Self { limits, has_failed: Cell::new(false) }
    }

    /// Returns a result, and remembers whether it is an error: the target type could ignore the error of an invalid
    /// value.
    #[inline]
    pub(in crate::handler) fn note<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            self.has_failed.set(true);
        }
        result
    }

    /// Returns `true` if any part was invalid.
    pub(in crate::handler) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }
}

/// A deserializer for an array or object that is checked in parts.
pub(in crate::handler) struct PartReader<'r, D> {
    json: D,
    check: &'r dyn Check,
    parts: Parts<'r>,
    /// `true` if the value may also be null.
    is_optional: bool,
    reading: &'r Reading,
    /// The number of arrays and objects around the value.
    level: u64,
}

impl<'r, D> PartReader<'r, D> {
    /// Creates the deserializer of a value whose parts are those of `check`.
    pub(in crate::handler) fn new(
        json: D,
        check: &'r dyn Check,
        parts: Parts<'r>,
        reading: &'r Reading,
        level: u64,
    ) -> Self {
        Self { json, check, parts, is_optional: false, reading, level }
    }
}

impl<'de, D: Deserializer<'de>> PartReader<'_, D> {
    /// Parses and checks the whole value.
    fn whole(self) -> Result<Value<'de>, D::Error> {
        let mut value = Value::Null;
        read_whole(self.json, Some(self.check), self.is_optional, (&self.reading.limits, self.level), &mut value)?;
        Ok(value)
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for PartReader<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let reading = self.reading;
        let result = match self.parts {
            Parts::Items(items) => reading
                .limits
                .nested_level(self.level)
                .and_then(|level| self.json.deserialize_seq(ItemsVisitor { visitor, items, reading, level })),
            Parts::Members(members) => reading
                .limits
                .nested_level(self.level)
                .and_then(|level| self.json.deserialize_map(MembersVisitor { visitor, members, reading, level })),
            Parts::Whole => self
                .whole()
                .and_then(|mut value| ValueReader(&mut value).deserialize_any(visitor).map_err(D::Error::custom)),
        };
        reading.note(result)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { json, check, parts, is_optional, reading, level } = self;
        let visitor = OptionVisitor { visitor, check, parts, is_optional, reading, level };
        reading.note(json.deserialize_option(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let mut value = self.reading.note(self.whole())?;
        ValueReader(&mut value).deserialize_enum(name, variants, visitor).map_err(D::Error::custom)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Passes null, or an array or object that is checked in parts, to the visitor of an `Option`.
struct OptionVisitor<'r, V> {
    visitor: V,
    check: &'r dyn Check,
    parts: Parts<'r>,
    is_optional: bool,
    reading: &'r Reading,
    level: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OptionVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        if self.is_optional { self.visitor.visit_none() } else { Err(unreadable()) }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(PartReader::new(json, self.check, self.parts, self.reading, self.level))
    }
}

/// Reads an item or a member.
struct PartSeed<'r, S> {
    seed: S,
    /// The check of the value; `None` if any value is valid.
    check: Option<&'r dyn Check>,
    /// How the value is checked in parts.
    parts: Parts<'r>,
    /// `true` if the value may also be null.
    is_optional: bool,
    reading: &'r Reading,
    level: u64,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for PartSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        let Self { seed, check, parts, is_optional, reading, level } = self;
        if let (Some(check), Parts::Items(_) | Parts::Members(_)) = (check, parts) {
            return seed.deserialize(PartReader { json, check, parts, is_optional, reading, level });
        }
        let mut value = Value::Null;
        read_whole(json, check, is_optional, (&reading.limits, level), &mut value)?;
        let result = seed.deserialize(ValueReader(&mut value)).map_err(D::Error::custom);
        if owns_no_memory(&value) {
            mem::forget(value);
        }
        result
    }
}

/// Returns `true` for most values of a request. Nothing has to be dropped then, which the function that drops values
/// would find out with every call.
#[inline]
fn owns_no_memory(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Uint(_) | Value::Float(_) | Value::Text(Cow::Borrowed(_))
    )
}

/// Parses a value into `place`, which contains null, and checks it as a whole. `seed` does the parsing. This is not
/// inlined, so that the code for each target type is small, and the value is not moved: a processor waits when it moves
/// what it has just written.
#[inline(never)]
fn read_whole<'de, D: Deserializer<'de>>(
    json: D,
    check: Option<&dyn Check>,
    is_optional: bool,
    (limits, level): (&JsonLimits, u64),
    place: &mut Value<'de>,
) -> Result<(), D::Error> {
    limits.place_seed(level, place).deserialize(json)?;
    match check {
        Some(_) if is_optional && matches!(place, Value::Null) => Ok(()),
        Some(check) => check.check(place).map_err(|_| unreadable()),
        None => {
            keep_last_members_within(place);
            Ok(())
        }
    }
}
