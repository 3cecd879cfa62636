//! Sizes in bytes that a definition writes as a number or as a text with a unit, such as `5MB`.

use serde_json::Value as Json;

/// A phrase for the texts and numbers that are sizes, which an error message inserts after "expected" or "is not".
pub(crate) const DESCRIPTION: &str =
    "a number of bytes, or a size with a unit (B, KB, MB, GB, KiB, MiB, GiB) such as `\"5MB\"`";

/// The units of sizes in bytes, without regard to case (IEC 80000-13): the powers of 1000 and the powers of 1024.
const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// The regular expression of texts that are sizes, for JSON Schemas. A number that exceeds 64 bits also matches.
pub(crate) const PATTERN: &str = "^ *[0-9]+ *([kKmMgG]?[bB]|[kKmMgG][iI][bB]) *$";

/// Returns the number of bytes that a text such as `5MB` or `512 KiB` describes; `None` if the text has no unit, or is
/// not a whole number of at most 64 bits with a unit.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let text = text.trim_matches(' ');
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = (&text[..digits], text[digits..].trim_start_matches(' '));
    let (_, factor) = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// Returns the number of bytes that a JSON text describes; `None` if the value is no text, or [`parse`] fails.
pub(crate) fn from_json_text(json: &Json) -> Option<u64> {
    json.as_str().and_then(parse)
}

#[cfg(test)]
mod tests {
    use super::{PATTERN, parse};

    #[test]
    fn sizes_have_a_whole_number_and_a_unit() {
        let pattern = regex::Regex::new(PATTERN).expect("it is a regular expression");
        for (text, bytes) in [
            ("5MB", Some(5_000_000)),
            ("5 mb", Some(5_000_000)),
            (" 5MiB ", Some(5 << 20)),
            ("512kib", Some(512 << 10)),
            ("1KB", Some(1_000)),
            ("2GB", Some(2_000_000_000)),
            ("2GiB", Some(2 << 30)),
            ("0B", Some(0)),
            ("5", None),
            ("", None),
            ("MB", None),
            ("5M", None),
            ("5MX", None),
            ("-5MB", None),
            ("1.5MB", None),
            ("5 MB/s", None),
            ("٥MB", None),
        ] {
            assert_eq!(parse(text), bytes, "{text:?}");
            assert_eq!(pattern.is_match(text), bytes.is_some(), "{text:?}");
        }
        assert_eq!(parse("99999999999999999999B"), None);
        assert_eq!(parse("99999999999999GiB"), None);
    }
}
