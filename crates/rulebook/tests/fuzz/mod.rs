//! Fuzz targets of the parsers of header fields: cookies, bearer tokens and entity tags.

use percent_encoding::percent_decode_str;
use rulebook::http::{HeaderName, HeaderValue, Method, Uri, header};
use rulebook::{ETag, Head};
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

/// Returns the head of a request with one header field; `None` if the value is not valid.
fn head_with(name: HeaderName, value: &[u8]) -> Option<Head> {
    let value = HeaderValue::from_bytes(value).ok()?;
    Some(Head::new(Method::GET, Uri::default()).with_header(name, value))
}

/// A cookie that is written with quotes around its value is parsed to the same value.
fn check_cookies(text: &[u8]) {
    let Some(head) = head_with(header::COOKIE, text) else { return };
    for pair in text.split(|byte| *byte == b';') {
        let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
        let Ok(name) = std::str::from_utf8(pair[..at].trim_ascii()) else { continue };
        let Some(value) = head.cookie(name) else { continue };
        let written = format!("{name}=\"{value}\"");
        assert_eq!(head_with(header::COOKIE, written.as_bytes()).unwrap().cookie(name), Some(value));
    }
}

#[test]
fn fuzz_cookies() {
    const TOKENS: &[&str] = &["a=b", ";", "; ", "=", "\"", "a", " ", "\t", ",", "\\\"", "%3B", "é", "\u{0}"];
    let inputs = Inputs::check_corpus("cookies", TOKENS, check_cookies);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_cookies));
}

/// A bearer token is the only word after the name of the scheme.
fn check_bearer(text: &[u8]) {
    let Some(head) = head_with(header::AUTHORIZATION, text) else { return };
    let words: Vec<_> = text.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
    match (head.bearer(), &words[..]) {
        (Some(token), [scheme, rest @ ..]) => {
            assert!(scheme.eq_ignore_ascii_case(b"bearer") && rest.len() <= 1, "{words:?}");
            assert_eq!(token.as_bytes(), rest.first().copied().unwrap_or_default());
            assert!(head.has_bearer_scheme());
        }
        (Some(_), []) => panic!("a token in an empty field"),
        (None, [scheme, token]) => {
            let is_separated_by_space = text.trim_ascii().get(scheme.len()) == Some(&b' ');
            let is_token = token.iter().all(u8::is_ascii_graphic);
            assert!(!(scheme.eq_ignore_ascii_case(b"bearer") && is_separated_by_space && is_token), "{words:?}");
        }
        (None, _) => {}
    }
}

#[test]
fn fuzz_bearer() {
    const TOKENS: &[&str] = &["Bearer", "bearer", "Basic", " ", "\t", ",", "rb_00", "login_00", "=", "é", "\u{7f}"];
    let inputs = Inputs::check_corpus("bearer", TOKENS, check_bearer);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_bearer));
}

/// Written entity tags are parsed to the same tags.
fn check_entity_tags(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Some(tag) = ETag::parse(text) {
        assert_eq!(tag.to_string(), text);
    }
    for tag in [ETag::strong(text), ETag::weak(text)] {
        let written = tag.to_string();
        assert_eq!(ETag::parse(&written), Some(tag));
        let inner = written.trim_start_matches("W/").trim_matches('"');
        assert_eq!(percent_decode_str(inner).decode_utf8().unwrap(), text);
    }
}

#[test]
fn fuzz_entity_tags() {
    const TOKENS: &[&str] = &["\"a\"", "W/\"a\"", ",", ", ", "\"", "W/", "w/", "*", "%", "%22", "\\", " ", "é", "\"\""];
    let inputs = Inputs::check_corpus("entity_tags", TOKENS, check_entity_tags);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_entity_tags));
}
