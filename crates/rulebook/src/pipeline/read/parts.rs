//! Reads the raw values of those parameters that are parts of a multipart body (RFC 7578).

use std::borrow::Cow;

use rulebook_model::limits;

use super::fields::BodySlots;
use super::{Part, PartContent, RawValue, Reading, find_slot};
use crate::call::{ApiError, Source};

/// Stores the content of those parts of a multipart body that are parameters of the API method. Other uploaded files
/// are deleted when the body is dropped.
///
/// # Errors
/// Fails if the body has more parts for one parameter than the limit `items` allows.
pub(super) fn read<'a>(reading: &mut Reading<'a, '_>, parts: &'a [Part]) -> Result<(), ApiError> {
    let method = reading.method;
    let last_counts = reading.last_counts();
    let max = reading.plan.limits.items;
    let mut next = 0;
    let mut body_slots = BodySlots::by_body(method);
    for part in parts {
        let Some(slot) = find_slot(method, &method.body, &part.name, &mut next) else {
            reading.unknown(&part.name, Source::Body);
            continue;
        };
        body_slots.clear_query_value(slot, &mut reading.raw);
        let arity = method.slots[slot].arity;
        let raw = &mut reading.raw[slot];
        match &part.content {
            PartContent::Field(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => raw.add_text(Cow::Borrowed(text), arity, last_counts),
                Err(_) => *raw = RawValue::NoText,
            },
            PartContent::File(upload) => raw.add_file(upload.clone(), arity, last_counts),
        }
        let values = match raw {
            RawValue::Texts(texts) => texts.len(),
            RawValue::Files(files) => files.len(),
            _ => 1,
        };
        if values as u64 > max {
            return Err(ApiError::too_large(limits::ITEMS.at(max), Some(&method.slots[slot].display_name)));
        }
    }
    Ok(())
}
