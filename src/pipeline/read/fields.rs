//! `name=value&…` in a query or an urlencoded body, in one pass.
//!
//! As browsers write and the WHATWG's URL standard reads it (section 5.1):
//! `+` is a blank, a `%` that begins no escape is itself, empty pieces are
//! passed over, a name without `=` has an empty value. Only what holds `%` or
//! `+` is copied.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{Raw, Reading, over, slot};
use crate::call::{Head, Limit, Refusal, Source};
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
    for pair in text.split(|byte| *byte == b'&') {
        if pair.is_empty() {
            continue;
        }
        count += 1;
        if count > limits.fields {
            return Err(over(Limit::fields(limits.fields), None));
        }
        let (name, value) = self::pair(pair);
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

/// The values of the query's fields of this name, each none where it is not UTF-8.
pub(in crate::pipeline) fn query_values<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = Option<Cow<'a, str>>> {
    let pairs = head.query().as_bytes().split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(pair);
    pairs.filter(move |(own, _)| decode(own).is_some_and(|own| own == name)).map(|(_, value)| decode(value))
}

/// Name and value of a field, still encoded.
fn pair(pair: &[u8]) -> (&[u8], &[u8]) {
    match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &pair[pair.len()..]),
    }
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

/// The text without its encoding; none where it is not UTF-8.
fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let blanks: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&blanks).collect()).ok().map(Cow::Owned)
}
