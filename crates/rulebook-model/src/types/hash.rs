//! The type `hash`: a SHA-1 or SHA-256 digest, written in hexadecimal digits.

use std::sync::Arc;

use super::text_type::{self, TextType, pattern_schema};
use super::{ArgumentError, Check, TypeArguments};

static HASH: TextType = TextType {
    name: "hash",
    expected_phrase: "a hash of 40 or 64 hexadecimal digits",
    is_valid: |text| matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
    schema: || pattern_schema("^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$"),
    boundary_texts: &[
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ],
    example: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
};

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&HASH, arguments)
}
