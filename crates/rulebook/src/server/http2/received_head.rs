//! The head of a request over HTTP/2, after `h2` has decompressed it.

use bytes::BytesMut;
use http::header::{CONTENT_LENGTH, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use rulebook_model::connection_limits::{ConnectionLimit, HEAD_FIELDS, HEAD_SIZE};

use crate::server::connection_limits::{MAX_FIELDS, MAX_HEAD_LEN};

/// The number of bytes of a header field besides its name and its value: those of HTTP/1, so that a head has the same
/// length in all versions.
const FIELD_OVERHEAD: usize = 4;

/// The head of a request.
pub(super) struct ReceivedHead {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// The length of the head in bytes.
    pub(super) length: usize,
    /// The number of fields by which the fields have become fewer because some were joined.
    pub(super) joined_fields: usize,
    /// The limit that the head exceeds. `headers` then contains only some of the fields.
    pub(super) exceeded: Option<ConnectionLimit>,
}

/// The head contradicts itself (RFC 9113 section 8.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MalformedHead;

impl ReceivedHead {
    /// Converts a head. `has_body` is `false` if the request ends with its head.
    ///
    /// # Errors
    /// Fails if `Content-Length` is repeated or invalid, or announces a body that the request does not have. `h2`
    /// checks the length of a body that the request has.
    pub(super) fn new(parts: Parts, has_body: bool) -> Result<Self, MalformedHead> {
        let Parts { method, uri, headers: mut received, .. } = parts;
        check_content_length(&received, has_body)?;
        let joined_fields = join_cookies(&mut received);
        let is_over = received.len() > MAX_FIELDS;
        let mut headers: Vec<(HeaderName, HeaderValue)> = Vec::with_capacity(received.len().min(MAX_FIELDS));
        let mut length = method.as_str().len() + uri.path().len() + uri.query().map_or(0, str::len);
        for (name, value) in received.into_iter().take(MAX_FIELDS) {
            // The iterator returns `None` as the name if it is the same as the name of the previous field.
            let Some(name) = name.or_else(|| headers.last().map(|(name, _)| name.clone())) else { continue };
            length += name.as_str().len() + value.len() + FIELD_OVERHEAD;
            headers.push((name, value));
        }
        let exceeded = match length {
            _ if is_over => Some(HEAD_FIELDS),
            length => (length > MAX_HEAD_LEN).then_some(HEAD_SIZE),
        };
        Ok(Self { method, uri, headers, length, joined_fields, exceeded })
    }
}

fn check_content_length(headers: &HeaderMap, has_body: bool) -> Result<(), MalformedHead> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(()) };
    let length = length.to_str().ok().filter(|length| length.bytes().all(|byte| byte.is_ascii_digit()));
    let length: u64 = length.and_then(|length| length.parse().ok()).ok_or(MalformedHead)?;
    if lengths.next().is_none() && (has_body || length == 0) { Ok(()) } else { Err(MalformedHead) }
}

/// Joins the fields `Cookie`, into which a client may split its cookies to compress them (RFC 9113 section 8.2.3).
/// Returns the number of fields by which they have become fewer.
fn join_cookies(headers: &mut HeaderMap) -> usize {
    // No field is repeated in most requests.
    if headers.len() == headers.keys_len() {
        return 0;
    }
    let mut all = BytesMut::new();
    let mut count = 0;
    for cookies in headers.get_all(COOKIE) {
        if count > 0 {
            all.extend_from_slice(b"; ");
        }
        all.extend_from_slice(cookies.as_bytes());
        count += 1;
    }
    match HeaderValue::from_maybe_shared(all.freeze()) {
        Ok(joined) if count > 1 => {
            headers.insert(COOKIE, joined);
            count - 1
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(fields: &[(&'static str, &str)], has_body: bool) -> Result<ReceivedHead, MalformedHead> {
        let mut request = Request::new(());
        for (name, value) in fields {
            request.headers_mut().append(*name, HeaderValue::from_str(value).expect("the value is valid"));
        }
        ReceivedHead::new(request.into_parts().0, has_body)
    }

    #[test]
    fn cookies_are_joined_before_the_fields_are_counted() {
        let crumbs: Vec<_> = (0..300).map(|_| ("cookie", "a=b")).chain([("x-other", "1"), ("x-other", "2")]).collect();
        let head = head(&crumbs, false).expect("the head is valid");
        assert_eq!((head.exceeded, head.joined_fields), (None, 299));
        let fields: Vec<_> =
            head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        let joined = vec!["a=b"; 300].join("; ");
        assert_eq!(fields, [("cookie", &joined[..]), ("x-other", "1"), ("x-other", "2")]);
    }

    #[test]
    fn heads_with_too_many_or_too_long_fields_exceed_a_limit() {
        let limit = |fields: &[(&'static str, &str)]| {
            head(fields, false).expect("the head is valid").exceeded.map(|limit| limit.name)
        };
        assert_eq!(limit(&vec![("a", ""); MAX_FIELDS]), None);
        assert_eq!(limit(&vec![("a", ""); MAX_FIELDS + 1]), Some("head-fields"));
        assert_eq!(limit(&[("a", &"b".repeat(MAX_HEAD_LEN))]), Some("head-size"));
        assert_eq!(limit(&[("a", &"b".repeat(MAX_HEAD_LEN - 100))]), None);
    }

    #[test]
    fn content_lengths_that_contradict_the_request_are_malformed() {
        for (lengths, has_body, is_valid) in [
            (&["5"][..], true, true),
            (&["0"], true, true),
            (&["0"], false, true),
            (&[], false, true),
            (&["5"], false, false),
            (&["5", "5"], true, false),
            (&["5", "6"], true, false),
            (&["0", "0"], false, false),
            (&[""], true, false),
            (&["+5"], true, false),
            (&["5, 5"], true, false),
            (&["5 "], true, false),
            (&["99999999999999999999"], true, false),
        ] {
            let fields: Vec<_> = lengths.iter().map(|length| ("content-length", *length)).collect();
            assert_eq!(head(&fields, has_body).is_ok(), is_valid, "{lengths:?} {has_body}");
        }
    }
}
