//! A deserializer for an array or object in a JSON text whose type can be checked in parts: each item or member is
//! checked when it has been parsed, before it is passed on.
//!
//! What is read is the same as if the whole value were parsed, checked and then read by [`ValueReader`]; an error does
//! not say what is wrong.

use std::borrow::Cow;
use std::fmt;

use rulebook_model::types::{Check, ItemParts, KnownMember, KnownMembers, Parts};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::value_reader::{MemberNameReader, ValueReader};
use crate::call::{JsonLimits, Value};

/// Returns the only error of readers that do not say what is wrong.
#[cold]
pub(super) fn unreadable<E: Error>() -> E {
    E::custom("the arguments cannot be read directly")
}

/// A deserializer for an array or object that is checked in parts.
pub(super) struct PartReader<'r, D> {
    json: D,
    check: &'r dyn Check,
    parts: Parts<'r>,
    /// `true` if the value may also be null.
    is_optional: bool,
    limits: &'r JsonLimits,
    /// The number of arrays and objects around the value.
    level: u64,
}

impl<'r, D> PartReader<'r, D> {
    /// Creates the deserializer of a value whose parts are those of `check`.
    pub(super) fn new(json: D, check: &'r dyn Check, parts: Parts<'r>, limits: &'r JsonLimits, level: u64) -> Self {
        Self { json, check, parts, is_optional: false, limits, level }
    }
}

impl<'de, D: Deserializer<'de>> PartReader<'_, D> {
    /// Parses and checks the whole value.
    fn whole(self) -> Result<Value<'de>, D::Error> {
        let mut value = Value::Null;
        read_whole(self.json, Some(self.check), self.is_optional, (self.limits, self.level), &mut value)?;
        Ok(value)
    }
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for PartReader<'_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        match self.parts {
            Parts::Items(items) => {
                let level = self.limits.nested_level(self.level)?;
                self.json.deserialize_seq(ItemsVisitor { visitor, items, limits: self.limits, level })
            }
            Parts::Members(members) => {
                let level = self.limits.nested_level(self.level)?;
                self.json.deserialize_map(MembersVisitor { visitor, members, limits: self.limits, level })
            }
            Parts::Whole => ValueReader(&mut self.whole()?).deserialize_any(visitor).map_err(D::Error::custom),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let Self { json, check, parts, is_optional, limits, level } = self;
        json.deserialize_option(OptionVisitor { visitor, check, parts, is_optional, limits, level })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let mut value = self.whole()?;
        ValueReader(&mut value).deserialize_enum(name, variants, visitor).map_err(D::Error::custom)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// Passes null, or an array or object that is checked in parts, to the visitor of an `Option`.
struct OptionVisitor<'r, V> {
    visitor: V,
    check: &'r dyn Check,
    parts: Parts<'r>,
    is_optional: bool,
    limits: &'r JsonLimits,
    level: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OptionVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        if self.is_optional { self.visitor.visit_none() } else { Err(unreadable()) }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(PartReader::new(json, self.check, self.parts, self.limits, self.level))
    }
}

/// Passes the items of an array to the visitor of the target type.
struct ItemsVisitor<'r, V> {
    visitor: V,
    items: ItemParts<'r>,
    limits: &'r JsonLimits,
    /// The nesting level of the items.
    level: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ItemsVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { visitor, items, limits, level } = self;
        let mut access = ItemsAccess { access, check: items.check, limits, level, count: 0 };
        // If the visitor leaves items unread, serde_json returns an error.
        let value = visitor.visit_seq(&mut access)?;
        if items.allow_count(access.count) { Ok(value) } else { Err(unreadable()) }
    }
}

struct ItemsAccess<'r, A> {
    access: A,
    check: &'r dyn Check,
    limits: &'r JsonLimits,
    level: u64,
    /// The number of items that have been read.
    count: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for ItemsAccess<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let (limits, level) = (self.limits, self.level);
        let part = PartSeed { seed, check: Some(self.check), has_parts: true, is_optional: false, limits, level };
        let Some(item) = self.access.next_element_seed(part)? else { return Ok(None) };
        limits.check_item_count(self.count)?;
        self.count += 1;
        Ok(Some(item))
    }
}

/// Passes the members of an object to the visitor of the target type.
struct MembersVisitor<'r, V> {
    visitor: V,
    members: &'r KnownMembers,
    limits: &'r JsonLimits,
    /// The nesting level of the members.
    level: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for MembersVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { visitor, members, limits, level } = self;
        let mut access = MembersAccess {
            access,
            members,
            limits,
            level,
            count: 0,
            required: 0,
            next: 0,
            known: 0,
            unknown: Vec::new(),
            name: Cow::Borrowed(""),
            begun: None,
        };
        // If the visitor leaves members unread, serde_json returns an error.
        let value = visitor.visit_map(&mut access)?;
        let is_valid = access.required == members.required_count && members.allow_count(access.count);
        if is_valid { Ok(value) } else { Err(unreadable()) }
    }
}

