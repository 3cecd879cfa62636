//! `url`: an absolute URL of the web.

use std::sync::Arc;

use serde_json::json;
use url::Url;

use super::shape::{self, Shape};
use super::{ArgumentError, Arguments, Check};

static URL: Shape = Shape {
    name: "url",
    expected: "an absolute URL that begins with http:// or https://",
    test: is_url,
    schema: || json!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]" }),
    samples: &["http://a", "https://user@www.example.org:8080/a/b.html?c=d&e=%20#f"],
    example: "https://example.org/page",
};

/// Whether a text is a URI (RFC 3986) of the scheme http or https with a host (RFC 9110 section 4.2).
///
/// The parser that browsers use mends what is no URI: it drops blanks, turns
/// `\` into `/` and finds a host behind any number of `/`. Two programs that
/// mend differently can be told different things by one text, so what needs
/// mending is refused, and other schemes (`javascript:`, `file:`) with it.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
        return false;
    }
    let authority_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    !authority.is_empty()
        && escapes_are_complete(rest)
        && authority.bytes().all(|byte| is_plain(byte) || matches!(byte, b'[' | b']' | b'%'))
        && path.matches('#').count() <= 1
        && path.bytes().all(|byte| is_plain(byte) || matches!(byte, b'/' | b'?' | b'#' | b'%'))
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Unreserved characters, sub-delimiters, `:` and `@`: what may stand anywhere behind the scheme.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Whether each `%` is followed by two hexadecimal digits.
fn escapes_are_complete(text: &str) -> bool {
    text.split('%').skip(1).all(|behind| {
        let digits = behind.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&URL, arguments)
}
