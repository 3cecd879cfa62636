//! The type `alphanumeric`: ASCII letters, digits, `_`, `-` and `.`.

use std::sync::Arc;

use super::text_type::{self, TextType, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static ALPHANUMERIC: TextType = TextType {
    name: "alphanumeric",
    expected_phrase: "a string of letters, digits, \"_\", \"-\" and \".\"",
    is_valid: |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')),
    schema: || pattern_schema("^[0-9A-Za-z_.\\-]*$"),
    boundary_texts: &["", "a", "Z9_-."],
    example: "some-name_1",
};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&ALPHANUMERIC, arguments)
}
