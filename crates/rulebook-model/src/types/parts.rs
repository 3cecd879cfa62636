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

/// A member of an object that the definition lists. It has only what the check of an object needs, so that many of them
/// stay in the cache of a processor.
#[derive(Debug)]
pub struct KnownMember {
    /// The name of the member.
    pub name: Box<str>,
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

    /// Returns the index of the known member with this name. `next` is the index after that of the member before it:
    /// most clients send the members in the order of the definition.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &str, next: usize) -> Option<usize> {
        match self.members.get(next) {
            Some(member) if is_same_name(&member.name, name) => Some(next),
            _ => self.find_by_name(name),
        }
    }

    #[cold]
    fn find_by_name(&self, name: &str) -> Option<usize> {
        self.indexes.get(name).copied()
    }

    /// Returns `true` if an object may have this number of members.
    #[must_use]
    pub fn allow_count(&self, count: usize) -> bool {
        self.count.contains_count(count)
    }
}

/// Compares two names. Most names are short: comparing them as numbers is faster than calling the function that
/// compares bytes.
#[inline]
fn is_same_name(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let length = one.len();
    if length != other.len() || length > 16 {
        return one == other;
    }
    // The first and the last bytes may overlap.
    match (one.first_chunk::<8>(), other.first_chunk::<8>(), one.first_chunk::<4>(), other.first_chunk::<4>()) {
        (Some(first), Some(other_first), ..) => {
            first == other_first && one.last_chunk::<8>() == other.last_chunk::<8>()
        }
        (_, _, Some(first), Some(other_first)) => {
            first == other_first && one.last_chunk::<4>() == other.last_chunk::<4>()
        }
        _ => one.iter().eq(other),
    }
}

#[cfg(test)]
mod tests {
    use super::is_same_name;

    #[test]
    fn names_are_compared_whole() {
        let name = "abcdefghijklmnopqrstu";
        for length in 0..name.len() {
            let text = &name[..length];
            let same = text.to_owned();
            assert!(is_same_name(text, &same), "{text}");
            assert!(!is_same_name(text, &name[..length + 1]), "{text}");
            for at in 0..length {
                let mut other = text.to_owned();
                other.replace_range(at..=at, "X");
                assert!(!is_same_name(text, &other), "{text} {other}");
            }
        }
    }
}
