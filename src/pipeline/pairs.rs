//! `name=value&…` in a query or an urlencoded body, taken apart.
//!
//! As browsers write and the WHATWG's URL standard reads it (section 5.1):
//! `+` is a blank, a `%` that begins no escape is itself, empty pieces are
//! passed over, a name without `=` has an empty value. Only what holds `%` or
//! `+` is copied.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::call::Head;

/// Names and values, still encoded.
pub(super) fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &pair[pair.len()..]),
        }
    })
}

/// The text without its encoding; none where it is not UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let blanks: Vec<u8> = bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    String::from_utf8(percent_decode(&blanks).collect()).ok().map(Cow::Owned)
}

/// The values of the query's fields of this name, each none where it is not UTF-8.
pub(super) fn query_values<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = Option<Cow<'a, str>>> {
    let named = pairs(head.query().as_bytes()).filter(move |(own, _)| decode(own).is_some_and(|own| own == name));
    named.map(|(_, value)| decode(value))
}
