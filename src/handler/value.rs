//! Values as whatever a handler's argument type asks for.
//!
//! What comes out is what reading the same JSON would give, with two
//! exceptions: a number that an `f32` cannot hold is refused, where serde would
//! make it infinite, and files are handed over as they are.

use std::borrow::Cow;
use std::vec;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Misread;
use crate::call::{Upload, Value};

/// Reads a type from a value.
pub(super) struct ValueReader<'a>(pub(super) Value<'a>);

impl<'de> Deserializer<'de> for ValueReader<'_> {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(bool),
            Value::Int(int) => visitor.visit_i64(int),
            Value::Uint(uint) => visitor.visit_u64(uint),
            Value::Float(float) => visitor.visit_f64(float),
            Value::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            Value::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Value::List(items) => list(items, visitor),
            Value::Map(members) => visitor.visit_map(MapReader::new(members)),
            // For types that take any value: what is known of the file. A handle is asked for by its name.
            Value::File(upload) => visitor.visit_map(MapReader::new(vec![
                (Cow::Borrowed("filename"), Value::Text(Cow::Owned(upload.filename().to_owned()))),
                (Cow::Borrowed("size"), i64::try_from(upload.size()).map_or(Value::Null, Value::Int)),
                (Cow::Borrowed("media_type"), Value::Text(Cow::Owned(upload.media_type().to_owned()))),
            ])),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self.0 {
            Value::Float(float) if float.abs() > f64::from(f32::MAX) => {
                Err(Misread::custom(format_args!("invalid value: {float:e} is too large, expected f32")))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Misread> {
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
    ) -> Result<V::Value, Misread> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(StrDeserializer::<Misread>::new(&text)),
            Value::Map(members) if members.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(MapReader::new(members)))
            }
            Value::Map(_) => Err(Misread::custom("invalid value: an object of several members, expected one variant")),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Reads a list. A type that stops before its end does not take it.
fn list<'de, V: Visitor<'de>>(items: Vec<Value<'_>>, visitor: V) -> Result<V::Value, Misread> {
    let length = items.len();
    let mut reader = ListReader(items.into_iter());
    let value = visitor.visit_seq(&mut reader)?;
    if reader.0.len() == 0 { Ok(value) } else { Err(Misread::invalid_length(length, &"fewer items")) }
}

struct ListReader<'a>(vec::IntoIter<Value<'a>>);

impl<'de> SeqAccess<'de> for ListReader<'_> {
    type Error = Misread;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misread> {
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

impl<'a> MapReader<'a> {
    fn new(members: Vec<(Cow<'a, str>, Value<'a>)>) -> Self {
        Self { members: members.into_iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for MapReader<'_> {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misread> {
        let Some((key, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(KeyReader(&key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misread> {
        seed.deserialize(ValueReader(self.value.take().unwrap_or(Value::Null)))
    }
}

/// Reads a type from a member's name: a text, or what JSON can only write as one, as in `HashMap<u32, _>`.
struct KeyReader<'a>(&'a str);

impl KeyReader<'_> {
    /// A whole number, as JSON would write it.
    fn whole<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match (self.0.parse::<i64>(), self.0.parse::<u64>()) {
            (Ok(int), _) if int.to_string() == self.0 => visitor.visit_i64(int),
            (_, Ok(uint)) if uint.to_string() == self.0 => visitor.visit_u64(uint),
            _ => visitor.visit_str(self.0),
        }
    }
}

impl<'de> Deserializer<'de> for KeyReader<'_> {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        match self.0.parse() {
            Ok(bool) => visitor.visit_bool(bool),
            Err(_) => visitor.visit_str(self.0),
        }
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.whole(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        visitor.visit_enum(StrDeserializer::<Misread>::new(self.0))
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}
