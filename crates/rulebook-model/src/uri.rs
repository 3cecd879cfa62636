//! The percent-encoding of texts in URIs (RFC 3986 section 2.1).

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::call::MalformedRequest;

/// Decodes the percent-encoding of a path or of a path segment.
///
/// # Errors
/// Fails if a `%` is not followed by two hexadecimal digits, or the decoded bytes are not UTF-8.
pub fn percent_decode(text: &str) -> Result<Cow<'_, str>, MalformedRequest> {
    let is_escape = |digits: &str| digits.as_bytes().get(..2).is_some_and(|it| it.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return Err(MalformedRequest::PathEscape);
    }
    percent_decode_str(text).decode_utf8().map_err(|_| MalformedRequest::PathEncoding)
}
