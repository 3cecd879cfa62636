//! Parses the head of a request: request line and header fields (RFC 9112 sections 2 to 6).

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri, Version};
use httparse::Status;
use memchr::memchr_iter;
use rulebook_model::connection_limits::{ConnectionLimit, HEAD_FIELDS, HEAD_SIZE, HEAD_TIME, REQUEST_MEMORY};

use super::connection_fields::ConnectionFields;
use super::framing::Framing;
use crate::call::Head;
use crate::server::connection_limits::{MAX_FIELDS, MAX_HEAD_LEN};

/// The end of a head: the line end of its last line, and an empty line.
const HEAD_END: &[u8; 4] = b"\r\n\r\n";

/// What the head of a request says about the connection and the body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) version: Version,
    /// How the body is delimited; `None` if the request has no body.
    pub(super) framing: Option<Framing>,
    /// `true` if the client waits for `100 Continue` before it sends the body.
    pub(super) expects_continue: bool,
    /// `true` if the client can send another request on the connection.
    pub(super) keeps_open: bool,
}

/// The reason why a head cannot be used. The response has this status, and the connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HeadError {
    pub(super) status: StatusCode,
    /// The text of the response.
    pub(super) why: &'static str,
    /// The limit of connections that the head exceeds.
    pub(super) limit: Option<ConnectionLimit>,
}

pub(super) const fn bad_request(why: &'static str) -> HeadError {
    HeadError { status: StatusCode::BAD_REQUEST, why, limit: None }
}

const INVALID_TARGET: HeadError = bad_request("the request target is invalid");
/// Servers and proxies disagree about whether LF alone ends a line (RFC 9112 section 2.2), and therefore about where a
/// request ends.
const BARE_LINE_END: HeadError = bad_request("a line does not end with CR and LF");
/// The client has closed the connection before the head was complete.
pub(super) const INCOMPLETE: HeadError = bad_request("the head of the request is incomplete");
/// The client has not sent the head in time.
pub(super) const TOO_SLOW: HeadError = HeadError {
    status: StatusCode::REQUEST_TIMEOUT,
    why: "the head of the request did not arrive in time",
    limit: Some(HEAD_TIME),
};
/// The heads and bodies of all requests use too much memory.
pub(super) const NO_MEMORY: HeadError = HeadError {
    status: StatusCode::SERVICE_UNAVAILABLE,
    why: "the server has no memory for the request at the moment",
    limit: Some(REQUEST_MEMORY),
};
/// The client sends a request without TLS to an address with TLS.
pub(super) const NO_TLS: HeadError = bad_request("this address needs TLS: the URL begins with https://");
pub(super) const NO_CONNECTION: HeadError = HeadError {
    status: StatusCode::SERVICE_UNAVAILABLE,
    why: "the server has too many connections at the moment",
    limit: None,
};
const TOO_LONG: HeadError = HeadError {
    status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    why: "the head of the request is too long",
    limit: Some(HEAD_SIZE),
};
const TOO_MANY_FIELDS: HeadError = HeadError {
    status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    why: "the request has too many header fields",
    limit: Some(HEAD_FIELDS),
};
pub(super) const UNKNOWN_CODING: HeadError = HeadError {
    status: StatusCode::NOT_IMPLEMENTED,
    why: "the only supported transfer coding is chunked",
    limit: None,
};
const UNKNOWN_VERSION: HeadError = HeadError {
    status: StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    why: "the supported versions of HTTP are 1.0 and 1.1",
    limit: None,
};
/// The preface of HTTP/2, where the server does not expect it.
const HTTP2_DISABLED: HeadError = HeadError {
    status: StatusCode::HTTP_VERSION_NOT_SUPPORTED,
    why: "HTTP/2 needs the setting `http2` of the server, and begins with the connection",
    limit: None,
};

