//! Reads the items of an array, and checks each of them.

use std::fmt;

use rulebook_model::types::{Check, ItemParts, Parts};
use serde::de::{DeserializeSeed, SeqAccess, Visitor};

use super::{PartSeed, Reading, unreadable};

/// Passes the items of an array to the visitor of the target type.
pub(super) struct ItemsVisitor<'r, V> {
    pub(super) visitor: V,
    pub(super) items: ItemParts<'r>,
    pub(super) reading: &'r Reading,
    /// The nesting level of the items.
    pub(super) level: u64,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ItemsVisitor<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let Self { visitor, items, reading, level } = self;
        let check = items.check;
        let mut access = ItemsAccess { access, check, parts: check.parts(), reading, level, count: 0 };
        // If the visitor leaves items unread, serde_json returns an error.
        let value = visitor.visit_seq(&mut access)?;
        if items.allow_count(access.count) { Ok(value) } else { Err(unreadable()) }
    }
}

struct ItemsAccess<'r, A> {
    access: A,
    check: &'r dyn Check,
    /// How each item is checked in parts.
    parts: Parts<'r>,
    reading: &'r Reading,
    level: u64,
    /// The number of items that have been read.
    count: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for ItemsAccess<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Self { check, parts, reading, level, .. } = *self;
        let part = PartSeed { seed, check: Some(check), parts, is_optional: false, reading, level };
        let Some(item) = reading.note(self.access.next_element_seed(part))? else { return Ok(None) };
        reading.note(reading.limits.check_item_count(self.count))?;
        self.count += 1;
        Ok(Some(item))
    }
}
