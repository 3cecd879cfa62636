//! The type `letters`: ASCII letters, `-` and spaces.

use std::sync::Arc;

use super::text_type::{self, TextType, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static LETTERS: TextType = TextType {
    name: "letters",
    expected_phrase: "a string of letters, \"-\" and spaces",
    is_valid: |text| text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b' ')),
    schema: || pattern_schema("^[A-Za-z \\-]*$"),
    boundary_texts: &["", "a", "Jean-Luc Z"],
    example: "Ada Lovelace",
};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&LETTERS, arguments)
}
