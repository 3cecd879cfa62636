//! The type `letters`: ASCII letters, `-` and spaces.

use std::sync::Arc;

use super::shape::{self, TextShape, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static LETTERS: TextShape = TextShape {
    name: "letters",
    expected: "a string of letters, \"-\" and spaces",
    test: |text| text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b' ')),
    schema: || pattern_schema("^[A-Za-z \\-]*$"),
    samples: &["", "a", "Jean-Luc Z"],
    example: "Ada Lovelace",
};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&LETTERS, arguments)
}
