//! The fields of a query or an urlencoded body, in one pass.

use super::{Raw, Reading, over, slot};
use crate::call::{Limit, Refusal, Source};
use crate::pipeline::pairs::{decode, pairs};
use crate::plan::Method;

/// Reads the fields that the method wants from `text`.
///
/// # Errors
/// There are more fields, or more values of one field, than the limits allow.
pub(super) fn read<'a>(reading: &mut Reading<'a, '_>, text: &'a [u8], source: Source) -> Result<(), Refusal> {
    let method = reading.method;
    let slots = if source == Source::Query { &method.query } else { &method.body };
    let limits = &reading.plan.limits;
    let last_counts = reading.last_counts();
    let mut next = 0;
    let mut count = 0;
    // What the query gave to a parameter that both may fill is put aside by the body.
    let mut seen = if source == Source::Body { Seen::by_body(method) } else { Seen::default() };
    for (name, value) in pairs(text) {
        count += 1;
        if count > limits.fields {
            return Err(over(Limit::fields(limits.fields), None));
        }
        let Some(name) = decode(name) else {
            // No parameter has a name that is not UTF-8.
            reading.unknown(&String::from_utf8_lossy(name), source);
            continue;
        };
        let Some(slot) = slot(method, slots, &name, &mut next) else {
            reading.unknown(&name, source);
            continue;
        };
        seen.first(slot, &mut reading.raw);
        match decode(value) {
            Some(value) => reading.raw[slot].add_text(value, method.slots[slot].takes, last_counts),
            None => reading.raw[slot] = Raw::NoText,
        }
        if let Raw::Texts(texts) = &reading.raw[slot]
            && texts.len() as u64 > limits.items
        {
            return Err(over(Limit::items(limits.items), Some(&method.slots[slot].shown)));
        }
    }
    Ok(())
}

/// Which slots the body has filled, so that it wins over the query.
#[derive(Default)]
pub(super) struct Seen(Vec<bool>);

impl Seen {
    /// For reading a body. Where nothing can come from the query, there is nothing to win over.
    pub(super) fn by_body(method: &Method) -> Self {
        Self(if method.query.is_empty() { Vec::new() } else { vec![false; method.slots.len()] })
    }

    /// Called ahead of every value: empties the slot the first time.
    pub(super) fn first(&mut self, slot: usize, raw: &mut [Raw<'_>]) {
        if let Some(seen @ false) = self.0.get_mut(slot) {
            *seen = true;
            raw[slot] = Raw::Absent;
        }
    }
}
