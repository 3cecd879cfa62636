//! The values of JSON Schema's `format` that the types use, for validators.

use super::moment::{self, Grammar};
use super::{ip, mail, url};

/// A named format of texts.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Its name in schemas.
    pub name: &'static str,
    /// Whether a text is of this format, as the checks see it.
    pub test: fn(&str) -> bool,
}

/// The format of texts that are dates, with times or without; wider than JSON Schema's `date-time`.
pub(super) const DATETIME: &str = "datetime";

/// The format of texts that are finite numbers of 64 bits.
pub(super) const FLOAT_TEXT: &str = "float-text";

/// Every format that a type's schema names and its other keywords do not say
/// in full. With these registered, a validator agrees with the checks to the letter.
///
/// Bounds of dates and of numbers in texts stand in the keywords
/// `formatMinimum` and `formatMaximum`, which validators may know or not. Dates and times that name no zone are of the
/// API's.
pub const FORMATS: &[Format] = &[
    Format { name: "date", test: |text| moment::is_valid(Grammar::Date, text) },
    Format { name: DATETIME, test: |text| moment::is_valid(Grammar::Datetime, text) },
    Format { name: "email", test: mail::is_mail },
    Format { name: "uri", test: url::is_url },
    Format { name: "ipv4", test: ip::is_ipv4 },
    Format { name: "ipv6", test: ip::is_ipv6 },
    Format {
        name: FLOAT_TEXT,
        // The grammar is in the schema's pattern, this adds that the number is finite.
        test: |text| text == "null" || text.parse::<f64>().is_ok_and(f64::is_finite),
    },
];
