//! Bodies that are expensive to parse: JSON, forms, multipart and chunks.

use super::{AUTHORIZATION, Row, post, post_chunked_head, repeated};

/// The length in bytes of most bodies: slightly below the limit of the definition.
const LEN: usize = 260_000;
const SEARCH: &str = "/publication/search";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Returns the rows of this family.
pub fn rows() -> Vec<Row> {
    let keys = (0..22_000).map(|number| format!("\"{number}\":1")).collect::<Vec<_>>().join(",");
    let different: String = (0..28_000).map(|number| format!("a{number}=&")).collect();
    let brackets: String = (0..18_000).map(|number| format!("a[b][{number}]=&")).collect();
    let coded = post(SEARCH, "application/json\r\nContent-Encoding: gzip", &[0x1f; 60_000]);
    let tiny = in_chunks(SEARCH, JSON, format!(r#"{{"words":"{}"}}"#, "x".repeat(160_000)).as_bytes());
    let extensions = format!("1;{}\r\n \r\n", "x".repeat(900)).repeat(1_000);
    let extensions = format!("2\r\n{{}}\r\n{extensions}0\r\n\r\n").into_bytes();
    let extensions = [post_chunked_head(SEARCH, JSON), extensions].concat();
    let dispatch = post("/", FORM, "modul=&".repeat(9_000).as_bytes());
    let boundary = "b".repeat(70);
    let near_boundary = [b"\r\n--", &[b'b'; 69][..]].concat();
    let part = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n";
    let long_boundary = "b".repeat(30_000);
    let words = format!("--{long_boundary}\r\nContent-Disposition: form-data; name=\"words\"\r\n\r\n{long_boundary}");
    let long_boundary = in_chunks("/iapi/file", &multipart(&long_boundary), words.as_bytes());
    let near = in_chunks("/iapi/file", &multipart(&boundary), &file(&boundary, &near_boundary.repeat(2_000)));
    vec![
        json("json-nesting", "JSON with 130,000 nested arrays", "[".repeat(LEN)),
        json("json-nested-pairs", "JSON with 25,000 nested objects", r#"{"a":["#.repeat(LEN / 6)),
        json("json-keys", "JSON with 22,000 different keys", format!("{{{keys}}}")),
        json("json-same-keys", "JSON with 40,000 equal keys", format!("{{{}\"a\":1}}", "\"a\":1,".repeat(LEN / 6 - 2))),
        json("json-array", "an array of 130,000 numbers", format!(r#"{{"words":[{}0]}}"#, "0,".repeat(LEN / 2 - 20))),
        json("json-number", "a number of 260,000 digits", format!(r#"{{"page":{}}}"#, "9".repeat(LEN - 20))),
        json("json-exponent", "260,000 decimals", format!(r#"{{"page":0.{}e-999999999}}"#, "1".repeat(LEN - 40))),
        json("json-string", "43,000 escapes", format!(r#"{{"words":"{}"}}"#, r"\ud83d\ude00".repeat(LEN / 12 - 2))),
        json("json-spaces", "JSON of 260 KB of spaces", " ".repeat(LEN)),
        form("form-pairs", "a form with 130,000 parameters", "a&".repeat(LEN / 2)),
        form("form-different", "a form with 28,000 different parameters", different),
        form("form-brackets", "a form with 18,000 names in brackets", brackets),
        form("form-deep", "a form with a name of 85,000 brackets", format!("a{}=b", "[b]".repeat(LEN / 3 - 2))),
        form("form-escapes", "a form of 87,000 escapes", format!("words={}", "%41".repeat(LEN / 3 - 3))),
        repeated("dispatch", "a form without names of module and method", dispatch, 16, &[400, 404, 405, 413]),
        repeated(
            "multipart-long-boundary",
            "a boundary of 30,000 characters, in chunks of 1 byte",
            long_boundary,
            1,
            &[],
        ),
        repeated("multipart-near-in-chunks", "the beginning of a boundary, in chunks of 1 byte", near, 1, &[]),
        parts(
            "multipart-near-boundaries",
            "the same at once",
            &boundary,
            &file(&boundary, &near_boundary.repeat(13_000)),
        ),
        parts("multipart-line-ends", "a file full of CR and LF", "XX", &file("XX", &b"\r\n".repeat(500_000))),
        parts("multipart-tiny-parts", "20,000 empty parts", "XX", format!("{part}\r\n\r\n").repeat(20_000).as_bytes()),
        parts("multipart-part-head", "a head of 1 MB", "XX", format!("{part}X: {}", "x".repeat(1_000_000)).as_bytes()),
        parts("multipart-preamble", "1 MB before the first boundary", "XX", "\r\n--X".repeat(200_000).as_bytes()),
        repeated("tiny-chunks", "JSON in chunks of 1 byte", tiny, 1, &[]),
        repeated("chunk-extensions", "chunks of 1 byte with extensions of 900 bytes", extensions, 1, &[]),
        repeated(
            "unused-body",
            "bodies of 60 KB that are not used",
            post("/healthz", JSON, &[b'x'; 60_000]),
            16,
            &[405],
        ),
        repeated("coded-body", "bodies of 60 KB with `Content-Encoding: gzip`", coded, 16, &[400, 413, 415]),
    ]
}

fn json(name: &'static str, about: &'static str, body: String) -> Row {
    repeated(name, about, post(SEARCH, JSON, &body.into_bytes()), 4, &[])
}

fn form(name: &'static str, about: &'static str, body: String) -> Row {
    repeated(name, about, post(SEARCH, FORM, &body.into_bytes()), 4, &[])
}

/// Returns a row that sends a multipart body to a method that accepts files, and that requires the key.
fn parts(name: &'static str, about: &'static str, boundary: &str, body: &[u8]) -> Row {
    repeated(name, about, post("/iapi/file", &multipart(boundary), body), 1, &[])
}

/// Returns the media type of a multipart body, followed by the header field with the key.
fn multipart(boundary: &str) -> String {
    format!("multipart/form-data; boundary={boundary}\r\n{AUTHORIZATION}")
}

/// Returns a multipart body with one file, without its end. The file begins like an image, so that it is stored.
fn file(boundary: &str, content: &[u8]) -> Vec<u8> {
    let head =
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"a.gif\"\r\n\r\nGIF89a");
    [head.as_bytes(), content].concat()
}

/// Returns a request whose body has the chunked coding, with chunks of 1 byte.
fn in_chunks(target: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = post_chunked_head(target, media_type);
    for byte in body {
        bytes.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}
