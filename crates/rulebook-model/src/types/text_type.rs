//! The types whose values are texts of a fixed form, such as `mail`, `uuid` and `url`, and the formats of JSON Schema.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, LazyLock};

use regex::Regex;
use serde_json::{Value as Json, json};
use url::{Host, Url};

use super::bounds::Bounds;
use super::number::has_only_digits;
use super::simple_type::{SimpleType, keep_text};
use super::string::repeated_text;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, first_valid_value, moment};
use crate::call::{TypeMismatch, Value};
use crate::uri::has_complete_escapes;

pub(super) const fn text(text: &'static str) -> Value<'static> {
    Value::Text(Cow::Borrowed(text))
}

pub(super) fn is_text(value: &Value<'_>, is_valid: fn(&str) -> bool) -> bool {
    matches!(value, Value::Text(text) if is_valid(text))
}

/// Write only patterns that ECMA-262 and other regex engines interpret alike.
fn pattern_schema(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

pub(super) static ALPHANUMERIC: SimpleType = SimpleType {
    name: "alphanumeric",
    expected: "a string of letters, digits, \"_\", \"-\" and \".\"",
    decode: keep_text,
    check: |value| is_text(value, is_alphanumeric),
    schema: || pattern_schema("^[0-9A-Za-z_.\\-]*$"),
    boundary_values: &[text(""), text("a"), text("Z9_-.")],
    example: text("some-name_1"),
};

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

pub(super) static LETTERS: SimpleType = SimpleType {
    name: "letters",
    expected: "a string of letters, \"-\" and spaces",
    decode: keep_text,
    check: |value| {
        is_text(value, |text| text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b' ')))
    },
    schema: || pattern_schema("^[A-Za-z \\-]*$"),
    boundary_values: &[text(""), text("a"), text("Jean-Luc Z")],
    example: text("Ada Lovelace"),
};

