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
    let spaces: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&spaces).collect()).ok().map(Cow::Owned)
}

/// Returns the decoded values of all query fields with this name. A value that is not UTF-8 is returned as `None`.
pub fn query_values<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = Option<Cow<'a, str>>> {
    let named =
        split_fields(head.query().as_bytes()).filter(move |(key, _)| decode_text(key).is_some_and(|key| key == name));
    named.map(|(_, value)| decode_text(value))
}
