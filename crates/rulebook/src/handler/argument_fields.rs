//! Finds out which fields a handler's argument type has. It deserializes the type with a deserializer that has no data,
//! but records which fields the type requests.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, MapAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use thiserror::Error;

/// The fields of a handler's argument type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArgumentFields {
    /// The names of the fields; `None` if the type accepts arguments with any names, as a map does.
    pub field_names: Option<Vec<&'static str>>,
    /// The names of the fields of type `Option<Option<_>>`, which distinguish null from an omitted argument.
    pub nullable_fields: Vec<&'static str>,
}

/// Returns the fields that `T` requests from a deserializer.
pub(super) fn argument_fields<T: DeserializeOwned>() -> ArgumentFields {
    let recorded = RefCell::new(ArgumentFields::default());
    // Deserializing always fails, because the deserializer has no data. Only what it has recorded is used.
    let _ = T::deserialize(FieldsProbe { recorded: &recorded, field: None });
    let names = recorded.borrow().field_names.clone();
    for name in names.iter().flatten() {
        let _ = T::deserialize(FieldsProbe { recorded: &recorded, field: Some(name) });
    }
    recorded.into_inner()
}

/// A deserializer that records the names of the fields that a type requests, and then examines one field.
struct FieldsProbe<'s> {
    recorded: &'s RefCell<ArgumentFields>,
    /// The name of the field to examine; `None` to record only the names of all fields.
    field: Option<&'static str>,
}

/// Returns the error that ends the deserialization after everything has been recorded.
fn probe_end_error() -> ArgsError {
    ArgsError::custom("probe is done")
}

impl<'de> Deserializer<'de> for FieldsProbe<'_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ArgsError> {
        Err(probe_end_error())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ArgsError> {
        self.recorded.borrow_mut().field_names = Some(fields.to_vec());
        visitor.visit_map(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        self.recorded.borrow_mut().field_names = Some(Vec::new());
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

impl<'de> MapAccess<'de> for FieldsProbe<'_> {
    type Error = ArgsError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ArgsError> {
        match self.field {
            Some(name) => seed.deserialize(StrDeserializer::<ArgsError>::new(name)).map(Some),
            None => Err(probe_end_error()),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ArgsError> {
        let field = self.field.ok_or_else(probe_end_error)?;
        seed.deserialize(NestedOptionProbe { recorded: self.recorded, field, is_in_option: false })
    }
}

/// A deserializer for the value of one field, which records whether the field's type is `Option<Option<_>>`.
struct NestedOptionProbe<'s> {
    recorded: &'s RefCell<ArgumentFields>,
    field: &'static str,
    /// `true` if the outer option of the field has been read.
    is_in_option: bool,
}

impl<'de> Deserializer<'de> for NestedOptionProbe<'_> {
    type Error = ArgsError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ArgsError> {
        Err(probe_end_error())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ArgsError> {
        if self.is_in_option {
            self.recorded.borrow_mut().nullable_fields.push(self.field);
            return Err(probe_end_error());
        }
        visitor.visit_some(Self { is_in_option: true, ..self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// An error that occurred while a handler's arguments were deserialized.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArgsError {
    /// The argument type requires this field, but the definition has no parameter with its name.
    #[error("missing field `{0}`")]
    MissingField(&'static str),
    /// The argument type denies unknown fields, and has no field for this parameter.
    #[error("unknown field `{0}`")]
    UnknownField(String),
    /// Two parameters fill this field: for example, one by the field's name and one by its serde alias.
    #[error("duplicate field `{0}`")]
    DuplicateField(&'static str),
    /// The type of a field does not accept the value of an argument. The text is the error message of serde.
    #[error("{0}")]
    Other(String),
}

impl de::Error for ArgsError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            // serde's message would call the value `unit value`; in JSON, its name is null.
            Unexpected::Unit => Self::custom(format_args!("invalid type: null, expected {expected}")),
            _ => Self::custom(format_args!("invalid type: {unexpected}, expected {expected}")),
        }
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownField(field.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::MissingField(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::DuplicateField(field)
    }
}
