//! Reads the members of an object, and checks each of them.

use std::borrow::Cow;
use std::fmt;

use rulebook_model::types::{KnownMember, KnownMembers};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::{PartSeed, Reading, unreadable};
use crate::handler::value_reader::MemberNameReader;

/// Passes the members of an object to the visitor of the target type.
pub(super) struct MembersVisitor<'r, V> {
    pub(super) visitor: V,
    pub(super) members: &'r KnownMembers,
    pub(super) reading: &'r Reading,
    /// The nesting level of the members.
    pub(super) level: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for MembersVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { visitor, members, reading, level } = self;
        let mut access = MembersAccess {
            access,
            members,
            reading,
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
    reading: &'r Reading,
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
        let reading = self.reading;
        if !reading.note(self.begin_member())? {
            return Ok(None);
        }
        seed.deserialize(MemberNameReader(&self.name)).map(Some).map_err(A::Error::custom)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let (reading, level) = (self.reading, self.level);
        let (check, has_parts, is_optional) = match self.begun {
            Some(member) => (Some(&*member.check), member.has_parts, member.is_optional),
            None => (None, false, false),
        };
        reading.note(self.access.next_value_seed(PartSeed { seed, check, has_parts, is_optional, reading, level }))
    }
}

impl<'de, A: MapAccess<'de>> MembersAccess<'de, '_, A> {
    /// Begins the next member; returns `false` if there are no more.
    fn begin_member(&mut self) -> Result<bool, A::Error> {
        if self.access.next_key_seed(NameSeed(&mut self.name))?.is_none() {
            return Ok(false);
        }
        self.reading.limits.check_item_count(self.count)?;
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
