//! Fuzz targets of the parsers of HTTP/1: the head of a request, and the chunked coding.

use bytes::{Bytes, BytesMut};
use http::{Method, Uri};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::framing::{ChunkState, Framing};
use super::head::{Delivery, HeadError, parse_head, take_head};
use crate::call::Head;
use crate::server::connection_limits::{MAX_FIELDS, MAX_HEAD_LEN};

/// The lengths of the pieces in which a text arrives.
const PIECES: [usize; 4] = [1, 2, 5, 100];

/// Takes a head from a text that arrives in pieces. Returns the head, and all bytes after it.
fn take_in_pieces(text: &[u8], piece: usize) -> Result<Option<(Bytes, Vec<u8>)>, HeadError> {
    let (mut received, mut searched, mut head) = (BytesMut::new(), 0, None);
    for part in text.chunks(piece) {
        received.extend_from_slice(part);
        if head.is_none() {
            head = take_head(&mut received, &mut searched)?;
        }
    }
    Ok(head.map(|head| (head, received.to_vec())))
}

fn parse(text: &Bytes) -> Result<(Head, Delivery), HeadError> {
    let mut head = Head::new(Method::GET, Uri::default());
    parse_head(text, &mut head).map(|delivery| (head, delivery))
}

/// A head is the same in whatever pieces it arrives. An accepted head has only lines that end with CR and LF, and
/// consists of exactly the method, the request target and the fields in these lines.
fn check_head(text: &[u8]) {
    let whole = take_in_pieces(text, text.len().max(1));
    for piece in PIECES {
        assert_eq!(take_in_pieces(text, piece), whole, "pieces of {piece}");
    }
    let Ok(Some((taken, _))) = whole else { return };
    let Ok((head, delivery)) = parse(&taken) else { return };
    assert!(taken.len() <= MAX_HEAD_LEN && head.headers.len() <= MAX_FIELDS);
    let mut lines = taken.strip_suffix(b"\r\n\r\n").unwrap().split(|byte| *byte == b'\n');
    let mut next_line = || lines.next().map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let request_line: Vec<_> = next_line().unwrap().split(|byte| *byte == b' ').collect();
    let [method, target, version] = request_line[..] else { panic!("{request_line:?}") };
    assert_eq!((method, target), (head.method.as_str().as_bytes(), target));
    assert_eq!(Uri::try_from(target).unwrap(), head.uri);
    assert_eq!(version, format!("{:?}", delivery.version).as_bytes());
    let mut lengths = 0;
    for (name, value) in &head.headers {
        let line = next_line().unwrap();
        let colon = line.iter().position(|byte| *byte == b':').unwrap();
        assert_eq!(line[..colon].to_ascii_lowercase(), name.as_str().as_bytes());
        assert_eq!(line[colon + 1..].trim_ascii(), value.as_bytes());
        if name == "content-length" {
            lengths += 1;
            let length: u64 = value.to_str().unwrap().parse().unwrap();
            assert_eq!(delivery.framing, (length > 0).then_some(Framing::Length(length)));
        }
    }
    assert_eq!(next_line(), None, "a line that is not a field");
    assert!(!taken.windows(2).any(|two| two[1] == b'\n' && two[0] != b'\r') && taken[0] != b'\n', "LF without CR");
    let is_chunked = matches!(delivery.framing, Some(Framing::Chunked(_)));
    assert!(lengths + usize::from(is_chunked) <= 1, "two ways to delimit the body");
}

#[test]
fn fuzz_http1_head() {
    const TOKENS: &[&str] = &[
        "\r\n",
        "\n",
        "\r",
        " ",
        ":",
        ",",
        "GET",
        "POST",
        "/",
        "/a?b=c",
        "*",
        "http://x/",
        "HTTP/1.1",
        "HTTP/1.0",
        "HTTP/2.0",
        "Host: x\r\n",
        "Content-Length: 5\r\n",
        "Content-Length",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "chunked",
        "0",
        "18446744073709551616",
        "+1",
        "\t",
        "\r\n\r\n",
        "\u{0}",
        "é",
    ];
    let inputs = Inputs::check_corpus("http1_head", TOKENS, check_head);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_head));
}

/// The body, and the bytes after it; `None` if the body is incomplete.
type Decoded = Option<(Vec<u8>, Vec<u8>)>;

/// Decodes a chunked body that arrives in pieces.
fn decode_in_pieces(text: &[u8], piece: usize) -> Result<Decoded, ()> {
    let (mut framing, mut received, mut body) = (Framing::Chunked(ChunkState::Size), BytesMut::new(), Vec::new());
    for part in text.chunks(piece) {
        received.extend_from_slice(part);
        loop {
            let bytes = framing.take(&mut received).map_err(|_| ())?;
            if bytes.is_empty() {
                break;
            }
            body.extend_from_slice(&bytes);
        }
    }
    Ok(framing.has_ended().then(|| (body, received.to_vec())))
}

/// Decodes a chunked body as RFC 9112 section 7.1 defines it; `None` if the body is invalid or incomplete.
fn decode_strictly(text: &[u8]) -> Decoded {
    fn take_line(rest: &mut &[u8]) -> Option<String> {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        *rest = &rest[end + 2..];
        (!line.contains(['\r', '\n'])).then_some(line)
    }
    let (mut rest, mut body) = (text, Vec::new());
    loop {
        let line = take_line(&mut rest)?;
        let digits = line.split(';').next()?.trim_end_matches([' ', '\t']);
        let is_hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?;
        if size == 0 {
            while !take_line(&mut rest)?.is_empty() {}
            return Some((body, rest.to_vec()));
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest[size..].strip_prefix(b"\r\n")?;
    }
}

/// A chunked body is the same in whatever pieces it arrives, and no body is accepted that other servers could
/// understand differently. Each text can be sent with the chunked coding.
fn check_chunked(text: &[u8]) {
    let whole = decode_in_pieces(text, text.len().max(1));
    for piece in PIECES {
        assert_eq!(decode_in_pieces(text, piece), whole, "pieces of {piece}");
    }
    if let Ok(Some(decoded)) = &whole {
        assert_eq!(decode_strictly(text).as_ref(), Some(decoded));
    }
    let mut coded = Vec::new();
    for chunk in text.chunks(1 + text.first().map_or(0, |byte| usize::from(*byte))) {
        coded.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        coded.extend_from_slice(chunk);
        coded.extend_from_slice(b"\r\n");
    }
    coded.extend_from_slice(b"0\r\n\r\nnext");
    for piece in PIECES {
        assert_eq!(decode_in_pieces(&coded, piece), Ok(Some((text.to_vec(), b"next".to_vec()))), "pieces of {piece}");
    }
}

#[test]
fn fuzz_http1_chunked() {
    const TOKENS: &[&str] = &[
        "\r\n",
        "\n",
        "\r",
        "0\r\n\r\n",
        "1\r\na\r\n",
        "A;name=\"value\"\r\n",
        ";",
        " ",
        "\t",
        "x: y\r\n",
        "5",
        "f",
        "0",
        "FFFFFFFFFFFFFFFF",
        "-1",
        "0x1",
        "\u{0}",
        "é",
    ];
    let inputs = Inputs::check_corpus("http1_chunked", TOKENS, check_chunked);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_chunked));
}
