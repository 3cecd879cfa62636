//! The types whose values are texts of a fixed form, such as `hash`, `mail` and `uuid`, and the formats of JSON Schema
//! by which these types are described.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use email_address::{EmailAddress, Options};
use serde_json::{Value as Json, json};

use super::number::has_only_digits;
use super::{ArgumentError, Check, TypeArguments, TypeExpr, moment, url};
use crate::call::{TypeMismatch, Value};

/// A type without arguments whose values are texts of a fixed form.
#[derive(Debug)]
pub(super) struct TextType {
    /// The name of the type in terms.
    pub(super) name: &'static str,
    /// A description of the valid values, which an error message inserts after the word "expected".
    pub(super) expected_phrase: &'static str,
    pub(super) is_valid: fn(&str) -> bool,
    pub(super) schema: fn() -> Json,
    /// Valid texts from short to long, which are the boundary values of the type.
    pub(super) boundary_texts: &'static [&'static str],
    /// A typical valid text, which the documentation shows as an example.
    pub(super) example: &'static str,
}

/// Compiles a term that names the type `text_type`. The term must not have arguments.
pub(super) fn compile(
    text_type: &'static TextType,
    arguments: &TypeArguments<'_>,
) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    Ok(Arc::new(text_type))
}

impl Check for &'static TextType {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        match value {
            Value::Text(text) if (self.is_valid)(text) => Ok(()),
            _ => Err(TypeMismatch::new(self.expected_phrase, value)),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.expected_phrase)
    }

    fn schema(&self) -> Json {
        (self.schema)()
    }

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term(self.name)
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        self.boundary_texts.iter().map(|text| Value::Text(Cow::Borrowed(text))).collect()
    }

    fn example(&self) -> Option<Value<'static>> {
        Some(Value::Text(Cow::Borrowed(self.example)))
    }
}

/// Returns the JSON Schema of texts that match `pattern`. Write only patterns that ECMA-262 and other regex engines
/// interpret alike.
fn pattern_schema(pattern: &str) -> Json {
    json!({ "type": "string", "pattern": pattern })
}

pub(super) static ALPHANUMERIC: TextType = TextType {
    name: "alphanumeric",
    expected_phrase: "a string of letters, digits, \"_\", \"-\" and \".\"",
    is_valid: |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')),
    schema: || pattern_schema("^[0-9A-Za-z_.\\-]*$"),
    boundary_texts: &["", "a", "Z9_-."],
    example: "some-name_1",
};

pub(super) static LETTERS: TextType = TextType {
    name: "letters",
    expected_phrase: "a string of letters, \"-\" and spaces",
    is_valid: |text| text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b' ')),
    schema: || pattern_schema("^[A-Za-z \\-]*$"),
    boundary_texts: &["", "a", "Jean-Luc Z"],
    example: "Ada Lovelace",
};

pub(super) static HASH: TextType = TextType {
    name: "hash",
    expected_phrase: "a hash of 40 or 64 hexadecimal digits",
    is_valid: |text| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
    schema: || pattern_schema("^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$"),
    boundary_texts: &[
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
    example: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
};

pub(super) static PHONE: TextType = TextType {
    name: "phone",
    expected_phrase: "a phone number like 0612345678 or +33 612345678",
    is_valid: |text| {
        let international = text.strip_prefix("+33").map(|number| number.strip_prefix(' ').unwrap_or(number));
        let digits = international.or(text.strip_prefix('0'));
        digits.is_some_and(|digits| digits.len() == 9 && has_only_digits(digits))
    },
    schema: || pattern_schema("^(?:0|\\+33 ?)[0-9]{9}$"),
    boundary_texts: &["0612345678", "+33612345678", "+33 612345678"],
    example: "0612345678",
};

pub(super) static TIME: TextType = TextType {
    name: "time",
    expected_phrase: "a time of day (hh:mm or hh:mm:ss)",
    is_valid: |text| {
        let is_below = |text: &str, limit: u8| {
            text.len() == 2 && has_only_digits(text) && text.parse().is_ok_and(|number: u8| number < limit)
        };
        matches!(text.len(), 5 | 8) && text.split(':').zip([24, 60, 60]).all(|(part, limit)| is_below(part, limit))
    },
    schema: || pattern_schema("^(?:[01][0-9]|2[0-3])(?::[0-5][0-9]){1,2}$"),
    boundary_texts: &["00:00", "23:59:59"],
    example: "14:30",
};

/// The text form with hyphens of a UUID (RFC 9562 section 4).
pub(super) static UUID: TextType = TextType {
    name: "uuid",
    expected_phrase: "a UUID",
    is_valid: |text| {
        let is_valid = |(index, byte): (usize, u8)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        };
        text.len() == 36 && text.bytes().enumerate().all(is_valid)
    },
    schema: || {
        let mut schema = pattern_schema("^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$");
        schema["format"] = json!("uuid");
        schema
    },
    boundary_texts: &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    example: "0193e5a0-7d5c-7c3a-9f1e-2b6f4a8c1d3e",
};

pub(super) static IP: TextType = TextType {
    name: "ip",
    expected_phrase: "an IP address",
    is_valid: |text| text.parse::<IpAddr>().is_ok(),
    schema: || json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
    boundary_texts: &["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"],
    example: "192.0.2.1",
};

/// An email address (RFC 5321 section 4.1.2, with the internationalized characters of RFC 6531) without a display name.
/// Its domain must not be an IP address.
pub(super) static MAIL: TextType = TextType {
    name: "mail",
    expected_phrase: "an email address",
    is_valid: |text| {
        let options = Options::default().without_display_text().without_domain_literal();
        EmailAddress::parse_with_options(text, options).is_ok()
    },
    schema: || json!({ "type": "string", "format": "email", "pattern": MAIL_PATTERN }),
    boundary_texts: &["a@b.example", "first.last+tag@mail.example.org"],
    example: "ada@example.org",
};

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

/// The formats for the rules of types that no other keyword of JSON Schema describes. All of them are formats of JSON
/// Schema 2020-12. A JSON Schema validator with these formats accepts exactly the values that the checks accept, except
/// for the values that the documentation of [`types`](super) lists.
pub const SCHEMA_FORMATS: &[SchemaFormat] = &[
    SchemaFormat { name: "date", is_valid: moment::is_valid_date },
    SchemaFormat { name: "email", is_valid: |text| (MAIL.is_valid)(text) },
    SchemaFormat { name: "uri", is_valid: url::is_url },
    SchemaFormat { name: "ipv4", is_valid: |text| text.parse::<Ipv4Addr>().is_ok() },
    SchemaFormat { name: "ipv6", is_valid: |text| text.parse::<Ipv6Addr>().is_ok() },
];
