//! `mail`: an address of electronic mail.

use std::sync::Arc;

use email_address::{EmailAddress, Options};
use serde_json::json;

use super::shape::{self, Shape};
use super::{ArgumentError, Arguments, Check};

static MAIL: Shape = Shape {
    name: "mail",
    expected: "a mail address",
    test: is_mail,
    schema: || json!({ "type": "string", "format": "email" }),
    samples: &["a@b.example", "first.last+tag@mail.example.org"],
    example: "ada@example.org",
};

/// Whether a text is an address alone (RFC 5321 section 4.1.2 with RFC 6531's
/// letters), without a name beside it or a bare IP address as its domain.
pub(super) fn is_mail(text: &str) -> bool {
    let options = Options::default().without_display_text().without_domain_literal();
    EmailAddress::parse_with_options(text, options).is_ok()
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&MAIL, arguments)
}
