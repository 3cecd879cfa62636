//! The type `url`: an absolute URL with the scheme `http` or `https`.

use serde_json::json;
use url::{Host, Url};

use super::simple_type::{SimpleType, keep_text};
use super::text_type::{is_text, text};
use crate::uri::has_complete_escapes;

pub(super) static URL: SimpleType = SimpleType {
    name: "url",
    expected: "an absolute URL that begins with http:// or https://",
    decode: keep_text,
    check: |value| is_text(value, is_url),
    schema: || json!({ "type": "string", "format": "uri", "pattern": URL_PATTERN }),
    boundary_values: &[text("http://a"), text("https://user@www.example.org:8080/a/b.html?c=d&e=%20#f")],
    example: text("https://example.org/page"),
};

/// A pattern that every URL matches. It excludes invalid ports and IPv4 addresses, which the format `uri` accepts. It
/// does not check IPv6 addresses, and labels of domain names that begin with `xn--`.
const URL_PATTERN: &str = concat!(
    "^[Hh][Tt][Tt][Pp][Ss]?://",
    // The user and password.
    "(?:(?:[A-Za-z0-9\\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?",
    // The host: an IPv6 address, an IPv4 address, or a name whose last label is not a number. A dot can follow the last
    // label. A number can be hexadecimal, such as `0x7f`.
    r"(?:\[[0-9A-Fa-f:.]+\]|",
    r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])|",
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=]*\.)?(?:[A-Za-z\-_~!$&'()*+,;=]|(?:[1-9][0-9]*|0[0-9]+)[A-Za-z\-_~!$&'()*+,;=]|",
    r"0[A-WYZa-wyz\-_~!$&'()*+,;=]|0[Xx][0-9A-Fa-f]*[G-Zg-z\-_~!$&'()*+,;=])[A-Za-z0-9\-_~!$&'()*+,;=]*\.?|",
    r"(?:[A-Za-z0-9\-._~!$&'()*+,;=]*\.)?\.)",
    // The port, up to 65535.
    "(?::0*(?:[0-9]{0,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?",
    // The path, the query and the fragment.
    r"(?:[/?](?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?",
    "(?:#(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*)?$"
);

/// Returns `true` if a text is a URI (RFC 3986) with the scheme `http` or `https` and a host (RFC 9110 section 4.2).
///
/// URL parsers that follow the WHATWG standard, such as [`Url`], also accept invalid URIs and repair them: they remove
/// white space, replace `\` by `/`, and accept any number of `/` before the host. Two programs that repair the same
/// text differently may connect to different hosts, so this function accepts only URIs that need no repair. It rejects
/// other schemes, such as `javascript:` and `file:`, more than one `@` before the path, escapes such as `%31` in the
/// host, and IPv4 addresses that are not written as four decimal numbers, such as `127.1`.
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
        && has_complete_escapes(after_scheme)
        && authority.bytes().all(|byte| is_valid_in_any_component(byte) || matches!(byte, b'[' | b']' | b'%'))
        && path.matches('#').count() <= 1
        && path.bytes().all(|byte| is_valid_in_any_component(byte) || matches!(byte, b'/' | b'?' | b'#' | b'%'))
        && authority.matches('@').count() <= 1
        && !authority.rsplit('@').next().is_some_and(|host| host.contains('%'))
        && Url::parse(text).is_ok_and(|url| host_is_unchanged(&url, authority))
}

/// Returns `true` if a URL has a host, and the host is not an IPv4 address that is written differently in the URL's
/// `authority`.
fn host_is_unchanged(url: &Url, authority: &str) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => {
            let host = authority.rsplit('@').next().and_then(|host| host.split(':').next());
            host == Some(address.to_string().as_str())
        }
        host => host.is_some(),
    }
}

/// Returns `true` if a byte is an unreserved character, a sub-delimiter, `:` or `@`. These characters are valid in
/// every component of a URI after the scheme.
fn is_valid_in_any_component(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}
