//! What a handler's argument type looks like, found out by deserialising it from nothing.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Misread;

/// The fields of an argument type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// Their names; none where the type takes any (a map).
    pub names: Option<Vec<&'static str>>,
    /// Those that tell absent from null: `Option<Option<_>>`.
    pub nullable: Vec<&'static str>,
}

/// Finds the fields of `T` out: their names from what it asks a deserializer
/// for, and from each field's first questions whether it tells null from absent.
pub(super) fn fields<T: DeserializeOwned>() -> Fields {
    let seen = RefCell::new(Fields::default());
    // The error is the probe's own: it only asks.
    let _ = T::deserialize(Probe { seen: &seen, offer: None });
    let names = seen.borrow().names.clone();
    for name in names.iter().flatten() {
        let _ = T::deserialize(Probe { seen: &seen, offer: Some(name) });
    }
    seen.into_inner()
}

struct Probe<'s> {
    seen: &'s RefCell<Fields>,
    /// The field to look into; none: only the names are wanted.
    offer: Option<&'static str>,
}

fn enough() -> Misread {
    Misread::custom("seen enough")
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misread> {
        Err(enough())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misread> {
        self.seen.borrow_mut().names = Some(fields.to_vec());
        visitor.visit_map(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        self.seen.borrow_mut().names = Some(Vec::new());
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misread> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Probe<'_> {
    type Error = Misread;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misread> {
        match self.offer {
            Some(name) => seed.deserialize(StrDeserializer::<Misread>::new(name)).map(Some),
            None => Err(enough()),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misread> {
        let field = self.offer.ok_or_else(enough)?;
        seed.deserialize(FieldProbe { seen: self.seen, field, inside: false })
    }
}

struct FieldProbe<'s> {
    seen: &'s RefCell<Fields>,
    field: &'static str,
    /// Whether one option has been opened already.
    inside: bool,
}

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = Misread;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misread> {
        Err(enough())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misread> {
        if self.inside {
            self.seen.borrow_mut().nullable.push(self.field);
            return Err(enough());
        }
        visitor.visit_some(Self { inside: true, ..self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
