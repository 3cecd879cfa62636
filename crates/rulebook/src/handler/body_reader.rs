//! A deserializer that reads the arguments of a handler directly from a JSON body: each value is checked when it has
//! been parsed, and moved at once into its field of the argument type. A large body therefore needs no memory besides
//! its arguments, and is gone through only once.
//!
//! The deserializer has only one error: that it cannot read the arguments. It does not say why, and also fails if what
//! it would have to do is rare. The arguments are then read from the slots of parameters (see [`super::slots_reader`]),
//! which either succeeds or finds the errors for the response.

use std::fmt;
use std::iter::Enumerate;
use std::vec;

use rulebook_model::types::Parts;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::part_reader::{PartReader, Reading, unreadable};
use super::slots_reader::FieldValue;
use crate::call::{ArgumentSlot, JsonLimits, MemberNameSeed};
use crate::plan::{PlannedMethod, PlannedParameter};

/// The arguments of a call whose body is JSON, before the body is parsed.
pub struct BodyArguments<'a> {
    /// The API method.
    pub method: &'a PlannedMethod,
    /// The checked arguments outside of the body, one for each parameter. Those in the body are absent.
    pub outside: Vec<ArgumentSlot<'a>>,
    /// The text of the body.
    pub text: &'a str,
    /// The limits for parsing the body.
    pub limits: JsonLimits,
    /// The maximum number of members of the body.
    pub max_members: u64,
    /// `true` if members of the body that are not parameters are ignored.
    pub ignores_unknown: bool,
}

impl BodyArguments<'_> {
    /// The maximum number of parameters of an API method whose arguments are read in this way.
    pub const MAX_PARAMETERS: usize = 64;
}

/// A deserializer for a handler's argument type, which is a struct. `nullable` has one item for each parameter: `true`
/// if the argument's field is an `Option<Option<_>>`.
pub(super) struct BodyReader<'a, 'r> {
    arguments: BodyArguments<'a>,
    nullable: &'r [bool],
}

impl<'a, 'r> BodyReader<'a, 'r> {
    pub(super) fn new(arguments: BodyArguments<'a>, nullable: &'r [bool]) -> Self {
        Self { arguments, nullable }
    }
}

impl<'de> Deserializer<'de> for BodyReader<'de, '_> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(unreadable())
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_str(self.arguments.text);
        let arguments = json.deserialize_map(BodyVisitor { visitor, reader: self })?;
        json.end().map(|()| arguments)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Passes the arguments outside of the body, then the members of the body, then the defaults of omitted parameters to
/// the visitor of the argument type.
struct BodyVisitor<'a, 'r, V> {
    visitor: V,
    reader: BodyReader<'a, 'r>,
}

impl<'a, V: Visitor<'a>> Visitor<'a> for BodyVisitor<'a, '_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, members: A) -> Result<V::Value, A::Error> {
        let BodyReader { arguments, nullable } = self.reader;
        let BodyArguments { method, outside, limits, max_members, ignores_unknown, .. } = arguments;
        let reading = Reading::new(limits);
        let mut access = ArgumentsAccess {
            method,
            nullable,
            reading: &reading,
            max_members,
            ignores_unknown,
            outside: outside.into_iter().enumerate(),
            members: Some(members),
            omitted: method.body_slots.iter(),
            read: ReadMembers::default(),
            next_value: None,
            is_complete: false,
        };
        let value = self.visitor.visit_map(&mut access)?;
        if access.is_complete && !reading.has_failed() { Ok(value) } else { Err(unreadable()) }
    }
}

/// What has been read of the body.
#[derive(Default)]
struct ReadMembers {
    /// The number of members.
    count: u64,
    /// The bit of each slot that has a value from the body.
    slots: u64,
    /// The index in the slots of the body after that of the last member.
    next: usize,
}

/// The arguments as a map from the names of parameters to values.
struct ArgumentsAccess<'a, 'r, A> {
    method: &'a PlannedMethod,
    nullable: &'r [bool],
    reading: &'r Reading,
    max_members: u64,
    ignores_unknown: bool,
    outside: Enumerate<vec::IntoIter<ArgumentSlot<'a>>>,
    /// The members of the body; `None` if all have been read.
    members: Option<A>,
    /// The slots of the parameters in the body for which it is not known yet whether the body has omitted them.
    omitted: std::slice::Iter<'a, usize>,
    read: ReadMembers,
    /// The value that belongs to the key that was returned last.
    next_value: Option<NextValue<'a>>,
    /// `true` if all arguments have been read.
    is_complete: bool,
}

