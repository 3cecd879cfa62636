//! Validators of JSON Schemas that are independent of rulebook: they use the crate `jsonschema`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jsonschema::paths::Location;
use jsonschema::{Draft, Keyword, ValidationError, Validator};
use rulebook_model::types::SCHEMA_FORMATS;
use serde_json::{Map, Value as Json};

/// Returns a validator that ignores the keyword `format`.
pub fn plain_validator(schema: &Json) -> Validator {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(false)
        .build(schema)
        .unwrap_or_else(|error| panic!("{schema} is not a schema: {error}"))
}

/// Returns a validator that supports the formats that rulebook's types use in their schemas.
pub fn validator(schema: &Json) -> Validator {
    let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    for format in SCHEMA_FORMATS {
        options = options.with_format(format.name, format.is_valid);
    }
    options.build(schema).unwrap_or_else(|error| panic!("{schema} is not a schema: {error}"))
}

/// The keyword `formatMinimum` or `formatMaximum` of a schema.
struct FormatBound {
    format: String,
    bound: Json,
    is_minimum: bool,
    /// The time zone for dates and times without an offset.
    timezone: TimeZone,
}

/// Parses a date or a time as a point in time. A text without an offset is in the time zone `timezone`.
fn parse_timestamp(text: &str, timezone: &TimeZone) -> Option<Timestamp> {
    if text.contains(['T', 't']) {
        return text.parse().ok();
    }
    let local: DateTime = text.parse().ok()?;
    timezone.to_ambiguous_timestamp(local).compatible().ok()
}

impl<'i> Keyword<'i> for FormatBound {
    fn validate(&self, instance: &'i Json) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom("outside the bound")) }
    }

    fn is_valid(&self, instance: &'i Json) -> bool {
        let Some(text) = instance.as_str() else { return true };
        let order = match self.format.as_str() {
            "float-text" => {
                // Whole numbers are compared exactly, other numbers as `f64`.
                let bound = self.bound.as_f64().unwrap();
                text.parse::<i128>()
                    .ok()
                    .filter(|_| bound.abs() < 1e30)
                    .map(|whole| whole.cmp(&(bound.floor() as i128)).then(0.0_f64.total_cmp(&bound.fract().abs())))
                    .or_else(|| text.parse::<f64>().ok()?.partial_cmp(&bound))
            }
            _ => parse_timestamp(text, &self.timezone)
                .and_then(|text| Some(text.cmp(&parse_timestamp(self.bound.as_str()?, &self.timezone)?))),
        };
        order.is_some_and(|order| if self.is_minimum { order.is_ge() } else { order.is_le() })
    }
}

fn new_format_bound(parent: &Map<String, Json>, bound: &Json, location: &Location, timezone: TimeZone) -> FormatBound {
    FormatBound {
        format: parent["format"].as_str().unwrap().to_owned(),
        bound: bound.clone(),
        is_minimum: location.to_string().ends_with("formatMinimum"),
        timezone,
    }
}

/// Returns a validator that supports the formats of rulebook's types, and the keywords `formatMinimum` and
/// `formatMaximum` for dates and times in the time zone of the API.
pub fn complete_validator(schema: &Json, timezone: &TimeZone) -> Validator {
    let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    for format in SCHEMA_FORMATS {
        options = options.with_format(format.name, format.is_valid);
    }
    for keyword in ["formatMinimum", "formatMaximum"] {
        let timezone = timezone.clone();
        options = options.with_keyword(keyword, move |parent, bound, location| {
            Ok(Box::new(new_format_bound(parent, bound, &location, timezone.clone())))
        });
    }
    options.build(schema).unwrap_or_else(|error| panic!("{schema} is not a schema: {error}"))
}

/// Returns `true` if a validator that ignores formats checks a value completely: the schema has no format except
/// `uuid`, which is accompanied by an equivalent pattern.
pub fn is_exact(schema: &Json) -> bool {
    match schema {
        Json::Object(keywords) => keywords.iter().all(|(keyword, value)| match keyword.as_str() {
            "format" => value == "uuid",
            _ => is_exact(value),
        }),
        Json::Array(items) => items.iter().all(is_exact),
        _ => true,
    }
}
