//! Reads the raw values of those parameters that are parts of a multipart body (RFC 7578).

use std::borrow::Cow;

use rulebook_model::limits;

use super::array_fields::find_slot_of_array;
use super::fields::SlotsFilledByBody;
use super::{BodyPart, BodyPartContent, ParameterReader, RawValue};
use crate::call::{ApiError, Source, Value};

/// Stores the content of those parts of a multipart body that are parameters of the API method. Other uploaded files
/// are deleted when the body is dropped.
///
/// # Errors
/// Fails if the body has more parts for one parameter than the limit `items` allows.
pub(super) fn read_parts<'a>(reading: &mut ParameterReader<'a, '_>, parts: &'a [BodyPart]) -> Result<(), ApiError> {
    let method = reading.method;
    let uses_last_value = reading.uses_last_value();
    let max = reading.plan.limits.items;
    let mut next = 0;
    let mut body_slots = SlotsFilledByBody::for_method(method);
    for part in parts {
        let Some(slot) = method.find_slot(&method.body_slots, &part.name, &mut next) else {
            if let Some(slot) = find_slot_of_array(method, &method.body_slots, &part.name) {
                body_slots.clear_query_value(slot, &mut reading.raw);
                let value = match &part.content {
                    BodyPartContent::Field(bytes) => std::str::from_utf8(bytes).ok().map(Value::from),
                    BodyPartContent::File(upload) => Some(Value::File(upload.clone())),
                };
                reading.add_to_array(slot, Cow::Borrowed(&part.name), value)?;
            } else {
                reading.handle_unknown_field(&part.name, Source::Body);
            }
            continue;
        };
        body_slots.clear_query_value(slot, &mut reading.raw);
        let arity = method.parameters[slot].arity;
        let raw = &mut reading.raw[slot];
        match &part.content {
            BodyPartContent::Field(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => raw.add_text(Cow::Borrowed(text), arity, uses_last_value),
                Err(_) => *raw = RawValue::InvalidUtf8,
            },
            BodyPartContent::File(upload) => raw.add_file(upload.clone(), arity, uses_last_value),
        }
        let values = match raw {
            RawValue::Texts(texts) => texts.len(),
            RawValue::Files(files) => files.len(),
            _ => 1,
        };
        if values as u64 > max {
            return Err(ApiError::too_large(
                limits::ITEM_COUNT.with_value(max),
                Some(&method.parameters[slot].display_name),
            ));
        }
    }
    Ok(())
}
