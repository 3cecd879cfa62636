//! The value of a parameter as it came, before anything is made of it; and those that stand in the head alone,
//! which permissions need before the body is read.

use std::borrow::Cow;

use crate::call::{Head, Upload, Value};
use crate::plan::Method;
use crate::types::Takes;

/// A parameter's value as it came.
#[derive(Debug, Clone, Default)]
pub(super) enum Raw<'a> {
    /// It did not.
    #[default]
    Absent,
    /// As a text.
    Text(Cow<'a, str>),
    /// As several texts.
    Texts(Vec<Cow<'a, str>>),
    /// As a value of a JSON body, or of a call from code.
    Json(Value<'a>),
    /// As a file.
    File(Upload),
    /// As several files.
    Files(Vec<Upload>),
    /// More than once, where one value is taken.
    Repeated,
    /// As bytes that are no text.
    NoText,
}

/// The raw value of a slot that is filled from the head: a segment, a header field or a cookie.
pub(super) fn head_value<'a>(method: &Method, slot: usize, head: &'a Head, segments: &'a [Cow<'_, str>]) -> Raw<'a> {
    if let Some((segment, _)) = method.segments.iter().find(|(_, own)| *own == slot) {
        return segment_value(segments, *segment);
    }
    match method.headers.iter().find(|(_, own)| *own == slot) {
        Some((name, _)) => header_value(head, name, method.slots[slot].takes),
        None => Raw::Absent,
    }
}

/// An empty segment is one that is left out.
pub(super) fn segment_value<'a>(segments: &'a [Cow<'_, str>], index: usize) -> Raw<'a> {
    match segments.get(index) {
        Some(segment) if !segment.is_empty() => Raw::Text(Cow::Borrowed(segment)),
        _ => Raw::Absent,
    }
}

/// Field lines of one name (RFC 9110 section 5.3).
pub(super) fn header_value<'a>(head: &'a Head, name: &http::HeaderName, takes: Takes) -> Raw<'a> {
    let mut raw = Raw::Absent;
    for (_, value) in head.headers.iter().filter(|(own, _)| own == name) {
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => raw.add_text(Cow::Borrowed(text), takes, false),
            Err(_) => return Raw::NoText,
        }
    }
    raw
}

impl<'a> Raw<'a> {
    /// Adds a text to what came before it. `last_counts`: of several, where one is taken.
    pub(super) fn add_text(&mut self, text: Cow<'a, str>, takes: Takes, last_counts: bool) {
        *self = match std::mem::take(self) {
            Raw::Absent => Raw::Text(text),
            Raw::Text(first) if takes == Takes::Many => Raw::Texts(vec![first, text]),
            Raw::Texts(mut texts) => {
                texts.push(text);
                Raw::Texts(texts)
            }
            _ if last_counts => Raw::Text(text),
            _ => Raw::Repeated,
        };
    }

    /// Adds a file to what came before it, as a text is added.
    pub(super) fn add_file(&mut self, upload: Upload, takes: Takes, last_counts: bool) {
        *self = match std::mem::take(self) {
            Raw::Absent => Raw::File(upload),
            Raw::File(first) if takes == Takes::Files => Raw::Files(vec![first, upload]),
            Raw::Files(mut files) => {
                files.push(upload);
                Raw::Files(files)
            }
            _ if last_counts => Raw::File(upload),
            _ => Raw::Repeated,
        };
    }
}
