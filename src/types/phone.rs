//! `phone`: a French telephone number, national or international.

use std::sync::Arc;

use super::number::is_digits;
use super::shape::{self, Shape, pattern_schema};
use super::{ArgumentError, Arguments, Check};

static PHONE: Shape = Shape {
    name: "phone",
    expected: "a phone number like 0612345678 or +33 612345678",
    test: |text| match text.strip_prefix("+33") {
        Some(rest) => nine_digits(rest.strip_prefix(' ').unwrap_or(rest)),
        None => text.strip_prefix('0').is_some_and(nine_digits),
    },
    schema: || pattern_schema("^(?:0|\\+33 ?)[0-9]{9}$"),
    samples: &["0612345678", "+33612345678", "+33 612345678"],
    example: "0612345678",
};

fn nine_digits(text: &str) -> bool {
    text.len() == 9 && is_digits(text)
}

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&PHONE, arguments)
}
