//! Reads the raw values of those parameters that are members of a JSON body, or the whole body. The values borrow their
//! texts from the body.

use std::borrow::Cow;

use serde::de::DeserializeSeed;

use super::fields::SlotsFilledByBody;
use super::{ParameterReader, RawValue};
use crate::call::{ApiError, JsonLimits, MalformedRequest, MemberCollector, Source, Value, collect_members};

/// Parses a JSON body, and stores those members of its outermost object that are parameters of the API method. Fails if
/// the body is not a JSON object, or exceeds a limit.
pub(super) fn read_members<'a>(reading: &mut ParameterReader<'a, '_>, bytes: &'a [u8]) -> Result<(), ApiError> {
    let Some(text) = json_text(bytes)? else { return Ok(()) };
    let limits =
        JsonLimits::new(reading.plan.limits.nesting, reading.plan.limits.items).keeping_last(reading.uses_last_value());
    let max_members = reading.plan.limits.fields;
    let mut reader = serde_json::Deserializer::from_str(text);
    let body_slots = SlotsFilledByBody::for_method(reading.method);
    let mut collector = ParameterCollector { reading, body_slots, next: 0 };
    let read = collect_members(&mut reader, &limits, max_members, &mut collector).and_then(|()| reader.end());
    read.map_err(|error| json_error(&error, &limits))
}

/// Parses a JSON body, and stores it as the value of the parameter with this slot. Fails if the body is not JSON, or
/// exceeds a limit.
pub(super) fn read_whole<'a>(
    reading: &mut ParameterReader<'a, '_>,
    bytes: &'a [u8],
    slot: usize,
) -> Result<(), ApiError> {
    let Some(text) = json_text(bytes)? else { return Ok(()) };
    let limits =
        JsonLimits::new(reading.plan.limits.nesting, reading.plan.limits.items).keeping_last(reading.uses_last_value());
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = limits.value_seed(0).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    reading.raw[slot] = RawValue::Json(value.map_err(|error| json_error(&error, &limits))?);
    Ok(())
}

/// Returns the text of a JSON body; `None` if it is empty. An empty body is allowed, and is treated like a missing body
/// (RFC 9110 section 6.4).
fn json_text(bytes: &[u8]) -> Result<Option<&str>, ApiError> {
    // Checking at once that the whole body is UTF-8 is faster than letting serde_json check each string.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ApiError::malformed(MalformedRequest::JsonEncoding { byte: error.valid_up_to() }))?;
    // Some programs begin texts with a byte order mark, which a parser may ignore (RFC 8259 section 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Some(text).filter(|text| !text.trim_ascii().is_empty()))
}

fn json_error(error: &serde_json::Error, limits: &JsonLimits) -> ApiError {
    match limits.take_exceeded() {
        Some(limit) => ApiError::too_large(limit, None),
        // Members are read only from an object, so that a data error of serde_json means that the body is not an
        // object.
        None if error.is_data() => ApiError::malformed(MalformedRequest::JsonKind),
        None => ApiError::malformed(MalformedRequest::from_json_error(error)),
    }
}

/// Stores the members of a JSON body that are parameters in their slots.
struct ParameterCollector<'r, 'a, 'p> {
    reading: &'r mut ParameterReader<'a, 'p>,
    body_slots: SlotsFilledByBody,
    next: usize,
}

impl<'a> MemberCollector<'a> for ParameterCollector<'_, 'a, '_> {
    type Key = usize;

    fn select(&mut self, name: Cow<'a, str>) -> Option<usize> {
        let method = self.reading.method;
        let slot = method.find_slot(&method.body_slots, &name, &mut self.next);
        match slot {
            Some(slot) => self.body_slots.clear_query_value(slot, &mut self.reading.raw),
            None => self.reading.handle_unknown_field(&name, Source::Body),
        }
        slot
    }

    fn add(&mut self, slot: usize, value: Value<'a>) {
        let uses_last_value = self.reading.uses_last_value();
        let raw = &mut self.reading.raw[slot];
        let is_single = uses_last_value || matches!(raw, RawValue::Absent);
        *raw = if is_single { RawValue::Json(value) } else { RawValue::Repeated };
    }
}