enum NextValue<'a> {
    /// The value of a parameter that is not a member of the body.
    Known(FieldValue<'a>),
    /// The value of the member of the body that has just begun, and its slot.
    Member(&'a PlannedParameter, usize),
}

impl<'a, A: MapAccess<'a>> ArgumentsAccess<'a, '_, A> {
    fn is_nullable(&self, slot: usize) -> bool {
        self.nullable.get(slot).copied().unwrap_or(false)
    }

    /// Returns the slot of the next argument, and stores its value or where the value is; `None` if there are no more.
    fn next_slot(&mut self) -> Result<Option<usize>, A::Error> {
        while let Some((slot, argument)) = self.outside.next() {
            if let Some(value) = FieldValue::new(argument, self.is_nullable(slot)) {
                self.next_value = Some(NextValue::Known(value));
                return Ok(Some(slot));
            }
        }
        if let Some(slot) = self.next_member()? {
            self.next_value = Some(NextValue::Member(&self.method.parameters[slot], slot));
            return Ok(Some(slot));
        }
        while let Some(&slot) = self.omitted.next() {
            if self.read.slots & (1 << slot) != 0 {
                continue;
            }
            let argument = self.method.parameters[slot].omitted().ok_or_else(unreadable)?;
            if let Some(value) = FieldValue::new(argument, self.is_nullable(slot)) {
                self.next_value = Some(NextValue::Known(value));
                return Ok(Some(slot));
            }
        }
        self.is_complete = true;
        Ok(None)
    }

    /// Returns the slot of the next member of the body that is a parameter; `None` if there are no more.
    fn next_member(&mut self) -> Result<Option<usize>, A::Error> {
        let Some(members) = &mut self.members else { return Ok(None) };
        while let Some(name) = members.next_key_seed(MemberNameSeed)? {
            self.read.count += 1;
            if self.read.count > self.max_members {
                return Err(unreadable());
            }
            match self.method.find_slot(&self.method.body_slots, &name, &mut self.read.next) {
                // The name occurs twice.
                Some(slot) if self.read.slots & (1 << slot) != 0 => return Err(unreadable()),
                Some(slot) => {
                    self.read.slots |= 1 << slot;
                    return Ok(Some(slot));
                }
                None if self.ignores_unknown => {
                    members.next_value::<IgnoredAny>()?;
                }
                None => return Err(unreadable()),
            }
        }
        self.members = None;
        Ok(None)
    }
}

impl<'a, A: MapAccess<'a>> MapAccess<'a> for ArgumentsAccess<'a, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let reading = self.reading;
        let Some(slot) = reading.note(self.next_slot())? else { return Ok(None) };
        seed.deserialize(StrDeserializer::new(&self.method.parameter_names[slot])).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match (self.next_value.take(), &mut self.members) {
            (Some(NextValue::Known(value)), _) => value.read(seed).map_err(A::Error::custom),
            (Some(NextValue::Member(parameter, slot)), Some(members)) => {
                let is_nullable = self.nullable.get(slot).copied().unwrap_or(false);
                let reading = self.reading;
                reading.note(members.next_value_seed(ParameterSeed { seed, parameter, is_nullable, reading }))
            }
            _ => Err(unreadable()),
        }
    }
}

/// Reads the value of a parameter, which is a member of the body.
struct ParameterSeed<'r, S> {
    seed: S,
    parameter: &'r PlannedParameter,
    is_nullable: bool,
    reading: &'r Reading,
}

/// The nesting level of the members of the body.
const MEMBER_LEVEL: u64 = 1;

impl<'a, S: DeserializeSeed<'a>> DeserializeSeed<'a> for ParameterSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<S::Value, D::Error> {
        let check = &*self.parameter.check;
        match check.parts() {
            Parts::Whole => {
                let value = self.reading.limits.value_seed(MEMBER_LEVEL).deserialize(json)?;
                let argument = self.parameter.check_value(value).map_err(|_| unreadable())?;
                let value = FieldValue::new(argument, self.is_nullable).ok_or_else(unreadable)?;
                value.read(self.seed).map_err(D::Error::custom)
            }
            parts => self.seed.deserialize(PartReader::new(json, check, parts, self.reading, MEMBER_LEVEL)),
        }
    }
}
