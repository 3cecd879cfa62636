//! Raw values of parameters: values as the client sent them, before they are decoded and checked. The permission check
//! reads raw values from the head of a request before the body has arrived.

use std::borrow::Cow;

use rulebook_model::types::Arity;

use crate::call::{Head, PhpArray, Upload, Value};
use crate::plan::{PlannedMethod, Segments};

/// The value of a parameter as the client sent it, before it is decoded and checked.
#[derive(Debug, Clone, Default)]
pub(super) enum RawValue<'a> {
    /// The request does not contain the parameter.
    #[default]
    Absent,
    /// The request contains one text for the parameter.
    Text(Cow<'a, str>),
    /// The request contains several texts for a parameter that accepts several values.
    Texts(Vec<Cow<'a, str>>),
    /// The request contains fields for the parameter whose names have brackets.
    Array(Box<PhpArray<'a>>),
    /// The value is a member of a JSON body, or an argument of a call from code.
    Json(Value<'a>),
    /// The request contains one file for the parameter.
    File(Upload),
    /// The request contains several files for a parameter that accepts several files.
    Files(Vec<Upload>),
    /// The request contains several values for a parameter that accepts only one value.
    Repeated,
    /// The request contains several values for an item of the parameter, whose name has these keys in brackets.
    RepeatedItem(Box<str>),
    /// The request contains a text for the parameter that is not UTF-8.
    InvalidUtf8,
}

/// Returns the raw value of a parameter that is in the path or in a header field; `Absent` for any other parameter.
/// `slot` is the index of the parameter.
pub(super) fn raw_value_in_head<'a>(
    method: &PlannedMethod,
    slot: usize,
    head: &'a Head,
    segments: &'a Segments,
) -> RawValue<'a> {
    if let Some((segment, _)) = method.path_slots.iter().find(|(_, candidate)| *candidate == slot) {
        return raw_segment_value(segments, *segment);
    }
    match method.header_slots.iter().find(|(_, candidate)| *candidate == slot) {
        Some((name, _)) => raw_header_value(head, name, method.parameters[slot].arity),
        None => RawValue::Absent,
    }
}

/// Returns the path segment with this index as a raw value. An empty segment counts as absent.
pub(super) fn raw_segment_value<'a>(segments: &'a Segments, index: usize) -> RawValue<'a> {
    match segments.get(index) {
        Some(segment) if !segment.is_empty() => RawValue::Text(Cow::Borrowed(segment)),
        _ => RawValue::Absent,
    }
}

/// Returns the values of all header fields with this name as one raw value (RFC 9110 section 5.3).
pub(super) fn raw_header_value<'a>(head: &'a Head, name: &http::HeaderName, arity: Arity) -> RawValue<'a> {
    let mut raw = RawValue::Absent;
    for (_, value) in head.headers.iter().filter(|(candidate, _)| candidate == name) {
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => raw.add_text(Cow::Borrowed(text), arity, false),
            Err(_) => return RawValue::InvalidUtf8,
        }
    }
    raw
}

impl<'a> RawValue<'a> {
    /// Adds a text that the client sent for the parameter. If the parameter accepts only one value and already has a
    /// value, the text replaces this value if `uses_last_value` is `true`; otherwise the raw value becomes `Repeated`.
    /// The same applies to a parameter whose value is an array with names in brackets, except that the text becomes an
    /// item of the array instead of an error.
    pub(super) fn add_text(&mut self, text: Cow<'a, str>, arity: Arity, uses_last_value: bool) {
        *self = match std::mem::take(self) {
            RawValue::Absent => RawValue::Text(text),
            RawValue::Text(first) if arity == Arity::Many => RawValue::Texts(vec![first, text]),
            RawValue::Texts(mut texts) => {
                texts.push(text);
                RawValue::Texts(texts)
            }
            _ if uses_last_value => RawValue::Text(text),
            RawValue::Array(mut array) if arity == Arity::Many => match array.push(Value::Text(text)) {
                Ok(()) => RawValue::Array(array),
                Err(_) => RawValue::Repeated,
            },
            _ => RawValue::Repeated,
        };
    }

    /// Returns the values that were sent without brackets for a parameter that accepts several values, as the beginning
    /// of an array whose other items are sent with brackets. Returns `None` if there is no such value.
    pub(super) fn into_array(self, arity: Arity) -> Option<Box<PhpArray<'a>>> {
        let values: Vec<Value<'a>> = match (self, arity) {
            (RawValue::Array(array), _) => return Some(array),
            (RawValue::Absent, _) => Vec::new(),
            (RawValue::Text(text), Arity::Many) => vec![Value::Text(text)],
            (RawValue::Texts(texts), Arity::Many) => texts.into_iter().map(Value::Text).collect(),
            (RawValue::File(upload), Arity::Files) => vec![Value::File(upload)],
            (RawValue::Files(uploads), Arity::Files) => uploads.into_iter().map(Value::File).collect(),
            _ => return None,
        };
        let mut array = Box::<PhpArray<'_>>::default();
        values.into_iter().try_for_each(|value| array.push(value)).ok()?;
        Some(array)
    }

    /// Adds a file that the client sent for the parameter, under the same conditions as [`RawValue::add_text`].
    pub(super) fn add_file(&mut self, upload: Upload, arity: Arity, uses_last_value: bool) {
        *self = match std::mem::take(self) {
            RawValue::Absent => RawValue::File(upload),
            RawValue::File(first) if arity == Arity::Files => RawValue::Files(vec![first, upload]),
            RawValue::Files(mut files) => {
                files.push(upload);
                RawValue::Files(files)
            }
            _ if uses_last_value => RawValue::File(upload),
            RawValue::Array(mut array) if arity == Arity::Files => match array.push(Value::File(upload)) {
                Ok(()) => RawValue::Array(array),
                Err(_) => RawValue::Repeated,
            },
            _ => RawValue::Repeated,
        };
    }
}