pub(super) static HASH: SimpleType = SimpleType {
    name: "hash",
    expected: "a hash of 40 or 64 hexadecimal digits",
    decode: keep_text,
    check: |value| {
        is_text(value, |text| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
    },
    schema: || pattern_schema("^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$"),
    boundary_values: &[
        text("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        text("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ],
    example: text("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
};

pub(super) static PHONE: SimpleType = SimpleType {
    name: "phone",
    expected: "a phone number like 0612345678 or +33 612345678",
    decode: keep_text,
    check: |value| is_text(value, is_phone),
    schema: || pattern_schema("^(?:0|\\+33 ?)[0-9]{9}$"),
    boundary_values: &[text("0612345678"), text("+33612345678"), text("+33 612345678")],
    example: text("0612345678"),
};

fn is_phone(text: &str) -> bool {
    let international = text.strip_prefix("+33").map(|number| number.strip_prefix(' ').unwrap_or(number));
    let digits = international.or(text.strip_prefix('0'));
    digits.is_some_and(|digits| digits.len() == 9 && has_only_digits(digits))
}

pub(super) static TIME: SimpleType = SimpleType {
    name: "time",
    expected: "a time of day (hh:mm or hh:mm:ss)",
    decode: keep_text,
    check: |value| is_text(value, is_time),
    schema: || pattern_schema("^(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){1,2}$"),
    boundary_values: &[text("00:00"), text("23:59:59")],
    example: text("14:30"),
};

fn is_time(text: &str) -> bool {
    let is_below = |text: &str, limit: u8| {
        text.len() == 2 && has_only_digits(text) && text.parse().is_ok_and(|number: u8| number < limit)
    };
    matches!(text.len(), 5 | 8) && text.split(':').zip([24, 60, 60]).all(|(part, limit)| is_below(part, limit))
}

/// The text form with hyphens of a UUID (RFC 9562 section 4).
pub(super) static UUID: SimpleType = SimpleType {
    name: "uuid",
    expected: "a UUID",
    decode: keep_text,
    check: |value| is_text(value, is_uuid),
    schema: || {
        let pattern = "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$";
        json!({ "type": "string", "format": "uuid", "pattern": pattern })
    },
    boundary_values: &[text("00000000-0000-0000-0000-000000000000"), text("ffffffff-ffff-ffff-ffff-ffffffffffff")],
    example: text("0193e5a0-7d5c-7c3a-9f1e-2b6f4a8c1d3e"),
};

fn is_uuid(text: &str) -> bool {
    let is_valid = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_valid)
}

pub(super) static IP: SimpleType = SimpleType {
    name: "ip",
    expected: "an IP address",
    decode: keep_text,
    check: |value| is_text(value, |text| text.parse::<IpAddr>().is_ok()),
    schema: || {
        let formats = json!([{ "format": "ipv4" }, { "format": "ipv6" }]);
        json!({ "type": "string", "minLength": 2, "maxLength": 45, "anyOf": formats })
    },
    boundary_values: &[
        text("0.0.0.0"),
        text("255.255.255.255"),
        text("::"),
        text("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
    ],
    example: text("192.0.2.1"),
};

/// An email address (RFC 5321 section 4.1.2) in ASCII, without a display name. Its domain must not be an IP address.
pub(super) static MAIL: SimpleType = SimpleType {
    name: "mail",
    expected: "an email address",
    decode: keep_text,
    check: |value| is_text(value, is_mail),
    schema: || {
        let [form, lengths] = MAIL_PATTERNS;
        json!({ "type": "string", "format": "email", "pattern": form, "allOf": [{ "pattern": lengths }] })
    },
    boundary_values: &[text("a@b.example"), text("first.last+tag@mail.example.org"), text("\"a @ b\"@c")],
    example: text("ada@example.org"),
};

fn is_mail(text: &str) -> bool {
    static REGEXES: LazyLock<Vec<Regex>> =
        LazyLock::new(|| MAIL_PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());
    REGEXES.iter().all(|regex| regex.is_match(text))
}

/// The patterns that an email address matches, both in the check and in the JSON Schema.
const MAIL_PATTERNS: [&str; 2] = [
    concat!(
        // The part before the `@`: words separated by dots, or a text in quotes. ` <` would begin an address after a
        // display name.
        r"^(?:[!#-'*+\-/-9=?A-Z\^-~]+(?:\.[!#-'*+\-/-9=?A-Z\^-~]+)*|",
        r#""(?:(?:[\t!#-\[\]-~]|\\[!-~]| +(?:[\t!#-;=-\[\]-~]|\\[!-~]))+ *| +)")@"#,
        // The labels of the domain consist of letters, digits and hyphens, and begin and end with a letter or digit.
        r"(?:[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?\.)*[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$"
    ),
    // The lengths of the part before the `@` and of the domain.
    "^.{1,64}@[^@]{1,254}$",
];

/// The check of `digest(n)`: n lower-case hexadecimal digits.
#[derive(Debug)]
struct DigestCheck {
    length: u64,
}

pub(super) fn compile_digest(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    match Bounds::from_arguments(arguments, true)? {
        Bounds { min: Some(min), max: Some(max) } if arguments.positional.len() == 1 && min == max && min > 0 => {
            Ok(Arc::new(DigestCheck { length: min }))
        }
        _ => Err(arguments.error("`digest` requires the number of digits").help("write `digest(64)`")),
    }
}

/// The digits of generated examples. Longer examples repeat these digits.
const EXAMPLE_DIGITS: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const MAX_EXAMPLE_LEN: usize = 1024;

impl Check for DigestCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text)
                if text.len() as u64 == self.length
                    && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) =>
            {
                Ok(())
            }
            _ => Err(TypeMismatch::new(self.expected(), value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        format!("a digest of {} hexadecimal digits (0-9, a-f)", self.length).into()
    }

    fn schema(&self) -> Json {
        json!({
            "type": "string",
            "minLength": self.length,
            "maxLength": self.length,
            "pattern": "^[0-9a-f]*$",
        })
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(format!("digest({})", self.length))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        repeated_text("f", self.length).into_iter().collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        let length = usize::try_from(self.length).ok()?;
        let digits = EXAMPLE_DIGITS.chars().cycle().take(length.min(MAX_EXAMPLE_LEN)).collect();
        first_valid_value(self, [Value::Text(Cow::Owned(digits))])
    }
}

/// A value of the JSON Schema keyword `format`, with the function that tests it.
#[derive(Debug, Clone, Copy)]
pub struct SchemaFormat {
    /// The name of the format, which is the value of the keyword `format` in JSON Schemas.
    pub name: &'static str,
    /// Returns `true` if a text has this format, by the same rules as the check of the type.
    pub is_valid: fn(&str) -> bool,
}

/// The formats of JSON Schema 2020-12 for rules that no other keyword describes. A validator with these formats accepts
/// exactly the values that the checks accept, except for those that the page `docs/types.md` lists.
pub const SCHEMA_FORMATS: &[SchemaFormat] = &[
    SchemaFormat { name: "date", is_valid: |text| moment::parse_date(text).is_some() },
    SchemaFormat { name: "email", is_valid: is_mail },
    SchemaFormat { name: "uri", is_valid: is_url },
    SchemaFormat { name: "ipv4", is_valid: |text| text.parse::<Ipv4Addr>().is_ok() },
    SchemaFormat { name: "ipv6", is_valid: |text| text.parse::<Ipv6Addr>().is_ok() },
];

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
fn is_url(text: &str) -> bool {
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
