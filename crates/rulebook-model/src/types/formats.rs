//! The values of the JSON Schema keyword `format` that the schemas of types use. Programs that validate values against
//! these schemas register the formats with their JSON Schema validator.

use super::moment::{self, DateGrammar};
use super::{ip, mail, url};

/// A value of the JSON Schema keyword `format`, with the function that tests it.
#[derive(Debug, Clone, Copy)]
pub struct SchemaFormat {
    /// The name of the format, which is the value of the keyword `format` in JSON Schemas.
    pub name: &'static str,
    /// Returns `true` if a text has this format, by the same rules as the check of the type.
    pub is_valid: fn(&str) -> bool,
}

/// The name of the format of a date with an optional time. This format accepts more texts than the format `date-time`
/// of JSON Schema.
pub(super) const DATETIME_FORMAT: &str = "datetime";

/// The name of the format of a text that denotes a finite number of 64 bits.
pub(super) const FLOAT_TEXT_FORMAT: &str = "float-text";

/// The formats for the rules of types that no other keyword of JSON Schema describes. A JSON Schema validator with
/// these formats accepts exactly the values that the checks accept.
///
/// The bounds of dates, and of numbers that are written as text, are in the keywords `formatMinimum` and
/// `formatMaximum`, which not every validator supports. Dates and times without an offset are in the time zone of the
/// API.
pub const SCHEMA_FORMATS: &[SchemaFormat] = &[
    SchemaFormat { name: "date", is_valid: |text| moment::is_valid_text(DateGrammar::Date, text) },
    SchemaFormat { name: DATETIME_FORMAT, is_valid: |text| moment::is_valid_text(DateGrammar::Datetime, text) },
    SchemaFormat { name: "email", is_valid: mail::is_mail },
    SchemaFormat { name: "uri", is_valid: url::is_url },
    SchemaFormat { name: "ipv4", is_valid: ip::is_ipv4 },
    SchemaFormat { name: "ipv6", is_valid: ip::is_ipv6 },
    SchemaFormat {
        name: FLOAT_TEXT_FORMAT,
        // The keyword `pattern` of the schema checks the grammar of the number; the format checks that the number is
        // finite.
        is_valid: |text| text == "null" || text.parse::<f64>().is_ok_and(f64::is_finite),
    },
];
