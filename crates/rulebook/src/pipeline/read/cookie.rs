//! Reads the raw values of those parameters that are in cookies (RFC 6265 section 4.2.1).

use std::borrow::Cow;

use http::header;

use super::{ParameterReader, RawValue};
use crate::call::Head;

/// Stores the values of those cookies that are parameters of the API method. Double quotes around a value are removed;
/// escapes in a value are not decoded.
pub(super) fn read_cookies<'a>(reading: &mut ParameterReader<'a, '_>, head: &'a Head) {
    for (_, field) in head.headers.iter().filter(|(name, _)| name == header::COOKIE) {
        for pair in field.as_bytes().split(|byte| *byte == b';') {
            let Some(at) = pair.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
            let method = reading.method;
            let Some(slot) = method.cookie_slots.iter().find(|slot| method.parameters[**slot].key.as_bytes() == name)
            else {
                continue;
            };
            let value = value.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")).unwrap_or(value);
            match std::str::from_utf8(value) {
                Ok(text) => {
                    let arity = method.parameters[*slot].arity;
                    reading.raw[*slot].add_text(Cow::Borrowed(text), arity, false);
                }
                Err(_) => reading.raw[*slot] = RawValue::InvalidUtf8,
            }
        }
    }
}
