//! The parts of a multipart body (RFC 7578).

use std::borrow::Cow;

use super::fields::Seen;
use super::{Part, PartContent, Raw, Reading, over, slot};
use crate::call::{Limit, Refusal, Source};

/// Gives the parts to the slots that want them. Files that no slot takes are gone with the body.
///
/// # Errors
/// One field has more values than the limits allow.
pub(super) fn read<'a>(reading: &mut Reading<'a, '_>, parts: &'a [Part]) -> Result<(), Refusal> {
    let method = reading.method;
    let last_counts = reading.last_counts();
    let most = reading.plan.limits.items;
    let mut next = 0;
    let mut seen = Seen::by_body(method);
    for part in parts {
        let Some(slot) = slot(method, &method.body, &part.name, &mut next) else {
            reading.unknown(&part.name, Source::Body);
            continue;
        };
        seen.first(slot, &mut reading.raw);
        let takes = method.slots[slot].takes;
        let raw = &mut reading.raw[slot];
        match &part.content {
            PartContent::Field(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => raw.add_text(Cow::Borrowed(text), takes, last_counts),
                Err(_) => *raw = Raw::NoText,
            },
            PartContent::File(upload) => raw.add_file(upload.clone(), takes, last_counts),
        }
        let values = match raw {
            Raw::Texts(texts) => texts.len(),
            Raw::Files(files) => files.len(),
            _ => 1,
        };
        if values as u64 > most {
            return Err(over(Limit::items(most), Some(&method.slots[slot].shown)));
        }
    }
    Ok(())
}
