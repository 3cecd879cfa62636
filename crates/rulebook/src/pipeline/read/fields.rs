//! Reads parameters from the fields of a query or an urlencoded body, in one pass.

use rulebook_model::limits;

use super::{RawValue, Reading, find_slot};
use crate::call::{ApiError, Source};
use crate::pipeline::urlencoded::{decode, pairs};
use crate::plan::PlannedMethod;

/// Reads the fields of `text` that are parameters of the method.
///
/// # Errors
/// Fails if there are more fields, or more values of one field, than the limits `fields` and `items` allow.
pub(super) fn read<'a>(reading: &mut Reading<'a, '_>, text: &'a [u8], source: Source) -> Result<(), ApiError> {
    let method = reading.method;
    let slots = if source == Source::Query { &method.query } else { &method.body };
    let limits = &reading.plan.limits;
    let last_counts = reading.last_counts();
    let mut next = 0;
    let mut count = 0;
    // If a parameter has a value in both the query and the body, the value in the body is used.
    let mut body_slots = if source == Source::Body { BodySlots::by_body(method) } else { BodySlots::default() };
    for (name, value) in pairs(text) {
        count += 1;
        if count > limits.fields {
            return Err(ApiError::too_large(limits::FIELDS.at(limits.fields), None));
        }
        let Some(name) = decode(name) else {
            // Parameter names are UTF-8, so that this field is not a parameter.
            reading.unknown(&String::from_utf8_lossy(name), source);
            continue;
        };
        let Some(slot) = find_slot(method, slots, &name, &mut next) else {
            reading.unknown(&name, source);
            continue;
        };
        body_slots.clear_query_value(slot, &mut reading.raw);
        match decode(value) {
            Some(value) => reading.raw[slot].add_text(value, method.slots[slot].arity, last_counts),
            None => reading.raw[slot] = RawValue::NoText,
        }
        if let RawValue::Texts(texts) = &reading.raw[slot]
            && texts.len() as u64 > limits.items
        {
            return Err(ApiError::too_large(limits::ITEMS.at(limits.items), Some(&method.slots[slot].display_name)));
        }
    }
    Ok(())
}

/// Marks the slots that have got a value from the body, so that the first such value replaces that of the query.
#[derive(Default)]
pub(super) struct BodySlots(Vec<bool>);

impl BodySlots {
    /// Returns the marks for reading a body; they are empty if the method has no query parameters.
    pub(super) fn by_body(method: &PlannedMethod) -> Self {
        Self(if method.query.is_empty() { Vec::new() } else { vec![false; method.slots.len()] })
    }

    /// Removes the query value of a slot before the first value from the body is added.
    pub(super) fn clear_query_value(&mut self, slot: usize, raw: &mut [RawValue<'_>]) {
        if let Some(body_slots @ false) = self.0.get_mut(slot) {
            *body_slots = true;
            raw[slot] = RawValue::Absent;
        }
    }
}
