//! The check of the types `date` and `datetime`. A *moment* is the point in time that a date, or a date with a time,
//! denotes.
//!
//! Usual JSON Schema validators do not support bounds of dates, so the bounds are in the `pattern` of the JSON Schema.
//! For `datetime`, this pattern only limits the date, with one day of tolerance for offsets from UTC, and the
//! description in the schema names the exact bounds. Such a pattern accepts 29 February in every year between the
//! bounds. The JSON Schema also accepts leap seconds (`:60`) at any time of day.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
#[cfg(feature = "documents")]
use serde_json::Map;
use serde_json::{Value as Json, json};

use super::number::{fixed_width_alternatives, json_to_whole_number};
use super::{ArgumentError, ArgumentErrorKind, Check, TypeArguments, TypeExpr, first_valid_value, keep_valid_values};
use crate::call::{Measure, Measured, TypeMismatch, Value, Violation};

/// The number of seconds by which a date can differ from the same date in UTC: offsets are shorter than a day.
const MAX_OFFSET: i64 = 86_400;

/// The time after a date, which may be missing.
fn time_pattern() -> String {
    let minutes = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    let clock = format!(r"[Tt]{minutes}:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+\-]{minutes})");
    format!("(?: {minutes}:[0-5][0-9]|{clock})?")
}

pub(crate) fn datetime_pattern() -> String {
    format!("^{}{}$", date_pattern(None, None), time_pattern())
}

/// Returns the seconds from 1970-01-01T00:00:00Z to the point in time that a text of the type `datetime` denotes.
/// Without an offset, it denotes a point in time in UTC.
pub(crate) fn utc_seconds_of(text: &str) -> Option<i64> {
    parse_moment(DateGrammar::Datetime, text, &TimeZone::UTC).map(|(seconds, _)| seconds)
}

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

    /// `None` if the text is not valid or not within the bounds.
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

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum DateGrammar {
    /// The grammar of `date`: `YYYY-MM-DD`.
    Date,
    /// The grammar of `datetime`: RFC 3339, `YYYY-MM-DD hh:mm:ss`, or a date, which denotes its midnight.
    Datetime,
}

impl DateGrammar {
    fn type_name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }
}

/// A point in time: the seconds since 1970-01-01T00:00:00Z, and the nanoseconds from 0 to 999,999,999.
type Moment = (i64, u32);

/// Returns the point in time of a valid text. `timezone` applies to texts without an offset.
fn parse_moment(grammar: DateGrammar, text: &str, timezone: &TimeZone) -> Option<Moment> {
    let date = parse_date(text.get(..10)?)?;
    match (grammar, text.get(10..)?) {
        (_, "") => Some((local_seconds(date.to_datetime(Time::midnight()), timezone), 0)),
        (DateGrammar::Date, _) => None,
        (DateGrammar::Datetime, time) => parse_time(date, time, timezone),
    }
}

/// Parses a date `YYYY-MM-DD` that exists.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    if !has_shape(text, "0000-00-00") {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?).ok()
}

/// A text has this shape if it has a digit in place of each `0` of `shape`, and the other characters of `shape`.
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, expected): (u8, u8)| if expected == b'0' { byte.is_ascii_digit() } else { byte == expected };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// Parses the text that follows the date `date`: ` hh:mm:ss`, or `T`, time, fraction and offset as in RFC 3339.
fn parse_time(date: Date, text: &str, timezone: &TimeZone) -> Option<Moment> {
    let separator = text.get(..1)?;
    let [hour, minute, second] = parse_clock(text.get(1..9)?)?;
    let after_clock = text.get(9..)?;
    // A leap second (60) is converted to the second 59 here, because `Time` has no leap seconds. The match below checks
    // whether the leap second is allowed.
    let clock = Time::new(hour, minute, second.min(59), 0).ok()?;
    let civil = date.to_datetime(clock);
    match separator {
        " " if after_clock.is_empty() && second < 60 => Some((local_seconds(civil, timezone), 0)),
        "T" | "t" => {
            let (nanos, offset) = parse_fraction(after_clock)?;
            let seconds = utc_seconds(civil) - parse_offset(offset)?;
            match second {
                // RFC 3339 section 5.7: a leap second is allowed only at the end of a day in UTC.
                60 => (seconds.rem_euclid(86_400) == 86_399).then_some((seconds + 1, nanos)),
                _ => Some((seconds, nanos)),
            }
        }
        _ => None,
    }
}

/// Parses `hh:mm:ss`. The second can be 60.
fn parse_clock(text: &str) -> Option<[i8; 3]> {
    if !has_shape(text, "00:00:00") {
        return None;
    }
    let [hour, minute, second] = [0..2, 3..5, 6..8].map(|range| text[range].parse().ok());
    Some([hour?, minute?, second.filter(|second| *second <= 60)?])
}

/// Parses an optional fraction of a second. Returns the nanoseconds and the text after the fraction.
fn parse_fraction(text: &str) -> Option<(u32, &str)> {
    let Some(after_point) = text.strip_prefix('.') else {
        return Some((0, text));
    };
    let length = after_point.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, remaining) = after_point.split_at(length);
    let nanos = format!("{fraction:0<9}");
    let nanos = nanos.get(..9)?.parse().ok()?;
    (length > 0).then_some((nanos, remaining))
}

