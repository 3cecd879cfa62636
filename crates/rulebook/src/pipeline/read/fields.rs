//! Reads the raw values of those parameters that are fields of a query or of an urlencoded body.

use rulebook_model::limits;

use super::array_fields::{find_slot_of_array, find_slot_of_invalid_name};
use super::{ParameterReader, RawValue};
use crate::call::{ApiError, Source, Value};
use crate::pipeline::urlencoded::{decode_text, split_fields};
use crate::plan::PlannedMethod;

/// Parses the fields of `text`, and stores the values of those fields that are parameters of the API method. `source`
/// is the part of the request that contains the text.
///
/// # Errors
/// Fails if the text has more fields than the limit `fields` allows, or a field is repeated more often than the limit
/// `items` allows.
pub(super) fn read_fields<'a>(
    reading: &mut ParameterReader<'a, '_>,
    text: &'a [u8],
    source: Source,
) -> Result<(), ApiError> {
    let method = reading.method;
    let slots = if source == Source::Query { &method.query_slots } else { &method.body_slots };
    let limits = &reading.plan.limits;
    let uses_last_value = reading.uses_last_value();
    let mut next = 0;
    let mut count = 0;
    // If both the query and the body contain a value for a parameter, the value in the body is used.
    let mut body_slots =
        if source == Source::Body { SlotsFilledByBody::for_method(method) } else { SlotsFilledByBody::default() };
    for (name, value) in split_fields(text) {
        count += 1;
        if count > limits.fields {
            return Err(ApiError::too_large(limits::FIELD_COUNT.with_value(limits.fields), None));
        }
        let Some(name) = decode_text(name) else {
            // Names of parameters are UTF-8, so that a field with another name is not a parameter. But the keys in
            // brackets may be other bytes, with which the value of the parameter is invalid.
            match find_slot_of_invalid_name(method, slots, name) {
                Some(slot) => reading.raw[slot] = RawValue::InvalidUtf8,
                None => reading.handle_unknown_field(&String::from_utf8_lossy(name), source),
            }
            continue;
        };
        let Some(slot) = method.find_slot(slots, &name, &mut next) else {
            if let Some(slot) = find_slot_of_array(method, slots, &name) {
                body_slots.clear_query_value(slot, &mut reading.raw);
                reading.add_to_array(slot, name, decode_text(value).map(Value::Text))?;
            } else {
                reading.handle_unknown_field(&name, source);
            }
            continue;
        };
        body_slots.clear_query_value(slot, &mut reading.raw);
        match decode_text(value) {
            Some(value) => reading.raw[slot].add_text(value, method.parameters[slot].arity, uses_last_value),
            None => reading.raw[slot] = RawValue::InvalidUtf8,
        }
        if let RawValue::Texts(texts) = &reading.raw[slot]
            && texts.len() as u64 > limits.items
        {
            return Err(ApiError::too_large(
                limits::ITEM_COUNT.with_value(limits.items),
                Some(&method.parameters[slot].display_name),
            ));
        }
    }
    Ok(())
}

/// Records which slots (places for the values of parameters) have received a value from the body. The first value from
/// the body replaces the values that the query contained.
#[derive(Default)]
pub(super) struct SlotsFilledByBody(Vec<bool>);

impl SlotsFilledByBody {
    /// Creates the record for a method before its body is read. If the method has no query parameters, the record is
    /// empty and has no effect.
    pub(super) fn for_method(method: &PlannedMethod) -> Self {
        Self(if method.query_slots.is_empty() { Vec::new() } else { vec![false; method.parameters.len()] })
    }

    /// Removes the query's value from a slot. Has an effect only before the first value from the body is stored in this
    /// slot.
    pub(super) fn clear_query_value(&mut self, slot: usize, raw: &mut [RawValue<'_>]) {
        if let Some(body_slots @ false) = self.0.get_mut(slot) {
            *body_slots = true;
            raw[slot] = RawValue::Absent;
        }
    }
}
