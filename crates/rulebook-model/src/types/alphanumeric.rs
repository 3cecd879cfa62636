//! The type `alphanumeric`: ASCII letters, digits, `_`, `-` and `.`.

use std::sync::Arc;

use super::shape::{self, TextShape, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static ALPHANUMERIC: TextShape = TextShape {
    name: "alphanumeric",
    expected: "a string of letters, digits, \"_\", \"-\" and \".\"",
    test: |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')),
    schema: || pattern_schema("^[0-9A-Za-z_.\\-]*$"),
    samples: &["", "a", "Z9_-."],
    example: "some-name_1",
};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&ALPHANUMERIC, arguments)
}
