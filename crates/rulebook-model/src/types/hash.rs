//! The type `hash`: a SHA-1 or SHA-256 digest, written in hexadecimal digits.

use std::sync::Arc;

use super::shape::{self, TextShape, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static HASH: TextShape = TextShape {
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

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&HASH, arguments)
}
