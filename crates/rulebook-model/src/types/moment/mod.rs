//! The check of the types `date` and `datetime`. A *moment* is the point in time that a date, or a date with a time,
//! denotes.
//!
//! Usual JSON Schema validators do not support bounds of dates, so the bounds are in the `pattern` of the JSON Schema.
//! For `datetime`, this pattern only limits the date, with one day of tolerance for offsets from UTC, and the
//! description in the schema names the exact bounds. Such a pattern accepts 29 February in every year between the
//! bounds. The JSON Schema also accepts leap seconds (`:60`) at any time of day.

mod date_pattern;
mod notation;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
#[cfg(feature = "documents")]
use serde_json::Map;
use serde_json::{Value as Json, json};

use date_pattern::date_pattern;
pub(super) use notation::{DateGrammar, parse_date};
use notation::{Moment, date_at, format_rfc3339, parse_moment};

use super::check::{first_valid_value, keep_valid_values};
use super::number::json_to_whole_number;
use super::{ArgumentError, ArgumentErrorKind, Check, TypeArguments, TypeExpr};
use crate::call::{Measure, Measured, TypeMismatch, Value, Violation};

/// The number of seconds by which a date can differ from the same date in UTC: offsets are shorter than a day.
const MAX_OFFSET: i64 = 86_400;

/// Returns a pattern for the time after a date. The time may be missing.
fn time_pattern() -> String {
    let minutes = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    let clock = format!(r"[Tt]{minutes}:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+\-]{minutes})");
    format!("(?: {minutes}:[0-5][0-9]|{clock})?")
}

/// Returns a pattern for all texts of the type `datetime`.
pub(crate) fn datetime_pattern() -> String {
    format!("^{}{}$", date_pattern(None, None), time_pattern())
}

/// Returns the seconds from 1970-01-01T00:00:00Z to the point in time that a text of the type `datetime` denotes.
/// Without an offset, it denotes a point in time in UTC.
pub(crate) fn utc_seconds_of(text: &str) -> Option<i64> {
    parse_moment(DateGrammar::Datetime, text, &TimeZone::UTC).map(|(seconds, _)| seconds)
}

/// Returns `true` if a JSON Schema is that of a date, or of a date with a time.
#[cfg(feature = "documents")]
pub(crate) fn is_moment(schema: &Map<String, Json>) -> bool {
    let ends_in_time = |pattern: &str| pattern.strip_suffix('$').is_some_and(|rest| rest.ends_with(&time_pattern()));
    schema.get("format").is_some_and(|format| format == "date")
        || schema.get("pattern").and_then(Json::as_str).is_some_and(ends_in_time)
}

#[derive(Debug)]
struct MomentCheck {
    grammar: DateGrammar,
    min: Option<MomentBound>,
    max: Option<MomentBound>,
    /// If `true` (`"format": "timestamp"`), handlers receive the seconds since 1970-01-01T00:00:00Z.
    returns_timestamp: bool,
    timezone: TimeZone,
}

#[derive(Debug)]
struct MomentBound {
    /// The bound as the definition writes it. A bound in seconds is converted to a text.
    text: String,
    moment: Moment,
}

pub(super) fn compile(grammar: DateGrammar, arguments: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.expect_no_arguments()?;
    let timestamp = match arguments.text("format")? {
        None => false,
        Some("timestamp") => true,
        Some(_) => {
            return Err(arguments
                .error("the `format` of a date must be `timestamp`")
                .at("format")
                .help("write `timestamp`, or remove `format` to pass the text to handlers"));
        }
    };
    let min = bound_from_attribute(grammar, arguments, "min")?;
    let max = bound_from_attribute(grammar, arguments, "max")?;
    if let (Some(min), Some(max)) = (&min, &max)
        && min.moment > max.moment
    {
        let message = format!("the lower bound {} is after the upper bound {}", min.text, max.text);
        return Err(ArgumentError::new(ArgumentErrorKind::Bounds, message).at("min"));
    }
    Ok(Arc::new(MomentCheck { grammar, min, max, returns_timestamp: timestamp, timezone: arguments.timezone.clone() }))
}

/// Reads a bound from an attribute: a text in the grammar of the type or, for `datetime`, seconds since 1970.
fn bound_from_attribute(
    grammar: DateGrammar,
    arguments: &TypeArguments<'_>,
    attribute: &str,
) -> Result<Option<MomentBound>, ArgumentError> {
    let Some(json) = arguments.attributes.get(attribute) else {
        return Ok(None);
    };
    let text = match json {
        Json::String(text) => Some(text.clone()),
        other if grammar == DateGrammar::Datetime => json_to_whole_number(other)
            .and_then(|seconds| Timestamp::from_second(seconds.try_into().ok()?).ok())
            .map(|timestamp| timestamp.to_string()),
        _ => None,
    };
    let bound = text.and_then(|text| {
        let moment = parse_moment(grammar, &text, arguments.timezone)?;
        Some(MomentBound { text, moment })
    });
    let error = || arguments.error(format!("`{attribute}` is not a `{}`", grammar.type_name())).at(attribute);
    bound.map(Some).ok_or_else(error)
}

impl MomentCheck {
    /// Returns the bound that a value violates, in seconds if handlers receive seconds.
    fn bound_violation(&self, value: &Value<'_>) -> Option<Violation> {
        let Value::Text(text) = value else { return None };
        let moment = parse_moment(self.grammar, text, &self.timezone)?;
        let shown =
            |text: &str, moment: Moment| if self.returns_timestamp { moment.0.to_string() } else { text.to_owned() };
        let measured = |bound: &MomentBound| Measured {
            measure: Measure::Value,
            bound: shown(&bound.text, bound.moment),
            got: shown(text, moment),
        };
        let below = self.min.as_ref().filter(|min| moment < min.moment).map(|min| Violation::BelowMin(measured(min)));
        let above = || self.max.as_ref().filter(|max| moment > max.moment);
        below.or_else(|| above().map(|max| Violation::AboveMax(measured(max))))
    }

