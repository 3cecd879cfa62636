//! The values of the JSON Schema keyword `format` that the schemas of types use. Programs that validate values against
//! these schemas register the formats with their JSON Schema validator.

use super::moment;
use super::{ip, mail, url};

/// A value of the JSON Schema keyword `format`, with the function that tests it.
#[derive(Debug, Clone, Copy)]
pub struct SchemaFormat {
    /// The name of the format, which is the value of the keyword `format` in JSON Schemas.
    pub name: &'static str,
    /// Returns `true` if a text has this format, by the same rules as the check of the type.
    pub is_valid: fn(&str) -> bool,
}

/// The formats for the rules of types that no other keyword of JSON Schema describes. All of them are formats of JSON
/// Schema 2020-12. A JSON Schema validator with these formats accepts exactly the values that the checks accept, except
/// for the values that the documentation of [`types`](super) lists.
pub const SCHEMA_FORMATS: &[SchemaFormat] = &[
    SchemaFormat { name: "date", is_valid: moment::is_valid_date },
    SchemaFormat { name: "email", is_valid: mail::is_mail },
    SchemaFormat { name: "uri", is_valid: url::is_url },
    SchemaFormat { name: "ipv4", is_valid: ip::is_ipv4 },
    SchemaFormat { name: "ipv6", is_valid: ip::is_ipv6 },
];
