//! `alphanumeric`: ASCII letters, digits, `_`, `-` and `.`.

use std::sync::Arc;

use super::shape::{self, Shape, pattern_schema};
use super::{ArgumentError, Arguments, Check};

static ALPHANUMERIC: Shape = Shape {
    name: "alphanumeric",
    expected: "a text of letters, digits, \"_\", \"-\" and \".\"",
    test: |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')),
    schema: || pattern_schema("^[0-9A-Za-z_.\\-]*$"),
    samples: &["", "a", "Z9_-."],
    example: "some-name_1",
};

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&ALPHANUMERIC, arguments)
}
