//! The parts of arrays and objects that can be checked one after the other, while a value is read from JSON. The whole
//! value then never has to be in memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::bounds::Bounds;
use super::{Check, ObjectField};

/// How the values of a type can be checked in parts: see [`Check::parts`].
#[derive(Debug, Clone, Copy)]
pub enum Parts<'c> {
    /// A value is checked as a whole.
    Whole,
    /// The value is an array, whose items are checked one after the other.
    Items(ItemParts<'c>),
    /// The value is an object, whose members are checked one after the other.
    Members(&'c Arc<KnownMembers>),
}

/// The items of an array. An array is valid if each item passes the check, and the number of items is allowed.
#[derive(Debug, Clone, Copy)]
pub struct ItemParts<'c> {
    /// The check of each item.
    pub check: &'c dyn Check,
    pub(super) count: &'c Bounds<u64>,
}

impl ItemParts<'_> {
    /// Returns `true` if an array may have this number of items.
    #[must_use]
    pub fn allow_count(&self, count: usize) -> bool {
        self.count.contains_count(count)
    }
}

/// The members of an object. An object is valid if each known member passes its check or is optional and null, the
/// number of members is allowed, and no required member is missing. A closed object has only known members.
#[derive(Debug)]
pub struct KnownMembers {
    /// The known members, in the order of the definition.
    pub members: Box<[KnownMember]>,
    /// The index of each known member, by its name.
    pub(super) indexes: HashMap<Box<str>, usize>,
    /// The bounds of the number of members of an object.
    pub(super) count: Bounds<u64>,
    /// The number of known members that every object must have.
    pub required_count: usize,
    /// `true` if objects can have only the known members.
    pub is_closed: bool,
}

/// A member of an object that the definition lists. It has only what the check of an object needs, and begins where a
/// line of a processor's cache begins, so that it is in one of them, and many members stay in the cache.
#[derive(Debug)]
#[repr(align(64))]
pub struct KnownMember {
    /// The name of the member.
    pub name: Box<str>,
    /// The ends of the name, which are found here without a way through the name.
    ends: [u64; 2],
    /// The check of the member's value.
    pub check: Arc<dyn Check>,
    /// `true` if the member may be missing or null.
    pub is_optional: bool,
    /// `true` if the member's value can be checked in parts.
    has_parts: bool,
    /// The known members of the member's value, which are found here without a way through its check.
    members: Option<Arc<KnownMembers>>,
}

impl KnownMember {
    fn new(field: &ObjectField) -> Self {
        let parts = field.check.parts();
        Self {
            name: field.name.as_str().into(),
            ends: ends(&field.name),
            check: Arc::clone(&field.check),
            is_optional: field.optional,
            has_parts: !matches!(parts, Parts::Whole),
            members: if let Parts::Members(members) = parts { Some(Arc::clone(members)) } else { None },
        }
    }

    /// Returns how the member's value can be checked in parts.
    #[inline]
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        match &self.members {
            Some(members) => Parts::Members(members),
            None if self.has_parts => self.check.parts(),
            None => Parts::Whole,
        }
    }
}

impl KnownMembers {
    /// The maximum number of known members of an object that is checked in parts.
    pub const MAX_IN_PARTS: usize = 64;

    pub(super) fn new(fields: &[ObjectField], is_closed: bool, count: Bounds<u64>) -> Self {
        Self {
            members: fields.iter().map(KnownMember::new).collect(),
            indexes: fields.iter().enumerate().map(|(index, field)| (field.name.as_str().into(), index)).collect(),
            count,
            required_count: fields.iter().filter(|field| !field.optional).count(),
            is_closed,
        }
    }

    /// Returns the known member with this name, and its index. `next` is the index after that of the member before it:
    /// most clients send the members in the order of the definition.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &str, next: usize) -> Option<(usize, &KnownMember)> {
        match self.members.get(next) {
            Some(member) if is_same_name(&member.name, member.ends, name) => Some((next, member)),
            _ => self.find_by_name(name),
        }
    }

    #[cold]
    fn find_by_name(&self, name: &str) -> Option<(usize, &KnownMember)> {
        let index = *self.indexes.get(name)?;
        Some((index, &self.members[index]))
    }

    /// Returns `true` if an object may have this number of members.
    #[must_use]
    pub fn allow_count(&self, count: usize) -> bool {
        self.count.contains_count(count)
    }
}

/// Compares two names, of which one's ends are known. Most names are short: comparing their ends as numbers is faster
/// than calling the function that compares bytes.
#[inline]
fn is_same_name(one: &str, ends_of_one: [u64; 2], other: &str) -> bool {
    one.len() == other.len() && ends_of_one == ends(other) && (one.len() <= 16 || one == other)
}

/// Returns the first and the last bytes of a name as numbers. Two names of the same length, of at most 16 bytes, are
/// the same if their ends are: the ends are next to each other, or overlap.
#[inline]
fn ends(name: &str) -> [u64; 2] {
    let name = name.as_bytes();
    if let (Some(first), Some(last)) = (name.first_chunk::<8>(), name.last_chunk()) {
        [u64::from_ne_bytes(*first), u64::from_ne_bytes(*last)]
    } else if let (Some(first), Some(last)) = (name.first_chunk::<4>(), name.last_chunk()) {
        [u32::from_ne_bytes(*first).into(), u32::from_ne_bytes(*last).into()]
    } else if let (Some(first), Some(last)) = (name.first_chunk::<2>(), name.last_chunk()) {
        [u16::from_ne_bytes(*first).into(), u16::from_ne_bytes(*last).into()]
    } else {
        [name.first().map_or(0, |byte| u64::from(*byte)), 0]
    }
}

#[cfg(test)]
mod tests {
    use super::{ends, is_same_name};

    #[test]
    fn names_are_compared_whole() {
        let name = "abcdefghijklmnopqrstu";
        for length in 0..name.len() {
            let text = &name[..length];
            let is_same = |other: &str| is_same_name(text, ends(text), other);
            assert!(is_same(text), "{text}");
            assert!(!is_same(&name[..length + 1]), "{text}");
            for at in 0..length {
                let mut other = text.to_owned();
                other.replace_range(at..=at, "X");
                assert!(!is_same(&other), "{text} {other}");
            }
        }
    }
}
