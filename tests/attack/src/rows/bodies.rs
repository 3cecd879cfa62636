//! Bodies that are expensive to parse: JSON, forms, multipart and chunks.

use super::{Attacker, Row, per_megabyte, post, post_chunked_head};
use crate::Result;

/// The rows of this family.
pub const ROWS: &[Row] = &[
    per_megabyte("json-nesting", "JSON with 130,000 nested arrays", |attacker| {
        send_json(attacker, "[".repeat(BODY_LEN))
    }),
    per_megabyte("json-nested-pairs", "JSON with 25,000 nested objects", |attacker| {
        send_json(attacker, r#"{"a":["#.repeat(BODY_LEN / 6))
    }),
    per_megabyte("json-keys", "JSON with 30,000 different keys", |attacker| {
        let pairs: Vec<_> = (0..22_000).map(|number| format!("\"{number}\":1")).collect();
        send_json(attacker, format!("{{{}}}", pairs.join(",")))
    }),
    per_megabyte("json-same-keys", "JSON with 40,000 equal keys", |attacker| {
        send_json(attacker, format!("{{{}\"a\":1}}", "\"a\":1,".repeat(BODY_LEN / 6 - 2)))
    }),
    per_megabyte("json-array", "JSON with an array of 130,000 numbers", |attacker| {
        send_json(attacker, format!(r#"{{"words":[{}0]}}"#, "0,".repeat(BODY_LEN / 2 - 20)))
    }),
    per_megabyte("json-number", "JSON with a number of 260,000 digits", |attacker| {
        send_json(attacker, format!(r#"{{"page":{}}}"#, "9".repeat(BODY_LEN - 20)))
    }),
    per_megabyte("json-exponent", "JSON with a number of 260,000 decimals", |attacker| {
        send_json(attacker, format!(r#"{{"page":0.{}e-999999999}}"#, "1".repeat(BODY_LEN - 40)))
    }),
    per_megabyte("json-string", "JSON with a string of 43,000 escapes", |attacker| {
        send_json(attacker, format!(r#"{{"words":"{}"}}"#, r"\ud83d\ude00".repeat(BODY_LEN / 12 - 2)))
    }),
    per_megabyte("json-spaces", "JSON of 260 KB of spaces", |attacker| send_json(attacker, " ".repeat(BODY_LEN))),
    per_megabyte("form-pairs", "a form with 130,000 parameters", |attacker| {
        send_form(attacker, "a&".repeat(BODY_LEN / 2))
    }),
    per_megabyte("form-different", "a form with 30,000 different parameters", |attacker| {
        let pairs: String = (0..28_000).map(|number| format!("a{number}=&")).collect();
        send_form(attacker, pairs)
    }),
    per_megabyte("form-brackets", "a form with 20,000 names in brackets", |attacker| {
        let pairs: String = (0..18_000).map(|number| format!("a[b][{number}]=&")).collect();
        send_form(attacker, pairs)
    }),
    per_megabyte("form-deep", "a form with a name of 85,000 brackets", |attacker| {
        send_form(attacker, format!("a{}=b", "[b]".repeat(BODY_LEN / 3 - 2)))
    }),
    per_megabyte("form-escapes", "a form of 87,000 percent-encoded bytes", |attacker| {
        send_form(attacker, format!("words={}", "%41".repeat(BODY_LEN / 3 - 3)))
    }),
    per_megabyte("dispatch", "a form whose names of module and method are missing", |attacker| {
        let request = post("/", "application/x-www-form-urlencoded", "modul=&".repeat(9_000).as_bytes());
        attacker.repeat(&request, 16, &[400, 404, 405, 413])
    }),
    per_megabyte(
        "multipart-long-boundary",
        "multipart with a boundary of 30,000 characters, in chunks of 1 byte",
        |attacker| {
            let boundary = "b".repeat(30_000);
            let body = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"words\"\r\n\r\n{boundary}");
            send_multipart_in_chunks(attacker, &boundary, body.as_bytes())
        },
    ),
    per_megabyte("multipart-near-boundaries", "a file full of the first 69 characters of its boundary", |attacker| {
        let boundary = "b".repeat(70);
        send_multipart(attacker, &boundary, &file_part(&boundary, &near_boundary().repeat(13_000)))
    }),
    per_megabyte("multipart-near-in-chunks", "the same in chunks of 1 byte", |attacker| {
        let boundary = "b".repeat(70);
        send_multipart_in_chunks(attacker, &boundary, &file_part(&boundary, &near_boundary().repeat(2_000)))
    }),
    per_megabyte("multipart-line-ends", "a file full of CR and LF", |attacker| {
        send_multipart(attacker, "XX", &file_part("XX", &b"\r\n".repeat(500_000)))
    }),
    per_megabyte("multipart-tiny-parts", "multipart with 20,000 empty parts", |attacker| {
        let part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
        send_multipart(attacker, "XX", part.repeat(20_000).as_bytes())
    }),
    per_megabyte("multipart-part-head", "multipart with a part head of 1 MB", |attacker| {
        let body = format!("--XX\r\nContent-Disposition: form-data; name=\"a\"\r\nX: {}", "x".repeat(1_000_000));
        send_multipart(attacker, "XX", body.as_bytes())
    }),
    per_megabyte("multipart-preamble", "multipart with 1 MB before the first boundary", |attacker| {
        send_multipart(attacker, "XX", "\r\n--X".repeat(200_000).as_bytes())
    }),
    per_megabyte("tiny-chunks", "JSON in chunks of 1 byte", |attacker| {
        let body = format!(r#"{{"words":"{}"}}"#, "x".repeat(160_000));
        send_in_chunks(attacker, post_chunked_head("/publication/search", "application/json"), body.as_bytes())
    }),
    per_megabyte("chunk-extensions", "JSON in chunks of 1 byte with extensions of 900 bytes", |attacker| {
        let head = post_chunked_head("/publication/search", "application/json");
        let chunks = format!("1;{}\r\n \r\n", "x".repeat(900)).repeat(1_000);
        attacker.repeat(&[&head, &b"2\r\n{}\r\n"[..], chunks.as_bytes(), b"0\r\n\r\n"].concat(), 1, &[])
    }),
    per_megabyte("unused-body", "bodies of 60 KB to a path that accepts none", |attacker| {
        attacker.repeat(&post("/healthz", "application/json", &[b'x'; 60_000]), 16, &[405])
    }),
    per_megabyte("coded-body", "bodies of 60 KB with `Content-Encoding: gzip`", |attacker| {
        let request = post("/publication/search", "application/json\r\nContent-Encoding: gzip", &[0x1f; 60_000]);
        attacker.repeat(&request, 16, &[400, 413, 415])
    }),
];

/// The length in bytes of most bodies: slightly below the limit of the definition.
const BODY_LEN: usize = 260_000;

fn send_json(attacker: &mut Attacker<'_>, body: String) -> Result<()> {
    attacker.repeat(&post("/publication/search", "application/json", &body.into_bytes()), 4, &[])
}

fn send_form(attacker: &mut Attacker<'_>, body: String) -> Result<()> {
    let request = post("/publication/search", "application/x-www-form-urlencoded", &body.into_bytes());
    attacker.repeat(&request, 4, &[])
}

/// Sends a multipart body to a method that accepts files, with the key that the method requires.
fn send_multipart(attacker: &mut Attacker<'_>, boundary: &str, body: &[u8]) -> Result<()> {
    let head = multipart_head(attacker, boundary);
    attacker.repeat(&post("/iapi/file", &head, body), 1, &[])
}

/// Returns a line that is the beginning of the boundary of 70 characters.
fn near_boundary() -> Vec<u8> {
    [b"\r\n--", &[b'b'; 69][..]].concat()
}

/// Returns a multipart body with one file, without its end. The file begins like an image, so that it is stored.
fn file_part(boundary: &str, content: &[u8]) -> Vec<u8> {
    let head =
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.gif\"\r\n\r\nGIF89a");
    [head.as_bytes(), content].concat()
}

fn send_multipart_in_chunks(attacker: &mut Attacker<'_>, boundary: &str, body: &[u8]) -> Result<()> {
    let head = multipart_head(attacker, boundary);
    send_in_chunks(attacker, post_chunked_head("/iapi/file", &head), body)
}

/// Returns the media type, followed by the header field with the key.
fn multipart_head(attacker: &Attacker<'_>, boundary: &str) -> String {
    format!("multipart/form-data; boundary={boundary}\r\nAuthorization: Bearer {}", attacker.server.key)
}

/// Sends a request whose body has the chunked coding, with chunks of 1 byte.
fn send_in_chunks(attacker: &mut Attacker<'_>, head: Vec<u8>, body: &[u8]) -> Result<()> {
    let mut bytes = head;
    for byte in body {
        bytes.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    attacker.repeat(&bytes, 1, &[])
}
