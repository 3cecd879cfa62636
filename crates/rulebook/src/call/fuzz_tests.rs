//! Fuzz targets of the parsers of header fields: cookies, bearer tokens and entity tags.

use http::{HeaderName, HeaderValue, Method, Uri, header};
use percent_encoding::percent_decode_str;
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::etag_list::ETagList;
use super::{ETag, Head};

/// Returns the head of a request with one header field; `None` if the value is not valid.
fn head_with(name: HeaderName, value: &[u8]) -> Option<Head> {
    let value = HeaderValue::from_bytes(value).ok()?;
    Some(Head::new(Method::GET, Uri::default()).with_header(name, value))
}

fn cookies(field: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let head = head_with(header::COOKIE, field)?;
    Some(head.cookies().map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
}

/// Cookies that are written with quotes around their values are parsed to the same cookies.
fn check_cookies(text: &[u8]) {
    let Some(parsed) = cookies(text) else { return };
    let pairs = text.split(|byte| *byte == b';').filter(|pair| pair.contains(&b'='));
    assert_eq!(parsed.len(), pairs.count());
    let written: Vec<_> =
        parsed.iter().map(|(name, value)| [name.as_slice(), b"=\"", value.as_slice(), b"\""].concat()).collect();
    assert_eq!(cookies(&written.join(&b"; "[..])).unwrap(), parsed);
    let head = head_with(header::COOKIE, text).unwrap();
    for (name, _) in &parsed {
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let (_, first) = parsed.iter().find(|(other, _)| other == name.as_bytes()).unwrap();
        assert_eq!(head.cookie(name), std::str::from_utf8(first).ok());
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

/// Returns the entity tags of a list that the grammar of RFC 9110 section 8.8.3 allows; `None` for other texts.
fn strict_list(text: &str) -> Option<Vec<String>> {
    let (mut tags, mut rest) = (Vec::new(), text.trim_matches([' ', '\t', ',']));
    while !rest.is_empty() {
        let quote = if rest.starts_with("W/\"") { 2 } else { 0 };
        let end = rest[quote..].strip_prefix('"')?.find('"')? + quote + 2;
        let (tag, after) = rest.split_at(end);
        tag[quote + 1..end - 1].bytes().all(|byte| byte.is_ascii_graphic()).then_some(())?;
        tags.push(tag.to_owned());
        let next = after.trim_start_matches([' ', '\t', ',']);
        (next.is_empty() || after.trim_start_matches([' ', '\t']).starts_with(',')).then_some(())?;
        rest = next;
    }
    Some(tags)
}

/// Written entity tags are parsed to the same tags. A list has all tags that the grammar allows in it.
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
    let Some(head) = head_with(header::IF_MATCH, text.as_bytes()) else { return };
    let list = ETagList::from_head(&head, &header::IF_MATCH).unwrap();
    if let Some(tags) = strict_list(text) {
        assert!(!list.is_malformed());
        for tag in &tags {
            assert!(list.has_match(|found| found.to_string() == *tag), "{tag}");
        }
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
