//! `uuid`: a UUID in its text form (RFC 9562 section 4), with hyphens.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::shape::{self, Shape};
use super::{ArgumentError, Arguments, Check};

static UUID: Shape = Shape {
    name: "uuid",
    expected: "a UUID",
    // The parser also reads forms without hyphens, in braces and as a URN, which are longer or shorter.
    test: |text| text.len() == 36 && Uuid::try_parse(text).is_ok(),
    schema: || {
        json!({
            "type": "string",
            "format": "uuid",
            "pattern": "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
        })
    },
    samples: &["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    example: "0193e5a0-7d5c-7c3a-9f1e-2b6f4a8c1d3e",
};

pub(super) fn compile(arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    shape::compile(&UUID, arguments)
}
