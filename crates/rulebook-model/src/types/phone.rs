//! The type `phone`: a French telephone number in national or international form.

use std::sync::Arc;

use super::number::has_only_digits;
use super::text_type::{self, TextType, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static PHONE: TextType = TextType {
    name: "phone",
    expected_phrase: "a phone number like 0612345678 or +33 612345678",
    is_valid: |text| match text.strip_prefix("+33") {
        Some(number) => is_nine_digits(number.strip_prefix(' ').unwrap_or(number)),
        None => text.strip_prefix('0').is_some_and(is_nine_digits),
    },
    schema: || pattern_schema("^(?:0|\\+33 ?)[0-9]{9}$"),
    boundary_texts: &["0612345678", "+33612345678", "+33 612345678"],
    example: "0612345678",
};

fn is_nine_digits(text: &str) -> bool {
    text.len() == 9 && has_only_digits(text)
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&PHONE, arguments)
}
