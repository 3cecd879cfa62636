//! The JSON Schema formats that the schemas of types use, for registration with a validator.

use super::moment::{self, Grammar};
use super::{ip, mail, url};

/// A value of the JSON Schema keyword `format`.
#[derive(Debug, Clone, Copy)]
pub struct SchemaFormat {
    /// The name of the format in schemas.
    pub name: &'static str,
    /// Returns `true` if a text has this format, by the same rules as the type's check.
    pub test: fn(&str) -> bool,
}

/// The format of a date with an optional time. It accepts more texts than the format `date-time` of JSON Schema.
pub(super) const DATETIME: &str = "datetime";

/// The format of a text that denotes a finite number of 64 bits.
pub(super) const FLOAT_TEXT: &str = "float-text";

/// The formats for those rules of types that no other keyword of JSON Schema describes. A validator with these formats
/// accepts exactly the values that the checks accept.
///
/// Bounds of dates and of numbers in texts are in the keywords `formatMinimum` and `formatMaximum`, which not every
/// validator supports. Dates and times without an offset are in the time zone of the API.
pub const FORMATS: &[SchemaFormat] = &[
    SchemaFormat { name: "date", test: |text| moment::is_valid(Grammar::Date, text) },
    SchemaFormat { name: DATETIME, test: |text| moment::is_valid(Grammar::Datetime, text) },
    SchemaFormat { name: "email", test: mail::is_mail },
    SchemaFormat { name: "uri", test: url::is_url },
    SchemaFormat { name: "ipv4", test: ip::is_ipv4 },
    SchemaFormat { name: "ipv6", test: ip::is_ipv6 },
    SchemaFormat {
        name: FLOAT_TEXT,
        // The schema's `pattern` checks the grammar; the format checks that the number is finite.
        test: |text| text == "null" || text.parse::<f64>().is_ok_and(f64::is_finite),
    },
];
