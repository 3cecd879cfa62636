//! A deserializer that moves the values of slots into the fields of the argument type of a handler, without
//! intermediate JSON.

use std::cell::Cell;
use std::vec;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ArgsError;
use super::value_reader::ValueReader;
use crate::call::{ArgumentSlot, ArgumentSlots, Value};

/// Deserializes an argument type from slots. `nullable` has one item for each slot, or is empty.
pub(super) struct SlotsReader<'a> {
    slots: ArgumentSlots<'a>,
    nullable: &'a [bool],
    failed: Option<&'a Cell<Option<usize>>>,
}

impl<'a> SlotsReader<'a> {
    pub(super) fn new(slots: ArgumentSlots<'a>, nullable: &'a [bool]) -> Self {
        Self { slots, nullable, failed: None }
    }

    /// Stores the index of the slot in `failed` if a field does not accept the value of the slot.
    pub(super) fn with_failed_slot(self, failed: &'a Cell<Option<usize>>) -> Self {
        Self { failed: Some(failed), ..self }
    }
}

impl<'de> Deserializer<'de> for SlotsReader<'_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_map(SlotsMap {
            names: self.slots.names.iter(),
            values: self.slots.values.into_iter(),
            nullable: self.nullable.iter(),
            next: None,
            read: 0,
            failed: self.failed,
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The slots as a map from names to values, without missing arguments.
struct SlotsMap<'a> {
    names: std::slice::Iter<'a, Box<str>>,
    values: vec::IntoIter<ArgumentSlot<'a>>,
    nullable: std::slice::Iter<'a, bool>,
    /// The value that belongs to the key that was read last.
    next: Option<FieldValue<'a>>,
    /// The number of slots that have been read.
    read: usize,
    failed: Option<&'a Cell<Option<usize>>>,
}

/// The value of a slot for its field.
enum FieldValue<'a> {
    Value(Value<'a>),
    /// Null for a field that does not distinguish it from a missing argument.
    Null,
    /// Null for a field of type `Option<Option<_>>`.
    ExplicitNull,
}

impl<'de> MapAccess<'de> for SlotsMap<'_> {
    type Error = ArgsError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ArgsError> {
        loop {
            let (Some(name), Some(slot)) = (self.names.next(), self.values.next()) else {
                return Ok(None);
            };
            self.read += 1;
            let is_nullable = self.nullable.next().copied().unwrap_or(false);
            self.next = Some(match slot {
                ArgumentSlot::Absent => continue,
                ArgumentSlot::Null | ArgumentSlot::Value(Value::Null) if is_nullable => FieldValue::ExplicitNull,
                ArgumentSlot::Null | ArgumentSlot::Value(Value::Null) => FieldValue::Null,
                ArgumentSlot::Value(value) => FieldValue::Value(value),
            });
            return seed.deserialize(StrDeserializer::<ArgsError>::new(name)).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ArgsError> {
        let value = match self.next.take() {
            Some(FieldValue::Value(value)) => seed.deserialize(ValueReader(value)),
            Some(FieldValue::ExplicitNull) => seed.deserialize(NullReader),
            Some(FieldValue::Null) | None => seed.deserialize(ValueReader(Value::Null)),
        };
        if let (Err(_), Some(failed)) = (&value, self.failed) {
            failed.set(self.read.checked_sub(1));
        }
        value
    }
}

/// Null for a field of type `Option<Option<_>>`: the outer option is `Some`, the inner one `None`.
struct NullReader;

impl<'de> Deserializer<'de> for NullReader {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_some(ValueReader(Value::Null))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
