//! The structs of constants that are booleans or numbers.

use serde_json::Value as Json;

use super::code::doc_comment;

/// Returns the struct whose only value is this boolean or number. Its deserialization rejects other values, because
/// the types of a union may differ only in such a constant.
pub(super) fn constant_struct(constant: &Json, name: &str, doc: &str) -> String {
    let rust_type = match constant {
        Json::Bool(_) => "bool",
        number if number.is_f64() => "f64",
        _ => "i64",
    };
    let doc = if doc.trim().is_empty() { format!("The value `{constant}`.") } else { doc.to_owned() };
    format!(
        r#"{doc}#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "{rust_type}", into = "{rust_type}")]
pub struct {name};

impl {name} {{
    /// The value that requests and responses contain.
    pub const VALUE: {rust_type} = {constant};
}}

impl From<{name}> for {rust_type} {{
    fn from(_: {name}) -> Self {{
        {name}::VALUE
    }}
}}

impl ::std::convert::TryFrom<{rust_type}> for {name} {{
    type Error = &'static str;

    fn try_from(value: {rust_type}) -> Result<Self, Self::Error> {{
        if matches!(value, {constant}) {{ Ok(Self) }} else {{ Err("the value must be {constant}") }}
    }}
}}
"#,
        doc = doc_comment(&doc)
    )
}
