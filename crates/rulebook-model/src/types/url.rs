//! The type `url`: an absolute URL with the scheme `http` or `https`.

use std::sync::Arc;

use serde_json::json;
use url::Url;

use super::text_type::{self, TextType};
use super::{ArgumentError, Check, TypeArguments};

static URL: TextType = TextType {
    name: "url",
    expected_phrase: "an absolute URL that begins with http:// or https://",
    is_valid: is_url,
    schema: || json!({ "type": "string", "format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#]" }),
    boundary_texts: &["http://a", "https://user@www.example.org:8080/a/b.html?c=d&e=%20#f"],
    example: "https://example.org/page",
};

/// Returns `true` if a text is a URI (RFC 3986) with the scheme `http` or `https` and a host (RFC 9110 section 4.2).
///
/// URL parsers that follow the WHATWG standard, such as [`Url`], also accept invalid URIs and repair them: they remove
/// white space, replace `\` by `/`, and accept any number of `/` before the host. Two programs that repair the same
/// text differently may connect to different hosts, so this function accepts only URIs that need no repair. It rejects
/// other schemes, such as `javascript:` and `file:`.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, after_scheme)) = text.split_once("://") else {
        return false;
    };
    if !(scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")) {
        return false;
    }
    let authority_end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
    let (authority, path) = after_scheme.split_at(authority_end);
    !authority.is_empty()
        && percent_escapes_are_complete(after_scheme)
        && authority.bytes().all(|byte| is_valid_in_any_component(byte) || matches!(byte, b'[' | b']' | b'%'))
        && path.matches('#').count() <= 1
        && path.bytes().all(|byte| is_valid_in_any_component(byte) || matches!(byte, b'/' | b'?' | b'#' | b'%'))
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Returns `true` if a byte is an unreserved character, a sub-delimiter, `:` or `@`. These characters are valid in
/// every component of a URI after the scheme.
fn is_valid_in_any_component(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

/// Returns `true` if each `%` in a text is followed by two hexadecimal digits.
fn percent_escapes_are_complete(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&URL, arguments)
}
