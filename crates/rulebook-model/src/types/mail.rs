//! The type `mail`: an email address.

use std::sync::Arc;

use email_address::{EmailAddress, Options};
use serde_json::json;

use super::text_type::{self, TextType};
use super::{ArgumentError, Check, TypeArguments};

static MAIL: TextType = TextType {
    name: "mail",
    expected_phrase: "an email address",
    is_valid: is_mail,
    schema: || json!({ "type": "string", "format": "email", "pattern": MAIL_PATTERN }),
    boundary_texts: &["a@b.example", "first.last+tag@mail.example.org"],
    example: "ada@example.org",
};

/// A pattern that every email address matches. It excludes display names and IP addresses in place of the domain. It
/// does not check the lengths of the parts, and accepts every character beyond ASCII.
const MAIL_PATTERN: &str = concat!(
    // The part before the `@`: words separated by dots, or a text in quotes.
    r#"^(?:[^\x00-\x20"(),.:;<>@\[\\\]\x7F]+(?:\.[^\x00-\x20"(),.:;<>@\[\\\]\x7F]+)*|"#,
    r#""(?:[^\x00-\x08\x0A-\x1F"\\\x7F]|\\[!-~])+")@"#,
    // The labels of the domain begin and end with a letter or digit.
    r#"(?:[^\x00-/:-@\[-`{-\x7F](?:[^\x00-\x20"(),.:;<>@\[\\\]\x7F]*[^\x00-/:-@\[-`{-\x7F])?\.)*"#,
    r#"[^\x00-/:-@\[-`{-\x7F](?:[^\x00-\x20"(),.:;<>@\[\\\]\x7F]*[^\x00-/:-@\[-`{-\x7F])?$"#
);

/// Returns `true` if a text is an email address (RFC 5321 section 4.1.2, with the internationalized characters of RFC
/// 6531). The address must not have a display name, and its domain must not be an IP address.
pub(super) fn is_mail(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&MAIL, arguments)
}