    /// Returns the point in time that a text denotes, or `None` if the text is not valid or not within the bounds.
    fn parse_valid_moment(&self, text: &str) -> Option<Moment> {
        parse_moment(self.grammar, text, &self.timezone).filter(|moment| {
            self.min.as_ref().is_none_or(|min| *moment >= min.moment)
                && self.max.as_ref().is_none_or(|max| *moment <= max.moment)
        })
    }
}

impl Check for MomentCheck {
    fn check(&self, value: &mut Value<'_>) -> Result<(), TypeMismatch> {
        let moment = match value {
            Value::Text(text) => self.parse_valid_moment(text),
            _ => None,
        };
        let Some((seconds, _)) = moment else {
            return Err(TypeMismatch::new(self.expected(), value).with_violation(self.bound_violation(value)));
        };
        if self.returns_timestamp {
            *value = Value::Int(seconds);
        }
        Ok(())
    }

    fn expected(&self) -> Cow<'static, str> {
        let noun = match self.grammar {
            DateGrammar::Date => "a date (YYYY-MM-DD)",
            DateGrammar::Datetime => "a date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date)",
        };
        match (&self.min, &self.max) {
            (None, None) => Cow::Borrowed(noun),
            (Some(min), None) => format!("{noun}, not before {}", min.text).into(),
            (None, Some(max)) => format!("{noun}, not after {}", max.text).into(),
            (Some(min), Some(max)) => format!("{noun} from {} to {}", min.text, max.text).into(),
        }
    }

    fn schema(&self) -> Json {
        let mut schema = json!({ "type": "string" });
        let pattern = match self.grammar {
            DateGrammar::Date => {
                schema["format"] = json!("date");
                let date = |bound: &Option<MomentBound>| bound.as_ref().map(|bound| bound.text.clone());
                format!("^{}$", date_pattern(date(&self.min).as_deref(), date(&self.max).as_deref()))
            }
            DateGrammar::Datetime => {
                let date = |bound: &Option<MomentBound>, tolerance| {
                    let (seconds, _) = bound.as_ref()?.moment;
                    date_at(seconds.saturating_add(tolerance), &TimeZone::UTC)
                };
                let (first, last) = (date(&self.min, -MAX_OFFSET), date(&self.max, MAX_OFFSET));
                format!("^{}{}$", date_pattern(first.as_deref(), last.as_deref()), time_pattern())
            }
        };
        schema["pattern"] = json!(pattern);
        // The notations of a `datetime` and the bounds are unreadable in the pattern.
        if self.grammar == DateGrammar::Datetime || self.min.is_some() || self.max.is_some() {
            schema["description"] = json!(self.expected().replacen('a', "A", 1));
        }
        schema
    }

    fn has_exact_schema(&self) -> bool {
        self.grammar == DateGrammar::Date
    }

    fn type_expr(&self) -> TypeExpr {
        let text = |bound: &Option<MomentBound>| bound.as_ref().map(|bound| bound.text.clone());
        let type_expr = TypeExpr::term(self.grammar.type_name()).with("min", text(&self.min));
        type_expr.with("max", text(&self.max)).with("format", self.returns_timestamp.then_some("timestamp"))
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        let bounds = [&self.min, &self.max].into_iter().flatten();
        let general: &[&str] = match self.grammar {
            DateGrammar::Date => &["0001-01-01", "9999-12-31"],
            DateGrammar::Datetime => &["0001-01-01", "1970-01-01 00:00:00", "9999-12-31T23:59:59.999999999+00:00"],
        };
        let candidates = bounds.map(|bound| bound.text.as_str()).chain(general.iter().copied());
        keep_valid_values(self, candidates.map(|text| Value::Text(Cow::Owned(text.to_owned()))).collect())
    }

    fn compare(&self, one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
        match (one, other) {
            (Value::Text(one), Value::Text(other)) => {
                let moment = |text| parse_moment(self.grammar, text, &self.timezone);
                Some(moment(one)?.cmp(&moment(other)?))
            }
            (Value::Int(one), Value::Int(other)) if self.returns_timestamp => Some(one.cmp(other)),
            _ => None,
        }
    }

    fn point_in_time(&self, value: &Value<'_>) -> Option<(i64, u32)> {
        match value {
            Value::Text(text) if self.grammar == DateGrammar::Datetime => self.parse_valid_moment(text),
            _ => None,
        }
    }

    fn text_for(&self, value: &str) -> Option<String> {
        if !self.returns_timestamp {
            return Some(value.to_owned());
        }
        let seconds = value.parse().ok()?;
        let text = match self.grammar {
            DateGrammar::Date => date_at(seconds, &self.timezone),
            DateGrammar::Datetime => format_rfc3339(seconds),
        };
        // If the lower bound has a fraction of a second, the text of the whole second can be before the bound. In this
        // case, the text of the bound is returned.
        let min = self.min.iter().filter(|min| min.moment.0 == seconds).map(|min| min.text.clone());
        text.into_iter().chain(min).find(|text| self.parse_valid_moment(text).is_some_and(|moment| moment.0 == seconds))
    }

    fn example(&self) -> Option<Value<'static>> {
        let typical = match self.grammar {
            DateGrammar::Date => "2026-05-17",
            DateGrammar::Datetime => "2026-05-17T14:30:00Z",
        };
        first_valid_value(self, [Value::Text(Cow::Borrowed(typical))])
    }
}
