//! `hash`: the hexadecimal text of a SHA-1 or SHA-256 digest.

use std::sync::Arc;

use super::shape::{self, Shape, pattern_schema};
use super::{ArgumentError, Arguments, Check};

static HASH: Shape = Shape {
    name: "hash",
    expected: "a hash of 40 or 64 hexadecimal digits",
    test: |text| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
    schema: || pattern_schema("^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$"),
    samples: &[
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
    example: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
};

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&HASH, arguments)
}
