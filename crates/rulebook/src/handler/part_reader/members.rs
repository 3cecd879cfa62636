//! Reads the members of an object, and checks each of them.

use std::borrow::Cow;
use std::fmt;

use rulebook_model::types::{KnownMember, KnownMembers, Parts};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::{PartSeed, Reading, unreadable};
use crate::call::JsonLimits;
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
        let mut access = MembersAccess { access, reading, level, read: ReadMembers::new(members, &reading.limits) };
        // If the visitor leaves members unread, serde_json returns an error.
        let value = visitor.visit_map(&mut access)?;
        if access.read.is_valid() { Ok(value) } else { Err(unreadable()) }
    }
}

struct MembersAccess<'de, 'r, A> {
    access: A,
    reading: &'r Reading,
    level: u64,
    read: ReadMembers<'de, 'r>,
}

impl<'de, A: MapAccess<'de>> MembersAccess<'de, '_, A> {
    /// Begins the next member; returns `false` if there are no more. This is not inlined, so that the code for each
    /// target type is small.
    #[inline(never)]
    fn begin_member(&mut self) -> Result<bool, A::Error> {
        self.reading.note(self.access.next_key_seed(NameSeed(&mut self.read))).map(|begun| begun.is_some())
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for MembersAccess<'de, '_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        if !self.begin_member()? {
            return Ok(None);
        }
        seed.deserialize(MemberNameReader(self.read.name())).map(Some).map_err(A::Error::custom)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let (reading, level) = (self.reading, self.level);
        let (check, parts, is_optional) = match self.read.begun {
            Some(member) => (Some(&*member.check), member.parts(), member.is_optional),
            None => (None, Parts::Whole, false),
        };
        reading.note(self.access.next_value_seed(PartSeed { seed, check, parts, is_optional, reading, level }))
    }
}

/// The maximum number of unknown members of an object whose names are compared with each other.
const MAX_UNKNOWN_MEMBERS: usize = 24;

/// What has been read of an object.
struct ReadMembers<'de, 'r> {
    members: &'r KnownMembers,
    limits: &'r JsonLimits,
    /// The number of members.
    count: usize,
    /// The number of required members.
    required: usize,
    /// The index of the known member that most clients send next.
    next: usize,
    /// The bit of each known member.
    known: u64,
    /// The names of the unknown members.
    unknown: Vec<Cow<'de, str>>,
    /// The member that has just begun; `None` if it is unknown, and the last of these.
    begun: Option<&'r KnownMember>,
}

impl<'de, 'r> ReadMembers<'de, 'r> {
    fn new(members: &'r KnownMembers, limits: &'r JsonLimits) -> Self {
        Self { members, limits, count: 0, required: 0, next: 0, known: 0, unknown: Vec::new(), begun: None }
    }

    /// Returns `true` if the object may end here.
    fn is_valid(&self) -> bool {
        self.required == self.members.required_count && self.members.allow_count(self.count)
    }

    /// Returns the name of the member that has just begun.
    fn name(&self) -> &str {
        match self.begun {
            Some(member) => &member.name,
            None => self.unknown.last().map_or("", |name| name),
        }
    }

    /// Begins a member.
    #[inline]
    fn begin<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        self.limits.check_item_count(self.count)?;
        self.count += 1;
        let Some((index, member)) = self.members.find(&name, self.next) else {
            return self.begin_unknown(name);
        };
        if self.known & (1 << index) != 0 {
            return Err(unreadable());
        }
        self.known |= 1 << index;
        self.next = index + 1;
        self.required += usize::from(!member.is_optional);
        self.begun = Some(member);
        Ok(())
    }

    /// Begins a member that the definition does not list. If its name occurs again, the object is not read in parts,
    /// because only the last of these members counts.
    #[cold]
    fn begin_unknown<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        let is_allowed = !self.members.is_closed && self.unknown.len() < MAX_UNKNOWN_MEMBERS;
        if !is_allowed || self.unknown.contains(&name) {
            return Err(unreadable());
        }
        self.begun = None;
        self.unknown.push(name);
        Ok(())
    }
}

/// Parses the name of a member, and begins the member.
struct NameSeed<'v, 'de, 'r>(&'v mut ReadMembers<'de, 'r>);

impl<'de> DeserializeSeed<'de> for NameSeed<'_, 'de, '_> {
    type Value = ();

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed<'_, 'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<(), E> {
        self.0.begin(Cow::Borrowed(name))
    }

    /// The name has escaped characters, as few have.
    #[cold]
    fn visit_str<E: Error>(self, name: &str) -> Result<(), E> {
        self.0.begin(Cow::Owned(name.to_owned()))
    }
}
