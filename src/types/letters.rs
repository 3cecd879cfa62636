//! `letters`: ASCII letters, `-` and blanks.

use std::sync::Arc;

use super::shape::{self, Shape, pattern_schema};
use super::{ArgumentError, Arguments, Check};

static LETTERS: Shape = Shape {
    name: "letters",
    expected: "a text of letters, \"-\" and blanks",
    test: |text| text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b' ')),
    schema: || pattern_schema("^[A-Za-z \\-]*$"),
    samples: &["", "a", "Jean-Luc Z"],
    example: "Ada Lovelace",
};

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&LETTERS, arguments)
}
