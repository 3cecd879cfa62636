//! A deserializer that moves checked values into the fields of a handler's argument type, without intermediate JSON.
//!
//! The values come in slots: the plan assigns a slot to each parameter of a method, and the slot holds the parameter's
//! value, null, or the information that the request omits the parameter.

use std::cell::Cell;
use std::vec;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ArgsError;
use super::value_reader::ValueReader;
use crate::call::{ArgumentSlot, ArgumentSlots, Value};

/// A deserializer for a handler's argument type. `nullable_slots` has one item for each slot, or is empty: `true` if
/// the argument's field is an `Option<Option<_>>`.
pub(super) struct SlotsReader<'a, 'r> {
    slots: ArgumentSlots<'a, 'r>,
    nullable_slots: &'r [bool],
    failed_slot: Option<&'r Cell<Option<usize>>>,
}

impl<'a, 'r> SlotsReader<'a, 'r> {
    pub(super) fn new(slots: ArgumentSlots<'a, 'r>, nullable_slots: &'r [bool]) -> Self {
        Self { slots, nullable_slots, failed_slot: None }
    }

    /// If a field rejects the value of its slot, the deserializer stores the index of this slot in `failed_slot`.
    pub(super) fn with_failed_slot(self, failed_slot: &'r Cell<Option<usize>>) -> Self {
        Self { failed_slot: Some(failed_slot), ..self }
    }
}

impl<'de> Deserializer<'de> for SlotsReader<'_, '_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_map(SlotsMap {
            parameter_names: self.slots.names.iter(),
            slots: self.slots.values.into_iter(),
            nullable_slots: self.nullable_slots.iter(),
            next_value: None,
            slots_read: 0,
            failed_slot: self.failed_slot,
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

/// The slots as a map from parameter names to values. Parameters that the request omits are not in the map.
struct SlotsMap<'a, 'r> {
    parameter_names: std::slice::Iter<'r, Box<str>>,
    slots: vec::IntoIter<ArgumentSlot<'a>>,
    nullable_slots: std::slice::Iter<'r, bool>,
    /// The value that belongs to the key that was returned last.
    next_value: Option<ArgumentValue<'a>>,
    /// The number of slots that have been read so far.
    slots_read: usize,
    failed_slot: Option<&'r Cell<Option<usize>>>,
}

/// The value of a slot, as its field needs it.
enum ArgumentValue<'a> {
    Value(Value<'a>),
    /// Null for a field that does not distinguish null from an omitted argument.
    Null,
    /// Null for a field of type `Option<Option<_>>`.
    ExplicitNull,
}

impl<'de> MapAccess<'de> for SlotsMap<'_, '_> {
    type Error = ArgsError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ArgsError> {
        loop {
            let (Some(name), Some(slot)) = (self.parameter_names.next(), self.slots.next()) else {
                return Ok(None);
            };
            self.slots_read += 1;
            let is_nullable = self.nullable_slots.next().copied().unwrap_or(false);
            self.next_value = Some(match slot {
                ArgumentSlot::Absent => continue,
                ArgumentSlot::Null | ArgumentSlot::Value(Value::Null) if is_nullable => ArgumentValue::ExplicitNull,
                ArgumentSlot::Null | ArgumentSlot::Value(Value::Null) => ArgumentValue::Null,
                ArgumentSlot::Value(value) => ArgumentValue::Value(value),
            });
            return seed.deserialize(StrDeserializer::<ArgsError>::new(name)).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ArgsError> {
        let value = match self.next_value.take() {
            Some(ArgumentValue::Value(mut value)) => seed.deserialize(ValueReader(&mut value)),
            Some(ArgumentValue::ExplicitNull) => seed.deserialize(ExplicitNullReader),
            Some(ArgumentValue::Null) | None => seed.deserialize(ValueReader(&mut Value::Null)),
        };
        if let (Err(_), Some(failed_slot)) = (&value, self.failed_slot) {
            failed_slot.set(self.slots_read.checked_sub(1));
        }
        value
    }
}

/// Deserializes null into a field of type `Option<Option<_>>`, as `Some(None)`.
struct ExplicitNullReader;

impl<'de> Deserializer<'de> for ExplicitNullReader {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_some(ValueReader(&mut Value::Null))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
