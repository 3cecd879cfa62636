//! Raw values of parameters: values as the client sent them, before they are decoded and checked. The permission check
//! reads raw values from the head of a request before the body has arrived.

use std::borrow::Cow;

use http::HeaderName;
use rulebook_model::types::Arity;

use crate::call::{ETagList, Head, PhpArray, Upload, Value};
use crate::plan::{PlannedMethod, PlannedParameter, Segments};

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
        return raw_segment_value(head, segments, *segment);
    }
    match method.header_slots.iter().find(|(_, candidate)| *candidate == slot) {
        Some((name, _)) => raw_header_value(head, name, &method.parameters[slot]),
        None => RawValue::Absent,
    }
}

/// Returns the path segment with this index as a raw value. An empty segment counts as absent.
pub(super) fn raw_segment_value<'a>(head: &'a Head, segments: &'a Segments, index: usize) -> RawValue<'a> {
    match segments.get(head.uri.path(), index) {
        Some(segment) if !segment.is_empty() => RawValue::Text(Cow::Borrowed(segment)),
        _ => RawValue::Absent,
    }
}

/// Returns the values of all header fields with this name as one raw value (RFC 9110 section 5.3).
pub(super) fn raw_header_value<'a>(head: &'a Head, name: &HeaderName, parameter: &PlannedParameter) -> RawValue<'a> {
    if parameter.is_entity_tag {
        raw_versions(head, name, parameter.arity)
    } else {
        raw_texts(head, name, parameter.arity)
    }
}

/// Returns the versions whose entity tags are in a header field. `*` does not name a version, so that it counts as
/// absent. A version without quotes is read too, as programs send it that know only its type.
///
/// A tag that a proxy has weakened, because it compresses, still names the version: the server itself sends only strong
/// ones, and a version is that of the resource and not of the bytes of a response.
fn raw_versions<'a>(head: &'a Head, name: &HeaderName, arity: Arity) -> RawValue<'a> {
    let Some(list) = ETagList::from_head(head, name) else { return RawValue::Absent };
    if list.is_malformed() {
        return raw_texts(head, name, arity);
    }
    let mut raw = RawValue::Absent;
    list.tags().iter().for_each(|tag| raw.add(Value::Text(tag.version().into()), arity, false));
    raw
}

fn raw_texts<'a>(head: &'a Head, name: &HeaderName, arity: Arity) -> RawValue<'a> {
    let mut raw = RawValue::Absent;
    for (_, value) in head.headers.iter().filter(|(candidate, _)| candidate == name) {
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => raw.add(text.into(), arity, false),
            Err(_) => return RawValue::InvalidUtf8,
        }
    }
    raw
}

impl<'a> RawValue<'a> {
    /// Adds a text or a file that the client sent for the parameter. If the parameter accepts only one value and
    /// already has a value, the new value replaces it if `uses_last_value` is `true`; otherwise the raw value becomes
    /// `Repeated`. In an array with names in brackets, the new value becomes an item.
    pub(super) fn add(&mut self, value: Value<'a>, arity: Arity, uses_last_value: bool) {
        let is_several = matches!((arity, &value), (Arity::Many, Value::Text(_)) | (Arity::Files, Value::File(_)));
        *self = match (std::mem::take(self), value) {
            (RawValue::Absent, value) => Self::single(value),
            (RawValue::Text(first), Value::Text(text)) if is_several => RawValue::Texts(vec![first, text]),
            (RawValue::Texts(mut texts), Value::Text(text)) => {
                texts.push(text);
                RawValue::Texts(texts)
            }
            (RawValue::File(first), Value::File(upload)) if is_several => RawValue::Files(vec![first, upload]),
            (RawValue::Files(mut files), Value::File(upload)) => {
                files.push(upload);
                RawValue::Files(files)
            }
            (_, value) if uses_last_value => Self::single(value),
            (RawValue::Array(mut array), value) if is_several => match array.push(value) {
                Ok(()) => RawValue::Array(array),
                Err(_) => RawValue::Repeated,
            },
            _ => RawValue::Repeated,
        };
    }

    fn single(value: Value<'a>) -> Self {
        match value {
            Value::Text(text) => RawValue::Text(text),
            Value::File(upload) => RawValue::File(upload),
            value => RawValue::Json(value),
        }
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
}
