//! The type `uuid`: a UUID in the text form with hyphens (RFC 9562 section 4).

use std::sync::Arc;

use serde_json::json;

use super::text_type::{self, TextType};
use super::{ArgumentError, Check, TypeArguments};

static UUID: TextType = TextType {
    name: "uuid",
    expected_phrase: "a UUID",
    is_valid: is_uuid,
    schema: || {
        json!({
            "type": "string",
            "format": "uuid",
            "pattern": "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
        })
    },
    boundary_texts: &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    example: "0193e5a0-7d5c-7c3a-9f1e-2b6f4a8c1d3e",
};

/// Returns `true` if a text consists of 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, separated by hyphens.
fn is_uuid(text: &str) -> bool {
    let is_valid = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(is_valid)
}

pub(super) fn compile(arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    text_type::compile(&UUID, arguments)
}
