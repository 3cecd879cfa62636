//! The raw value of a parameter, before it is decoded and checked. The permission check reads raw values from the head
//! of a request before the body has arrived.

use std::borrow::Cow;

use rulebook_model::types::Arity;

use crate::call::{Head, Upload, Value};
use crate::plan::PlannedMethod;

/// The raw value of a parameter.
#[derive(Debug, Clone, Default)]
pub(super) enum RawValue<'a> {
    /// The parameter is not in the request.
    #[default]
    Absent,
    /// A text.
    Text(Cow<'a, str>),
    /// Several texts.
    Texts(Vec<Cow<'a, str>>),
    /// A value of a JSON body or of a call from code.
    Json(Value<'a>),
    /// A file.
    File(Upload),
    /// Several files.
    Files(Vec<Upload>),
    /// More than one value for a parameter that accepts one.
    Repeated,
    /// Bytes that are not UTF-8.
    NoText,
}

/// Returns the raw value of a slot that is filled from a segment of the path or a header field; `Absent` for any other
/// slot.
pub(super) fn head_value<'a>(
    method: &PlannedMethod,
    slot: usize,
    head: &'a Head,
    segments: &'a [Cow<'_, str>],
) -> RawValue<'a> {
    if let Some((segment, _)) = method.segments.iter().find(|(_, candidate)| *candidate == slot) {
        return segment_value(segments, *segment);
    }
    match method.headers.iter().find(|(_, candidate)| *candidate == slot) {
        Some((name, _)) => header_value(head, name, method.slots[slot].arity),
        None => RawValue::Absent,
    }
}

/// Returns the segment with this index. An empty segment counts as absent.
pub(super) fn segment_value<'a>(segments: &'a [Cow<'_, str>], index: usize) -> RawValue<'a> {
    match segments.get(index) {
        Some(segment) if !segment.is_empty() => RawValue::Text(Cow::Borrowed(segment)),
        _ => RawValue::Absent,
    }
}

/// Returns the values of all header fields with one name (RFC 9110 section 5.3).
pub(super) fn header_value<'a>(head: &'a Head, name: &http::HeaderName, arity: Arity) -> RawValue<'a> {
    let mut raw = RawValue::Absent;
    for (_, value) in head.headers.iter().filter(|(candidate, _)| candidate == name) {
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => raw.add_text(Cow::Borrowed(text), arity, false),
            Err(_) => return RawValue::NoText,
        }
    }
    raw
}

impl<'a> RawValue<'a> {
    /// Adds a text. If the parameter accepts a single value and already has one, the text replaces it if `last_counts`
    /// is `true`; otherwise the value becomes `Repeated`.
    pub(super) fn add_text(&mut self, text: Cow<'a, str>, arity: Arity, last_counts: bool) {
        *self = match std::mem::take(self) {
            RawValue::Absent => RawValue::Text(text),
            RawValue::Text(first) if arity == Arity::Many => RawValue::Texts(vec![first, text]),
            RawValue::Texts(mut texts) => {
                texts.push(text);
                RawValue::Texts(texts)
            }
            _ if last_counts => RawValue::Text(text),
            _ => RawValue::Repeated,
        };
    }

    /// Adds a file in the same way as [`RawValue::add_text`] adds a text.
    pub(super) fn add_file(&mut self, upload: Upload, arity: Arity, last_counts: bool) {
        *self = match std::mem::take(self) {
            RawValue::Absent => RawValue::File(upload),
            RawValue::File(first) if arity == Arity::Files => RawValue::Files(vec![first, upload]),
            RawValue::Files(mut files) => {
                files.push(upload);
                RawValue::Files(files)
            }
            _ if last_counts => RawValue::File(upload),
            _ => RawValue::Repeated,
        };
    }
}
