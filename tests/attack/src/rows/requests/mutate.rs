//! Changes valid requests at random.

use super::request::Request;
use super::templates::random_template;
use super::values::{BODY_PIECES, CHUNK_EXTENSIONS, FIELD_NAMES, FIELD_VALUES, METHODS, NUMBERS, TARGET_PIECES};
use crate::random::Numbers;

/// A random request.
pub struct Case {
    /// The bytes of the request.
    pub bytes: Vec<u8>,
    /// `true` if the method is HEAD, so that the response has no body.
    pub is_head: bool,
    /// `true` if the server closes the connection after the response, because the version is not HTTP/1.1.
    pub is_last: bool,
    /// `true` if any byte may have been changed, so that the bytes may be incomplete, or several requests.
    pub is_damaged: bool,
}

/// Returns a random request. `key` is the API key for methods that require a permission.
pub fn random_case(numbers: &mut Numbers, key: &str) -> Case {
    let mut request = random_template(numbers, key);
    let changes = numbers.below(5);
    for _ in 0..changes {
        change_request(&mut request, numbers);
    }
    if request.body.is_some() && numbers.once_in(4) {
        request.chunks = Some((1 + numbers.below(40), numbers.pick(CHUNK_EXTENSIONS)));
    }
    let is_damaged = numbers.once_in(8);
    if !is_damaged {
        remove_line_ends(&mut request);
    }
    let mut bytes = request.bytes();
    if is_damaged {
        for _ in 0..1 + numbers.below(3) {
            damage_bytes(&mut bytes, numbers);
        }
    }
    Case { bytes, is_head: request.method == b"HEAD", is_last: request.version != "HTTP/1.1", is_damaged }
}

/// Makes one change.
fn change_request(request: &mut Request, numbers: &mut Numbers) {
    match numbers.below(16) {
        0 => request.method = numbers.pick(METHODS).into(),
        1..=3 => insert_piece(&mut request.target, TARGET_PIECES, numbers),
        4 => remove_range(&mut request.target, numbers),
        5 => repeat_range(&mut request.target, numbers),
        6 => replace_number(&mut request.target, numbers),
        7 => add_query(&mut request.target, numbers),
        8..=10 => request.push_field(numbers.pick(FIELD_NAMES).as_bytes(), numbers.pick(FIELD_VALUES).as_bytes()),
        11 => change_field(request, numbers),
        12..=14 => change_body(request, numbers),
        _ => request.version = numbers.pick(&["HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/0.9", "http/1.1"]),
    }
}

fn change_field(request: &mut Request, numbers: &mut Numbers) {
    let at = numbers.below(request.fields.len());
    let Some((_, value)) = request.fields.get_mut(at) else { return };
    match numbers.below(4) {
        0 => insert_piece(value, FIELD_VALUES, numbers),
        1 => remove_range(value, numbers),
        2 => repeat_range(value, numbers),
        _ => {
            let count = 1 + numbers.below(200);
            *value = [&numbers.pick(FIELD_VALUES).as_bytes().repeat(count)[..], b","].concat();
        }
    }
}

fn change_body(request: &mut Request, numbers: &mut Numbers) {
    let body = request.body.get_or_insert_default();
    match numbers.below(6) {
        0 | 1 => insert_piece(body, BODY_PIECES, numbers),
        2 => remove_range(body, numbers),
        3 => repeat_range(body, numbers),
        4 => replace_number(body, numbers),
        _ => {
            let at = numbers.below(body.len());
            if let Some(byte) = body.get_mut(at) {
                *byte = numbers.below(256) as u8;
            }
        }
    }
}

fn insert_piece(text: &mut Vec<u8>, pieces: &[&str], numbers: &mut Numbers) {
    let at = numbers.below(text.len() + 1);
    let piece = numbers.pick(pieces).as_bytes();
    let count = if numbers.once_in(30) { 1 + numbers.below(3_000) } else { 1 };
    text.splice(at..at, piece.repeat(count));
}

fn remove_range(text: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(text.len() + 1);
    let end = (at + numbers.below(12)).min(text.len());
    text.drain(at..end);
}

fn repeat_range(text: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(text.len() + 1);
    let end = (at + numbers.below(20)).min(text.len());
    let copy = text[at..end].repeat(1 + numbers.below(5));
    text.splice(at..at, copy);
}

/// Replaces the first digits after a random position.
fn replace_number(text: &mut Vec<u8>, numbers: &mut Numbers) {
    let from = numbers.below(text.len() + 1);
    let Some(at) = text[from..].iter().position(u8::is_ascii_digit) else { return };
    let at = from + at;
    let end = text[at..].iter().position(|byte| !byte.is_ascii_digit()).map_or(text.len(), |count| at + count);
    text.splice(at..end, numbers.pick(NUMBERS).bytes());
}

fn add_query(target: &mut Vec<u8>, numbers: &mut Numbers) {
    let separator = if target.contains(&b'?') { b'&' } else { b'?' };
    target.push(separator);
    target.extend_from_slice(numbers.pick(TARGET_PIECES).as_bytes());
    target.push(b'=');
    target.extend_from_slice(numbers.pick(TARGET_PIECES).as_bytes());
}

/// Removes CR and LF from target and header fields, so that the bytes are one request with one head.
fn remove_line_ends(request: &mut Request) {
    let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    request.target.retain(|byte| !is_line_end(byte));
    for (name, value) in &mut request.fields {
        name.retain(|byte| !is_line_end(byte));
        value.retain(|byte| !is_line_end(byte));
    }
}

/// Changes any byte: also those that delimit the head, the header fields and the body.
fn damage_bytes(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    #[rustfmt::skip]
    const PIECES: &[&str] = &[
        "\r", "\n", "\r\n", "\r\n\r\n", "\n\n", " ", "\t", "\0", "\x7f", "\x0b", ":", "\r\nContent-Length: 3",
        "\r\nContent-Length: 0", "\r\nTransfer-Encoding: chunked", "\r\nTransfer-Encoding: gzip", "\r\n X", "\r\nHost: b",
        "0\r\n\r\n", "ffffffffffffffff\r\n", "\r\n[2026-01-01T00:00:00.000Z ERROR attack] a false message\r\n", "\x1b[2J",
        "GET / HTTP/1.1\r\nHost: b\r\n\r\n",
    ];
    // Earlier changes may have removed all bytes.
    if bytes.is_empty() {
        return bytes.push(numbers.below(256) as u8);
    }
    let at = numbers.below(bytes.len());
    match numbers.below(6) {
        0 => bytes[at] = numbers.below(256) as u8,
        1 => bytes[at] ^= 1 << numbers.below(8),
        2 => bytes.truncate(at + 1),
        3 => remove_range(bytes, numbers),
        4 => repeat_range(bytes, numbers),
        _ => {
            let piece = numbers.pick(PIECES).bytes();
            bytes.splice(at..at, piece);
        }
    }
}
