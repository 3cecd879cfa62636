//! The types whose values are texts of a fixed form, such as `hash`, `mail` and `uuid`, and the formats of JSON Schema
//! by which these types are described.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use email_address::{EmailAddress, Options};
use serde_json::{Value as Json, json};

use super::number::has_only_digits;
use super::simple_type::{SimpleType, keep_text};
use super::{moment, url};
use crate::call::Value;

pub(super) const fn text(text: &'static str) -> Value<'static> {
    Value::Text(Cow::Borrowed(text))
}

pub(super) fn is_text(value: &Value<'_>, is_valid: fn(&str) -> bool) -> bool {
    matches!(value, Value::Text(text) if is_valid(text))
}

/// Returns the JSON Schema of texts that match `pattern`. Write only patterns that ECMA-262 and other regex engines
/// interpret alike.
fn pattern_schema(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

pub(super) static ALPHANUMERIC: SimpleType = SimpleType {
    name: "alphanumeric",
    expected: "a string of letters, digits, \"_\", \"-\" and \".\"",
    decode: keep_text,
    check: |value| {
        is_text(value, |text| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        })
    },
    schema: || pattern_schema("^[0-9A-Za-z_.\\-]*$"),
    boundary_values: &[text(""), text("a"), text("Z9_-.")],
    example: text("some-name_1"),
};

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
    check: |value| {
        is_text(value, |text| {
            let international = text.strip_prefix("+33").map(|number| number.strip_prefix(' ').unwrap_or(number));
            let digits = international.or(text.strip_prefix('0'));
            digits.is_some_and(|digits| digits.len() == 9 && has_only_digits(digits))
        })
    },
    schema: || pattern_schema("^(?:0|\\+33 ?)[0-9]{9}$"),
    boundary_values: &[text("0612345678"), text("+33612345678"), text("+33 612345678")],
    example: text("0612345678"),
};

pub(super) static TIME: SimpleType = SimpleType {
    name: "time",
    expected: "a time of day (hh:mm or hh:mm:ss)",
    decode: keep_text,
    check: |value| {
        is_text(value, |text| {
            let is_below = |text: &str, limit: u8| {
                text.len() == 2 && has_only_digits(text) && text.parse().is_ok_and(|number: u8| number < limit)
            };
            matches!(text.len(), 5 | 8) && text.split(':').zip([24, 60, 60]).all(|(part, limit)| is_below(part, limit))
        })
    },
    schema: || pattern_schema("^(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){1,2}$"),
    boundary_values: &[text("00:00"), text("23:59:59")],
    example: text("14:30"),
};

/// The text form with hyphens of a UUID (RFC 9562 section 4).
pub(super) static UUID: SimpleType = SimpleType {
    name: "uuid",
    expected: "a UUID",
    decode: keep_text,
    check: |value| {
        is_text(value, |text| {
            let is_valid = |(index, byte): (usize, u8)| match index {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            };
            text.len() == 36 && text.bytes().enumerate().all(is_valid)
        })
    },
    schema: || {
        let mut schema = pattern_schema("^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$");
        schema["format"] = json!("uuid");
        schema
    },
    boundary_values: &[text("00000000-0000-0000-0000-000000000000"), text("ffffffff-ffff-ffff-ffff-ffffffffffff")],
    example: text("0193e5a0-7d5c-7c3a-9f1e-2b6f4a8c1d3e"),
};

pub(super) static IP: SimpleType = SimpleType {
    name: "ip",
    expected: "an IP address",
    decode: keep_text,
    check: |value| is_text(value, |text| text.parse::<IpAddr>().is_ok()),
    schema: || json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
    boundary_values: &[
        text("0.0.0.0"),
        text("255.255.255.255"),
        text("::"),
        text("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"),
    ],
    example: text("192.0.2.1"),
};

/// An email address (RFC 5321 section 4.1.2, with the internationalized characters of RFC 6531) without a display name.
/// Its domain must not be an IP address.
pub(super) static MAIL: SimpleType = SimpleType {
    name: "mail",
    expected: "an email address",
    decode: keep_text,
    check: |value| is_text(value, is_mail),
    schema: || json!({ "type": "string", "format": "email", "pattern": MAIL_PATTERN }),
    boundary_values: &[text("a@b.example"), text("first.last+tag@mail.example.org")],
    example: text("ada@example.org"),
};

fn is_mail(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// A pattern that every email address matches. It does not check the lengths of the parts, and accepts every character
/// beyond ASCII.
const MAIL_PATTERN: &str = concat!(
    // The part before the `@`: words separated by dots, or a text in quotes.
    r#"^(?:[^\x00-\x20"(),.:;<>@\[\\\]\x7F]+(?:\.[^\x00-\x20"(),.:;<>@\[\\\]\x7F]+)*|"#,
    r#""(?:[^\x00-\x08\x0A-\x1F"\\\x7F]|\\[!-~])+")@"#,
    // The labels of the domain begin and end with a letter or digit.
    r#"(?:[^\x00-/:-@\[-`{-\x7F](?:[^\x00-\x20"(),.:;<>@\[\\\]\x7F]*[^\x00-/:-@\[-`{-\x7F])?\.)*"#,
    r#"[^\x00-/:-@\[-`{-\x7F](?:[^\x00-\x20"(),.:;<>@\[\\\]\x7F]*[^\x00-/:-@\[-`{-\x7F])?$"#
);

/// A value of the JSON Schema keyword `format`, with the function that tests it.
#[derive(Debug, Clone, Copy)]
pub struct SchemaFormat {
    /// The name of the format, which is the value of the keyword `format` in JSON Schemas.
    pub name: &'static str,
    /// Returns `true` if a text has this format, by the same rules as the check of the type.
    pub is_valid: fn(&str) -> bool,
}

/// The formats of JSON Schema 2020-12 for rules that no other keyword describes. A validator with these formats accepts
/// exactly the values that the checks accept, except for those that the documentation of [`types`](super) lists.
pub const SCHEMA_FORMATS: &[SchemaFormat] = &[
    SchemaFormat { name: "date", is_valid: moment::is_valid_date },
    SchemaFormat { name: "email", is_valid: is_mail },
    SchemaFormat { name: "uri", is_valid: url::is_url },
    SchemaFormat { name: "ipv4", is_valid: |text| text.parse::<Ipv4Addr>().is_ok() },
    SchemaFormat { name: "ipv6", is_valid: |text| text.parse::<Ipv6Addr>().is_ok() },
];
