//! Fuzz targets of ranges, download links and file names in header fields.

use std::time::SystemTime;

use http::{HeaderValue, Method, Uri, header};
use percent_encoding::percent_decode_str;
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::{FileInfo, LinkId, LinkKey, TransferDecision, content_disposition, decide_transfer};
use crate::call::Head;

/// Returns the decision for a field with a single valid range (RFC 9110 section 14.1.2); `None` for other fields.
fn single_range(field: &str, length: u64) -> Option<TransferDecision> {
    let (unit, range) = field.split_once('=')?;
    let (first, last) = range.split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.len() <= 18 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().unwrap())
    };
    let (from, to) = match (number(first), number(last)) {
        (None, Some(suffix)) if first.is_empty() => match suffix {
            0 => return Some(TransferDecision::OutOfRange),
            _ => (length.saturating_sub(suffix), length - 1),
        },
        (Some(from), None) if last.is_empty() => (from, length - 1),
        (Some(from), Some(to)) if from > to => return Some(TransferDecision::Whole),
        (Some(from), Some(to)) => (from, to.min(length - 1)),
        _ => return None,
    };
    Some(match from < length {
        true => TransferDecision::Part { from, length: to - from + 1 },
        false => TransferDecision::OutOfRange,
    })
}

/// A valid range has the result that RFC 9110 defines. No field leads to bytes outside of the file.
fn check_range(text: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(text) else { return };
    for length in [0, 1, 10, 1_000] {
        let info = FileInfo { length: Some(length), accepts_ranges: true, ..FileInfo::default() };
        let decide = |method| {
            let head = Head::new(method, Uri::default()).with_header(header::RANGE, value.clone());
            decide_transfer(&head, &info, SystemTime::UNIX_EPOCH)
        };
        assert_eq!(decide(Method::HEAD), TransferDecision::Whole);
        let decision = decide(Method::GET);
        match decision {
            TransferDecision::Part { from, length: part } => {
                assert!(
                    part > 0 && from.checked_add(part).is_some_and(|end| end <= length),
                    "{decision:?} of {length}"
                );
            }
            TransferDecision::Whole | TransferDecision::OutOfRange => {}
            _ => panic!("{decision:?} without a condition"),
        }
        if let Some(expected) =
            std::str::from_utf8(text).ok().filter(|_| length > 0).and_then(|text| single_range(text, length))
        {
            assert_eq!(decision, expected, "of {length} bytes");
        }
    }
}

#[test]
fn fuzz_range() {
    const TOKENS: &[&str] =
        &["bytes=", "bytes", "Bytes=", "=", "-", ",", "0", "1", "9", "10", "18446744073709551615", " ", "+1", "é"];
    let inputs = Inputs::check_corpus("range", TOKENS, check_range);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_range));
}

/// An accepted link is exactly the link that is written for its parts, and so is the name of its file.
fn check_link(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let key = LinkKey::new([7; LinkKey::LEN]);
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    if let Some(link) = LinkId::verify(path, query, &key) {
        assert_eq!(link.path_and_query(&key), text);
        assert_eq!(LinkId::verify(path, query, &LinkKey::new([8; LinkKey::LEN])), None);
    }
    if let Some(link) = LinkId::parse(text) {
        assert_eq!(link.to_string(), text);
    }
    let mut nonce = [0; 16];
    nonce.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
    let link = LinkId::new(nonce, text.len() as u64);
    let written = link.path_and_query(&key);
    let (path, query) = written.split_once('?').unwrap();
    assert_eq!(LinkId::verify(path, query, &key).as_ref(), Some(&link));
    assert_eq!(LinkId::parse(&link.to_string()), Some(link));
}

#[test]
fn fuzz_link() {
    const TOKENS: &[&str] = &[
        "/-/downloads/",
        "?",
        "expires=",
        "&signature=",
        "&",
        "0",
        "9",
        "a",
        "A",
        "F",
        "-",
        "+",
        "07070707070707070707070707070707",
        "é",
    ];
    let inputs = Inputs::check_corpus("link", TOKENS, check_link);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_link));
}

/// The field has one quoted name without characters that end it, and both names are the same apart from characters
/// outside of ASCII. A client that saves the file and sends its name again gets the same field.
fn check_disposition(text: &[u8]) {
    let Ok(name) = std::str::from_utf8(text) else { return };
    let value = content_disposition(Some(name), false);
    let field = value.to_str().unwrap();
    let Some(rest) = field.strip_prefix("attachment; filename=\"") else {
        assert_eq!(field, "attachment");
        return;
    };
    let (quoted, rest) = rest.split_once('"').unwrap();
    assert!(quoted.bytes().all(|byte| matches!(byte, b' '..=b'~')) && !quoted.contains(['/', '\\', '%']), "{quoted}");
    let exact = match rest.strip_prefix("; filename*=UTF-8''") {
        Some(encoded) => percent_decode_str(encoded).decode_utf8().unwrap().into_owned(),
        None => {
            assert_eq!(rest, "");
            quoted.to_owned()
        }
    };
    assert_eq!(exact.chars().count(), quoted.chars().count());
    assert!(
        exact.chars().zip(quoted.chars()).all(|(char, ascii)| char == ascii || ascii == '_'),
        "{exact} and {quoted}"
    );
    assert_eq!(content_disposition(Some(&exact), false), value);
}

#[test]
fn fuzz_disposition() {
    const TOKENS: &[&str] =
        &["a", ".", "..", "/", "\\", "\"", "%", "%22", ";", "é", "\u{202e}", "\u{0}", "\n", " ", "\u{a0}", ".csv", "'"];
    let inputs = Inputs::check_corpus("disposition", TOKENS, check_disposition);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_disposition));
}