/// Takes the bytes of a head from the beginning of the received bytes. Returns `None` if more bytes have to be received
/// first. `searched` is the number of bytes that are known not to contain the end of the head; it must be 0 for the
/// first call, and is updated for the next call.
///
/// # Errors
/// Fails if the head is too long, or is certainly invalid.
pub(super) fn take_head(received: &mut BytesMut, searched: &mut usize) -> Result<Option<Bytes>, HeadError> {
    // Empty lines before a request line are ignored (RFC 9112 section 2.2).
    while received.starts_with(b"\r\n") && *searched == 0 {
        let _ = received.split_to(2);
    }
    // This may be the first half of an empty line.
    if &received[..] == b"\r" {
        return Ok(None);
    }
    // Bytes that cannot begin a request line are refused before the head is complete, such as those of TLS.
    if received.first().is_some_and(|byte| !byte.is_ascii_graphic() && !b"\r\n".contains(byte)) {
        return Err(bad_request("the request line is invalid"));
    }
    let mut end = None;
    for line_end in memchr_iter(b'\n', &received[*searched..]).map(|at| *searched + at + 1) {
        let head = &received[..line_end];
        if head.last_chunk() != Some(b"\r\n") {
            return Err(BARE_LINE_END);
        }
        if head.last_chunk() == Some(HEAD_END) {
            end = Some(line_end);
            break;
        }
    }
    let Some(length) = end else {
        *searched = received.len();
        return if received.len() > MAX_HEAD_LEN { Err(TOO_LONG) } else { Ok(None) };
    };
    *searched = 0;
    if length > MAX_HEAD_LEN {
        return Err(TOO_LONG);
    }
    Ok(Some(received.split_to(length).freeze()))
}

