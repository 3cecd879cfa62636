//! Finds the fields of the argument type of a handler with a deserializer that has no data, but records what the type
//! requests.

use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::ArgsError;

/// The fields of an argument type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// The names of the fields; `None` if the type accepts any names, as a map does.
    pub names: Option<Vec<&'static str>>,
    /// The fields of type `Option<Option<_>>`, which distinguish null from a missing argument.
    pub nullable: Vec<&'static str>,
}

/// Returns the fields of `T`: the names that it requests from a deserializer, and for each field whether its type is an
/// option in an option.
pub(super) fn fields<T: DeserializeOwned>() -> Fields {
    let recorded = RefCell::new(Fields::default());
    // Always fails, because the probe has no data.
    let _ = T::deserialize(Probe { recorded: &recorded, field: None });
    let names = recorded.borrow().names.clone();
    for name in names.iter().flatten() {
        let _ = T::deserialize(Probe { recorded: &recorded, field: Some(name) });
    }
    recorded.into_inner()
}

/// A deserializer that records the fields that a type requests.
struct Probe<'s> {
    recorded: &'s RefCell<Fields>,
    /// The field to examine; `None` to record only the names.
    field: Option<&'static str>,
}

/// Returns the error that ends the deserialization once the probe has recorded enough.
fn done() -> ArgsError {
    ArgsError::custom("probe is done")
}

impl<'de> Deserializer<'de> for Probe<'_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ArgsError> {
        Err(done())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        self.recorded.borrow_mut().names = Some(fields.to_vec());
        visitor.visit_map(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.recorded.borrow_mut().names = Some(Vec::new());
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgsError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de> MapAccess<'de> for Probe<'_> {
    type Error = ArgsError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ArgsError> {
        match self.field {
            Some(name) => seed.deserialize(StrDeserializer::<ArgsError>::new(name)).map(Some),
            None => Err(done()),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ArgsError> {
        let field = self.field.ok_or_else(done)?;
        seed.deserialize(FieldProbe { recorded: self.recorded, field, in_option: false })
    }
}

/// A deserializer for the value of one field, which records whether the type of the field is an option in an option.
struct FieldProbe<'s> {
    recorded: &'s RefCell<Fields>,
    field: &'static str,
    /// `true` inside of the outer option.
    in_option: bool,
}

impl<'de> Deserializer<'de> for FieldProbe<'_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ArgsError> {
        Err(done())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        if self.in_option {
            self.recorded.borrow_mut().nullable.push(self.field);
            return Err(done());
        }
        visitor.visit_some(Self { in_option: true, ..self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
