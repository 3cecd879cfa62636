//! The type `phone`: a French telephone number in national or international form.

use std::sync::Arc;

use super::number::is_digits;
use super::shape::{self, TextShape, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static PHONE: TextShape = TextShape {
    name: "phone",
    expected: "a phone number like 0612345678 or +33 612345678",
    test: |text| match text.strip_prefix("+33") {
        Some(number) => nine_digits(number.strip_prefix(' ').unwrap_or(number)),
        None => text.strip_prefix('0').is_some_and(nine_digits),
    },
    schema: || pattern_schema("^(?:0|\\+33 ?)[0-9]{9}$"),
    samples: &["0612345678", "+33612345678", "+33 612345678"],
    example: "0612345678",
};

fn nine_digits(text: &str) -> bool {
    text.len() == 9 && is_digits(text)
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&PHONE, arguments)
}
