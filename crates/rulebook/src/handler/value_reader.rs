//! A serde deserializer that reads the checked [`Value`] of a parameter.
//!
//! A type that is deserialized from a [`Value`] has the same content as if serde_json had deserialized it from the
//! corresponding JSON, with two exceptions: a number outside of the range of `f32` is an error instead of infinity, and
//! a file is passed as an [`Upload`].

use std::borrow::Cow;
use std::mem;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ArgsError;
use crate::call::{Upload, Value};

/// A deserializer for one [`Value`]. The value stays in its place; its strings are moved.
pub(super) struct ValueReader<'v, 'a>(pub(super) &'v mut Value<'a>);

impl<'de> Deserializer<'de> for ValueReader<'_, '_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(bool) => visitor.visit_bool(*bool),
            Value::Int(int) => visitor.visit_i64(*int),
            Value::Uint(uint) => visitor.visit_u64(*uint),
            Value::Float(float) => visitor.visit_f64(*float),
            Value::Text(Cow::Borrowed(text)) => visitor.visit_str(text),
            Value::Text(Cow::Owned(text)) => visitor.visit_string(mem::take(text)),
            Value::List(items) => visit_list(items, visitor),
            Value::Map(members) => visitor.visit_map(read_map(members)),
            // A type that accepts any JSON value gets a description of the file. The type `Upload` never gets to this
            // arm, because it calls `deserialize_newtype_struct`.
            Value::File(upload) => visitor.visit_map(read_map(&mut [
                (Cow::Borrowed("filename"), Value::Text(Cow::Borrowed(upload.filename()))),
                (Cow::Borrowed("size"), i64::try_from(upload.size()).map_or(Value::Null, Value::Int)),
                (Cow::Borrowed("media_type"), Value::Text(Cow::Borrowed(upload.media_type()))),
            ])),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        match self.0 {
            Value::Float(float) if float.abs() > f64::from(f32::MAX) => {
                Err(ArgsError::custom(format_args!("invalid value: {float:e} is too large, expected f32")))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        match self.0 {
            Value::File(upload) if name == Upload::NEWTYPE_NAME => upload.clone().deserialize_into(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        match self.0 {
            Value::Text(text) => visitor.visit_enum(StrDeserializer::<ArgsError>::new(text)),
            Value::Map(members) if members.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(read_map(members)))
            }
            Value::Map(_) => {
                Err(ArgsError::custom("invalid value: an object of several members, expected one variant"))
            }
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ArgsError> for ValueReader<'_, '_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Passes the items of a list to `visitor`. Fails if the visitor does not read all items: a tuple may have fewer fields
/// than the list has items.
fn visit_list<'de, V: Visitor<'de>>(items: &mut [Value<'_>], visitor: V) -> Result<V::Value, ArgsError> {
    let mut reader = SeqDeserializer::new(items.iter_mut().map(ValueReader));
    let value = visitor.visit_seq(&mut reader)?;
    reader.end().map(|()| value)
}

/// Returns the members of an object as a map for a visitor.
fn read_map<'de>(members: &mut [(Cow<'_, str>, Value<'_>)]) -> impl MapAccess<'de, Error = ArgsError> {
    MapDeserializer::new(members.iter_mut().map(|(name, value)| (MemberNameReader(name), ValueReader(value))))
}

/// A deserializer for the name of a JSON object's member. The name is always a string in JSON, but the target type may
/// need a number or boolean: for example, the keys of a `HashMap<u32, _>`.
struct MemberNameReader<'a>(&'a str);

impl MemberNameReader<'_> {
    /// Passes the name to `visitor` as an integer if it is written like an integer in JSON; otherwise as a string.
    fn visit_integer<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        match (self.0.parse::<i64>(), self.0.parse::<u64>()) {
            (Ok(int), _) if int.to_string() == self.0 => visitor.visit_i64(int),
            (_, Ok(uint)) if uint.to_string() == self.0 => visitor.visit_u64(uint),
            _ => visitor.visit_str(self.0),
        }
    }
}

impl<'de> IntoDeserializer<'de, ArgsError> for MemberNameReader<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for MemberNameReader<'_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        match self.0.parse() {
            Ok(bool) => visitor.visit_bool(bool),
            Err(_) => visitor.visit_str(self.0),
        }
    }

    fn deserialize_i8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_i16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_i32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.visit_integer(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        visitor.visit_enum(StrDeserializer::<ArgsError>::new(self.0))
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}
