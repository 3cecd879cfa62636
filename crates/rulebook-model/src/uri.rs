//! The percent-encoding of texts in URIs (RFC 3986 section 2.1).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};

use crate::call::MalformedRequest;

/// All characters except the unreserved characters (RFC 3986 section 2.3), which have no special meaning in any part of
/// a URI.
pub(crate) const ALL_EXCEPT_UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a text, so that it can be a path segment, or a name or a value in a query. Only unreserved
/// characters are not encoded.
#[must_use]
pub fn percent_encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ALL_EXCEPT_UNRESERVED)
}

/// Decodes the percent-encoding of a path or of a path segment.
///
/// # Errors
/// Fails if a `%` is not followed by two hexadecimal digits, or the decoded bytes are not UTF-8.
pub fn percent_decode(text: &str) -> Result<Cow<'_, str>, MalformedRequest> {
    if !has_complete_escapes(text) {
        return Err(MalformedRequest::PathEscape);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| MalformedRequest::PathEncoding)
}

/// Returns `true` if each `%` in a text is followed by two hexadecimal digits.
pub(crate) fn has_complete_escapes(text: &str) -> bool {
    let is_escape = |digits: &str| digits.as_bytes().get(..2).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit));
    text.split('%').skip(1).all(is_escape)
}