/// The maximum number of unknown members of an object whose names are compared with each other.
const MAX_UNKNOWN_MEMBERS: usize = 24;

struct MembersAccess<'de, 'r, A> {
    access: A,
    members: &'r KnownMembers,
    limits: &'r JsonLimits,
    level: u64,
    /// The number of members that have been read.
    count: usize,
    /// The number of required members that have been read.
    required: usize,
    /// The index of the known member that most clients send next.
    next: usize,
    /// The bit of each known member that has been read.
    known: u64,
    /// The names of the unknown members that have been read.
    unknown: Vec<Cow<'de, str>>,
    /// The name of the member that has just begun.
    name: Cow<'de, str>,
    /// The member that has just begun; `None` if it is not known.
    begun: Option<&'r KnownMember>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for MembersAccess<'de, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if !self.begin_member()? {
            return Ok(None);
        }
        seed.deserialize(MemberNameReader(&self.name)).map(Some).map_err(A::Error::custom)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let (limits, level) = (self.limits, self.level);
        let (check, has_parts, is_optional) = match self.begun {
            Some(member) => (Some(&*member.check), member.has_parts, member.is_optional),
            None => (None, false, false),
        };
        self.access.next_value_seed(PartSeed { seed, check, has_parts, is_optional, limits, level })
    }
}

impl<'de, A: MapAccess<'de>> MembersAccess<'de, '_, A> {
    /// Begins the next member; returns `false` if there are no more.
    fn begin_member(&mut self) -> Result<bool, A::Error> {
        if self.access.next_key_seed(NameSeed(&mut self.name))?.is_none() {
            return Ok(false);
        }
        self.limits.check_item_count(self.count)?;
        self.count += 1;
        let Some(index) = self.members.find(&self.name, self.next) else {
            return self.begin_unknown_member().map(|()| true);
        };
        if self.known & (1 << index) != 0 {
            return Err(unreadable());
        }
        let member = &self.members.members[index];
        self.known |= 1 << index;
        self.next = index + 1;
        self.required += usize::from(!member.is_optional);
        self.begun = Some(member);
        Ok(true)
    }

    /// Begins a member that the definition does not list. If its name occurs again, the object is not read in parts,
    /// because only the last of these members counts.
    #[cold]
    fn begin_unknown_member(&mut self) -> Result<(), A::Error> {
        let is_allowed = !self.members.is_closed && self.unknown.len() < MAX_UNKNOWN_MEMBERS;
        if !is_allowed || self.unknown.contains(&self.name) {
            return Err(unreadable());
        }
        self.begun = None;
        self.unknown.push(self.name.clone());
        Ok(())
    }
}

/// Reads an item or a member.
struct PartSeed<'r, S> {
    seed: S,
    /// The check of the value; `None` if any value is valid.
    check: Option<&'r dyn Check>,
    /// `false` if the check is known to have no parts.
    has_parts: bool,
    /// `true` if the value may also be null.
    is_optional: bool,
    limits: &'r JsonLimits,
    level: u64,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for PartSeed<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<S::Value, D::Error> {
        let Self { seed, check, has_parts, is_optional, limits, level } = self;
        if let Some(check) = check.filter(|_| has_parts) {
            match check.parts() {
                Parts::Whole => {}
                parts => return seed.deserialize(PartReader { json, check, parts, is_optional, limits, level }),
            }
        }
        let mut value = Value::Null;
        read_whole(json, check, is_optional, (limits, level), &mut value)?;
        seed.deserialize(ValueReader(&mut value)).map_err(D::Error::custom)
    }
}

/// Parses a value into `place`, which contains null, and checks it as a whole. `seed` does the parsing. This is not
/// inlined, so that the code for each target type is small, and the value is not moved: a processor waits when it moves
/// what it has just written.
#[inline(never)]
fn read_whole<'de, D: Deserializer<'de>>(
    json: D,
    check: Option<&dyn Check>,
    is_optional: bool,
    (limits, level): (&JsonLimits, u64),
    place: &mut Value<'de>,
) -> Result<(), D::Error> {
    limits.place_seed(level, place).deserialize(json)?;
    match check {
        Some(check) if !(is_optional && matches!(place, Value::Null)) => check.check(place).map_err(|_| unreadable()),
        _ => Ok(()),
    }
}

/// Parses the name of a member into its place.
struct NameSeed<'v, 'de>(&'v mut Cow<'de, str>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<(), E> {
        *self.0 = Cow::Borrowed(name);
        Ok(())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        *self.0 = Cow::Owned(name.to_owned());
        Ok(())
    }
}
