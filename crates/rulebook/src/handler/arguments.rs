//! [`Args`]: the checked arguments of a call, as the first parameter of a handler, and the deserializers that fill its
//! type from them.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::vec;

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;
use thiserror::Error;

use crate::call::{ArgumentSlot, ArgumentSlots, Upload, Value};

/// The checked arguments of a call, deserialized into a type `T` of the program. Each field of `T` has the name that
/// the definition gives the parameter in code.
///
/// A parameter that is required or has a default value needs a field of a plain type, such as `String`. An optional
/// parameter needs an `Option`. A field of type `Option<Option<_>>` distinguishes a parameter that the request omits
/// (`None`) from one with the value null (`Some(None)`). A file is an [`Upload`](crate::Upload).
///
/// `T` is any type that implements `serde::Deserialize`: a struct with nested structs and enums, a map, or `()` for a
/// handler that needs no arguments. When the engine is built, it tests that `T` accepts every value that the definition
/// allows. Fields with `#[serde(flatten)]` cannot distinguish an omitted parameter from null, and cannot contain files.
///
/// ```
/// use rulebook::{Args, Context, ApiError};
/// use serde::{Deserialize, Serialize};
///
/// /// "title": string(1,80), "lang": enum(en|fr) with a default, "tags": ?array<string>
/// #[derive(Deserialize)]
/// struct Draft {
///     title: String,
///     lang: Lang,
///     tags: Option<Vec<String>>,
/// }
///
/// #[derive(Deserialize, Serialize)]
/// #[serde(rename_all = "lowercase")]
/// enum Lang {
///     En,
///     Fr,
/// }
///
/// #[derive(Serialize)]
/// struct Saved {
///     title: String,
///     lang: Lang,
///     tags: usize,
/// }
///
/// async fn save(Args(draft): Args<Draft>, _: Context) -> Result<Saved, ApiError> {
///     Ok(Saved { title: draft.title, lang: draft.lang, tags: draft.tags.map_or(0, |tags| tags.len()) })
/// }
/// # let text = r#"{"/": {"draft": {"POST": {"info": "Saves a draft", "in": {
/// #     "title": {"info": "Its title", "type": "string(1,80)"},
/// #     "lang": {"info": "Its language", "type": "enum(en|fr)", "default": "en"},
/// #     "tags": {"info": "Its tags", "type": "?array<string>"}}}}}}"#;
/// # let files = vec![("article.json".into(), text.into())];
/// # let module = rulebook::Module::new("article").post("/draft", save);
/// # let engine = rulebook::Rulebook::read(files).module(module).build().unwrap();
/// # let call = engine.call("draft.post").arg("title", "Rules").send();
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # let outputs = runtime.block_on(call).outputs().unwrap();
/// # assert_eq!(outputs, serde_json::json!({"title": "Rules", "lang": "en", "tags": 0}));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Args<T>(pub T);

// A deserializer that moves checked values into the fields of a handler's argument type, without intermediate JSON.
//
// The values come in slots: the plan assigns a slot to each parameter of a method, and the slot holds the parameter's
// value, null, or the information that the request omits the parameter.

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

/// Parameters that the request omits are not in the map.
struct SlotsMap<'a, 'r> {
    parameter_names: std::slice::Iter<'r, Box<str>>,
    slots: vec::IntoIter<ArgumentSlot<'a>>,
    nullable_slots: std::slice::Iter<'r, bool>,
    /// The value that belongs to the key that was returned last.
    next_value: Option<ArgumentValue<'a>>,
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

// A serde deserializer that reads the checked [`Value`] of a parameter.
//
// A type that is deserialized from a [`Value`] has the same content as if serde_json had deserialized it from the
// corresponding JSON, with two exceptions: a number outside of the range of `f32` is an error instead of infinity, and
// a file is passed as an [`Upload`].

/// A deserializer for one [`Value`]. The value stays in its place; its strings are moved.
struct ValueReader<'v, 'a>(pub(super) &'v mut Value<'a>);

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

// Finds out which fields a handler's argument type has. It deserializes the type with a deserializer that has no data,
// but records which fields the type requests.

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArgumentFields {
    /// The names of the fields; `None` if the type accepts arguments with any names, as a map does.
    pub field_names: Option<Vec<&'static str>>,
    /// The names of the fields of type `Option<Option<_>>`, which distinguish null from an omitted argument.
    pub nullable_fields: Vec<&'static str>,
}

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