/// Parses the bytes of a head. Sets the method, the request target and the header fields of `head`, which must have no
/// header fields.
///
/// # Errors
/// Fails if the head is invalid.
pub(super) fn parse_head(text: &Bytes, head: &mut Head) -> Result<Delivery, HeadError> {
    let mut space = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request.parse_with_uninit_headers(text, &mut space).map_err(|error| match error {
        httparse::Error::TooManyHeaders => TOO_MANY_FIELDS,
        httparse::Error::Version if text.starts_with(b"PRI * HTTP/2.0\r\n") => HTTP2_DISABLED,
        httparse::Error::Version => UNKNOWN_VERSION,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => bad_request("a header field is invalid"),
        _ => bad_request("the request line is invalid"),
    })?;
    let (Status::Complete(length), Some(method), Some(target), Some(version)) =
        (parsed, request.method, request.path, request.version)
    else {
        return Err(bad_request("the request line is invalid"));
    };
    if length != text.len() {
        return Err(BARE_LINE_END);
    }
    let version = if version == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    head.method = Method::from_bytes(method.as_bytes()).map_err(|_| bad_request("the HTTP method is invalid"))?;
    head.uri = Uri::from_maybe_shared(text.slice_ref(target.as_bytes())).map_err(|_| INVALID_TARGET)?;
    head.headers.reserve(request.headers.len());
    let mut meaning = ConnectionFields::default();
    for field in &*request.headers {
        let name = HeaderName::from_bytes(field.name.as_bytes());
        let value = HeaderValue::from_maybe_shared(text.slice_ref(field.value));
        let (Ok(name), Ok(value)) = (name, value) else { return Err(bad_request("a header field is invalid")) };
        meaning.add(&name, &value)?;
        head.headers.push((name, value));
    }
    if version == Version::HTTP_11 && !meaning.has_host {
        return Err(bad_request("the header field `Host` is missing"));
    }
    let framing = meaning.framing(version)?;
    Ok(Delivery {
        version,
        framing,
        expects_continue: meaning.expects_continue && framing.is_some() && version == Version::HTTP_11,
        keeps_open: !meaning.closes && (version == Version::HTTP_11 || meaning.keeps_alive),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<(Head, Delivery), HeadError> {
        let mut head = Head::new(Method::GET, Uri::default());
        let text = take_head(&mut BytesMut::from(text), &mut 0)?.expect("the head is complete");
        parse_head(&text, &mut head).map(|delivery| (head, delivery))
    }

    #[test]
    fn a_head_is_taken_when_it_is_complete() {
        let text = b"\r\n\r\nPOST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
        let (mut received, mut searched) = (BytesMut::new(), 0);
        for byte in &text[..text.len() - 6] {
            received.extend_from_slice(&[*byte]);
            assert!(take_head(&mut received, &mut searched).unwrap().is_none());
        }
        received.extend_from_slice(b"\nhello");
        let text = take_head(&mut received, &mut searched).unwrap().unwrap();
        assert_eq!((&received[..], searched), (&b"hello"[..], 0));
        let (head, delivery) = parse(&text).unwrap();
        assert_eq!((head.method, head.uri), (Method::POST, Uri::from_static("/a?b=c")));
        assert_eq!((head.headers.len(), delivery.framing), (2, Some(Framing::Length(5))));
    }

    #[test]
    fn the_connection_stays_open_as_the_client_asks() {
        let cases = [
            ("HTTP/1.1\r\nHost: x", true),
            ("HTTP/1.1\r\nHost: x\r\nConnection: TE, Close", false),
            ("HTTP/1.0", false),
            ("HTTP/1.0\r\nConnection: Keep-Alive", true),
            ("HTTP/1.0\r\nConnection: keep-alive, close", false),
        ];
        for (fields, keeps_open) in cases {
            let (_, delivery) = parse(format!("GET / {fields}\r\n\r\n").as_bytes()).unwrap();
            assert_eq!(delivery.keeps_open, keeps_open, "{fields}");
        }
    }

    #[test]
    fn invalid_heads_are_refused() {
        let fields = |fields: &str| format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n").into_bytes();
        let cases = [
            (b"\x16\x03\x01".to_vec(), 400, "request line"),
            (b"GET\r\n\r\n".to_vec(), 400, "request line"),
            (b"GET / HTTP/3.0\r\n\r\n".to_vec(), 505, "versions"),
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), 400, "`Host` is missing"),
            (b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 400, "target"),
            (b"GET / HTTP/1.1\nHost: x\n\nGET / HTTP/1.1\r\n\r\n".to_vec(), 400, "CR and LF"),
            (b"\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(), 400, "CR and LF"),
            (fields("a: b\nc: d"), 400, "CR and LF"),
            (fields("a: b\n"), 400, "CR and LF"),
            (fields("a: b\rc: d"), 400, "header field is invalid"),
            (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), 400, "HTTP/1.0"),
            (fields("Host: y"), 400, "`Host` is repeated"),
            (fields("no colon"), 400, "header field is invalid"),
            (fields("Content-Length: +1"), 400, "`Content-Length` is invalid"),
            (fields("Content-Length:"), 400, "`Content-Length` is invalid"),
            (fields("Content-Length: 18446744073709551616"), 400, "`Content-Length` is invalid"),
            (fields("Content-Length: 1\r\nContent-Length: 1"), 400, "`Content-Length` is repeated"),
            (fields("Content-Length: 1\r\nTransfer-Encoding: chunked"), 400, "both header fields"),
            (fields("Transfer-Encoding: gzip, chunked"), 501, "transfer coding"),
            (fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 501, "transfer coding"),
            (fields(&vec!["a: b"; MAX_FIELDS].join("\r\n")), 431, "too many"),
            (fields(&format!("a: {}", "b".repeat(MAX_HEAD_LEN))), 431, "too long"),
            (vec![b'A'; MAX_HEAD_LEN + 1], 431, "too long"),
        ];
        for (text, status, why) in cases {
            let error = parse(&text).unwrap_err();
            let text = String::from_utf8_lossy(&text[..text.len().min(80)]).into_owned();
            assert!(error.status.as_u16() == status && error.why.contains(why), "{text:?}: {error:?}");
        }
    }
}
