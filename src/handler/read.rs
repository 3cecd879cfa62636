//! Slots as the fields of a handler's argument type.
//!
//! Values move from the slots into the type: no text and no tree in between.

use std::borrow::Cow;
use std::cell::Cell;
use std::vec;

use serde::de::value::{Error, MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::call::{Slot, Slots, Upload, Value};

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

    /// Keeps the index of the slot that is being read in `at`.
    pub(super) fn watched(self, at: &'a Cell<Option<usize>>) -> Self {
        Self { at: Some(at), ..self }
    }
}

impl<'de> Deserializer<'de> for SlotsReader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(SlotsMap {
            names: self.slots.names.iter(),
            values: self.slots.values.into_iter(),
            nullable: self.nullable.iter(),
            next: None,
            index: 0,
            at: self.at,
        })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
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
    index: usize,
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
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        loop {
            let (Some(name), Some(slot)) = (self.names.next(), self.values.next()) else {
                return Ok(None);
            };
            let told = self.nullable.next().copied().unwrap_or(false);
            self.next = Some(match slot {
                Slot::Absent => continue,
                Slot::Null => Given::Null { told },
                Slot::Value(value) => Given::Value(value),
            });
            let key: StrDeserializer<'_, Error> = (&**name).into_deserializer();
            return seed.deserialize(key).map(Some);
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        if let Some(at) = self.at {
            at.set(Some(self.index - 1));
        }
        match self.next.take() {
            Some(Given::Value(value)) => seed.deserialize(ValueReader(value)),
            Some(Given::Null { told: true }) => seed.deserialize(NullReader),
            Some(Given::Null { told: false }) | None => seed.deserialize(ValueReader(Value::Null)),
        }
    }
}

/// Null for a field that tells it from absent: the outer option is there, the inner one is not.
struct NullReader;

impl<'de> Deserializer<'de> for NullReader {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(ValueReader(Value::Null))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Reads a type from a value.
pub(super) struct ValueReader<'a>(pub(super) Value<'a>);

impl<'a> IntoDeserializer<'_, Error> for ValueReader<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Int(int) => visitor.visit_i64(int),
            Value::Uint(uint) => visitor.visit_u64(uint),
            Value::Float(float) => visitor.visit_f64(float),
            Value::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            Value::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Value::List(items) => visitor.visit_seq(ListReader(items.into_iter())),
            Value::Map(members) => visitor.visit_map(MapReader { members: members.into_iter(), value: None }),
            // For types that take any value: what is known of the file. A handle is asked for by its name.
            Value::File(upload) => visitor.visit_map(MapReader {
                members: vec![
                    (Cow::Borrowed("filename"), Value::Text(Cow::Owned(upload.filename().to_owned()))),
                    (Cow::Borrowed("size"), i64::try_from(upload.size()).map_or(Value::Null, Value::Int)),
                    (Cow::Borrowed("media_type"), Value::Text(Cow::Owned(upload.media_type().to_owned()))),
                ]
                .into_iter(),
                value: None,
            }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::File(upload) if name == Upload::NEWTYPE => upload.hand_over(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(StrDeserializer::<Error>::new(&text)),
            Value::Map(members) => {
                let map = MapReader { members: members.into_iter(), value: None };
                visitor.visit_enum(MapAccessDeserializer::new(map))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

struct ListReader<'a>(vec::IntoIter<Value<'a>>);

impl<'de> SeqAccess<'de> for ListReader<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next().map(|value| seed.deserialize(ValueReader(value))).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

struct MapReader<'a> {
    members: vec::IntoIter<(Cow<'a, str>, Value<'a>)>,
    value: Option<Value<'a>>,
}

impl<'de> MapAccess<'de> for MapReader<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(ValueReader(Value::Text(key))).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(ValueReader(self.value.take().unwrap_or(Value::Null)))
    }
}
