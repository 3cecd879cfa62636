//! Slots as the fields of a handler's argument type.
//!
//! Values move from the slots into the type: no text and no tree in between.

use std::cell::Cell;
use std::vec;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Misread;
use super::value::ValueReader;
use crate::call::{Slot, Slots, Value};

/// Reads a type from slots. `nullable` is as long as they are, or empty.
pub(super) struct SlotsReader<'a> {
    slots: Slots<'a>,
    nullable: &'a [bool],
    at: Option<&'a Cell<Option<usize>>>,
}

impl<'a> SlotsReader<'a> {
    pub(super) fn new(slots: Slots<'a>, nullable: &'a [bool]) -> Self {
        Self { slots, nullable, at: None }
    }

    /// Puts the index of the slot whose value cannot be read into `at`.
    pub(super) fn watched(self, at: &'a Cell<Option<usize>>) -> Self {
        Self { at: Some(at), ..self }
    }
}

impl<'de> Deserializer<'de> for SlotsReader<'_> {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_map(SlotsMap {
            names: self.slots.names.iter(),
            values: self.slots.values.into_iter(),
            nullable: self.nullable.iter(),
            next: None,
            read: 0,
            at: self.at,
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct SlotsMap<'a> {
    names: std::slice::Iter<'a, Box<str>>,
    values: vec::IntoIter<Slot<'a>>,
    nullable: std::slice::Iter<'a, bool>,
    next: Option<Given<'a>>,
    /// How many slots have been taken out.
    read: usize,
    at: Option<&'a Cell<Option<usize>>>,
}

/// What a slot gives to its field.
enum Given<'a> {
    Value(Value<'a>),
    /// Null; `told` where the field tells it from absent.
    Null {
        told: bool,
    },
}

impl<'de> MapAccess<'de> for SlotsMap<'_> {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misread> {
        loop {
            let (Some(name), Some(slot)) = (self.names.next(), self.values.next()) else {
                return Ok(None);
            };
            self.read += 1;
            let told = self.nullable.next().copied().unwrap_or(false);
            self.next = Some(match slot {
                Slot::Absent => continue,
                Slot::Null | Slot::Value(Value::Null) => Given::Null { told },
                Slot::Value(value) => Given::Value(value),
            });
            return seed.deserialize(StrDeserializer::<Misread>::new(name)).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misread> {
        let value = match self.next.take() {
            Some(Given::Value(value)) => seed.deserialize(ValueReader(value)),
            Some(Given::Null { told: true }) => seed.deserialize(NullReader),
            Some(Given::Null { told: false }) | None => seed.deserialize(ValueReader(Value::Null)),
        };
        if let (Err(_), Some(at)) = (&value, self.at) {
            at.set(self.read.checked_sub(1));
        }
        value
    }
}

/// Null for a field that tells it from absent: the outer option is there, the inner one is not.
struct NullReader;

impl<'de> Deserializer<'de> for NullReader {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_some(ValueReader(Value::Null))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
