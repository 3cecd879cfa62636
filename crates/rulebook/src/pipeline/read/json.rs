//! Reads the raw values of those parameters that are members of a JSON body, or the whole body. The values borrow their
//! texts from the body.

use std::fmt;

use rulebook_model::limits;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::fields::SlotsFilledByBody;
use super::{ParameterReader, RawValue};
use crate::call::{ApiError, JsonLimits, MalformedRequest, MemberNameSeed, Source};

/// Parses a JSON body, and stores those members of its outermost object that are parameters of the API method.
///
/// # Errors
/// Fails if the body is not a JSON object, or exceeds a limit.
pub(super) fn read_members<'a>(reading: &mut ParameterReader<'a, '_>, bytes: &'a [u8]) -> Result<(), ApiError> {
    let Some(text) = json_text(bytes)? else { return Ok(()) };
    let plan = reading.plan;
    let limits = JsonLimits::new(plan.limits.nesting, plan.limits.items);
    let mut reader = serde_json::Deserializer::from_str(text);
    let body_slots = SlotsFilledByBody::for_method(reading.method);
    let result =
        JsonMemberReader { reading, limits: &limits, body_slots }.deserialize(&mut reader).and_then(|()| reader.end());
    result.map_err(|error| json_error(&error, &limits))
}

/// Parses a JSON body, and stores it as the value of the parameter with this slot.
///
/// # Errors
/// Fails if the body is not JSON, or exceeds a limit.
pub(super) fn read_whole<'a>(
    reading: &mut ParameterReader<'a, '_>,
    bytes: &'a [u8],
    slot: usize,
) -> Result<(), ApiError> {
    let Some(text) = json_text(bytes)? else { return Ok(()) };
    let limits = JsonLimits::new(reading.plan.limits.nesting, reading.plan.limits.items);
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
    Ok(Some(text).filter(|text| !text.trim_ascii().is_empty()))
}

fn json_error(error: &serde_json::Error, limits: &JsonLimits) -> ApiError {
    match limits.take_exceeded() {
        Some(limit) => ApiError::too_large(limit, None),
        // The visitor of members accepts only an object, so that a data error of serde_json means that the body is not
        // an object.
        None if error.is_data() => ApiError::malformed(MalformedRequest::JsonKind),
        None => ApiError::malformed(MalformedRequest::from_json_error(error)),
    }
}

/// Deserializes the outermost object of a JSON body, and stores the values of its members in slots.
struct JsonMemberReader<'r, 'a, 'p> {
    reading: &'r mut ParameterReader<'a, 'p>,
    limits: &'r JsonLimits,
    body_slots: SlotsFilledByBody,
}

impl<'a> DeserializeSeed<'a> for JsonMemberReader<'_, 'a, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for JsonMemberReader<'_, 'a, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut access: A) -> Result<(), A::Error> {
        let method = self.reading.method;
        let mut next = 0;
        let mut count = 0;
        while let Some(key) = access.next_key_seed(MemberNameSeed)? {
            count += 1;
            let max = self.reading.plan.limits.fields;
            if count > max {
                return Err(self.limits.limit_error(limits::FIELD_COUNT.with_value(max)));
            }
            let Some(slot) = method.find_slot(&method.body_slots, &key, &mut next) else {
                access.next_value::<IgnoredAny>()?;
                self.reading.handle_unknown_field(&key, Source::Body);
                continue;
            };
            self.body_slots.clear_query_value(slot, &mut self.reading.raw);
            let value = access.next_value_seed(self.limits.value_seed(1))?;
            let raw = &mut self.reading.raw[slot];
            *raw = match raw {
                RawValue::Absent => RawValue::Json(value),
                _ if self.reading.plan.modules[method.module_index].uses_last_value => RawValue::Json(value),
                _ => RawValue::Repeated,
            };
        }
        Ok(())
    }
}
