//! Parses urlencoded text (`name=value&…`), which a query or a form body (`application/x-www-form-urlencoded`)
//! contains.
//!
//! Parsing follows the WHATWG URL standard, section 5.1: `+` is a space, a `%` without two hexadecimal digits after it
//! is kept, empty fields are skipped, and a name without `=` has an empty value. Text is copied only if it contains `%`
//! or `+`. Unlike in the standard, invalid UTF-8 is not replaced: [`decode_text`] returns `None`.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::call::Head;

/// Splits urlencoded text into fields, and returns the names and values of the fields without decoding them.
pub(super) fn split_fields(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &pair[pair.len()..]),
        }
    })
}

/// Decodes the name or the value of a field; returns `None` if the decoded bytes are not UTF-8.
pub(super) fn decode_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    for (index, part) in bytes.split(|byte| *byte == b'+').enumerate() {
        decoded.extend((index > 0).then_some(b' '));
        decoded.extend(percent_decode(part));
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// Returns the decoded values of all query fields with this name. A value that is not UTF-8 is returned as `None`.
pub fn query_values<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = Option<Cow<'a, str>>> {
    let named =
        split_fields(head.query().as_bytes()).filter(move |(key, _)| decode_text(key).is_some_and(|key| key == name));
    named.map(|(_, value)| decode_text(value))
}