/// Parses an offset from UTC, which is `Z`, `+hh:mm` or `-hh:mm`, and returns the offset in seconds.
fn parse_offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let offset = text.get(1..).filter(|offset| has_shape(offset, "00:00"))?;
    let (hours, minutes): (i64, i64) = (offset[..2].parse().ok()?, offset[3..].parse().ok()?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// Returns the seconds from 1970-01-01T00:00:00Z to a date and time in UTC.
fn utc_seconds(civil: DateTime) -> i64 {
    civil.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs()
}

/// Returns the seconds from 1970-01-01T00:00:00Z to a date and time in `timezone`: the earlier ones if the time occurs
/// twice because daylight saving time ends. If the time is skipped, the length of the skipped interval is added.
fn local_seconds(civil: DateTime, timezone: &TimeZone) -> i64 {
    match timezone.to_ambiguous_timestamp(civil).compatible() {
        Ok(timestamp) => timestamp.as_second(),
        // The library `jiff` cannot convert the last days of the year 9999.
        Err(_) => utc_seconds(civil) - i64::from(timezone.to_offset(Timestamp::MAX).seconds()),
    }
}

/// The offsets that [`format_rfc3339`] tries, each in seconds and as text. RFC 3339 allows only years with four digits.
/// A point in time can be just outside of the years 0000 to 9999 in UTC, but within these years with another offset.
const RFC3339_OFFSETS: [(i64, &str); 3] = [(0, "Z"), (-86_340, "-23:59"), (86_340, "+23:59")];

/// `None` if the year does not have four digits.
fn format_rfc3339(seconds: i64) -> Option<String> {
    let format = |(offset_seconds, offset): (i64, &str)| {
        let civil = utc_date_time(seconds.checked_add(offset_seconds)?)?;
        Some(format!("{civil}{offset}"))
    };
    RFC3339_OFFSETS.into_iter().find_map(format)
}

/// Returns the date in `timezone` at a point in time, which must be midnight; `None` if the year is not 0000 to 9999.
fn date_at(seconds: i64, timezone: &TimeZone) -> Option<String> {
    let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let civil = utc_date_time(seconds.checked_add(timezone.to_offset(timestamp).seconds().into())?)?;
    Some(civil.date().to_string())
}

/// `None` if the year is not from 0000 to 9999.
fn utc_date_time(seconds: i64) -> Option<DateTime> {
    let civil = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(SignedDuration::from_secs(seconds)).ok()?;
    (civil.year() >= 0).then_some(civil)
}

// Regular expressions that match dates. JSON Schemas contain them, because usual validators do not support bounds of
// dates. They use only the syntax that every validator supports (JSON Schema Core 2020-12, section 6.4), so they have
// no lookaheads.

/// A pattern, without anchors, for the dates `YYYY-MM-DD` that exist.
const EXISTING_DATE: &str = concat!(
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|",
    "02-(?:0[1-9]|1[0-9]|2[0-8]))|",
    // 29 February in the leap years from 0000 to 9999.
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
);

/// Returns a pattern, without anchors, for the dates `YYYY-MM-DD` from `first` to `last`. `None` means that there is no
/// bound. With a bound, the pattern also matches 29 February of years that are not leap years, except in the first and
/// the last year.
fn date_pattern(first: Option<&str>, last: Option<&str>) -> String {
    if first.is_none() && last.is_none() {
        return EXISTING_DATE.to_owned();
    }
    let parse = |text: Option<&str>, default| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    let (first, last) = (parse(first, date(0, 1, 1)), parse(last, date(9999, 12, 31)));
    let dates_of_year = |first: Date, last: Date| format!("{:04}-(?:{})", first.year(), days_between(first, last));
    if first.year() == last.year() {
        return format!("(?:{})", dates_of_year(first, last));
    }
    let mut dates = vec![dates_of_year(first, first.last_of_year())];
    if last.year() - first.year() > 1 {
        let years = [first.year() + 1, last.year() - 1].map(|year| format!("{year:04}"));
        // A leap year stands for all years.
        let days = days_between(date(2000, 1, 1), date(2000, 12, 31));
        dates.push(format!("(?:{})-(?:{days})", fixed_width_alternatives(&years[0], &years[1])));
    }
    dates.push(dates_of_year(last.first_of_year(), last));
    format!("(?:{})", dates.join("|"))
}

/// Returns alternatives, separated by `|`, for the months and days from `first` to `last` within a year.
fn days_between(first: Date, last: Date) -> String {
    // Months with the same days share an alternative.
    let mut months_by_days: BTreeMap<(i8, i8), Vec<String>> = BTreeMap::new();
    for month in first.month()..=last.month() {
        let from = if month == first.month() { first.day() } else { 1 };
        let to = if month == last.month() { last.day() } else { date(first.year(), month, 1).days_in_month() };
        months_by_days.entry((from, to)).or_default().push(format!("{month:02}"));
    }
    let alternatives = months_by_days.into_iter().map(|((from, to), months)| {
        let days = fixed_width_alternatives(&format!("{from:02}"), &format!("{to:02}"));
        format!("(?:{})-(?:{days})", months.join("|"))
    });
    alternatives.collect::<Vec<_>>().join("|")
}
