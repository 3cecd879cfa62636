//! Dates and points in time, as `date` and `datetime` read them.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::check::{example, passing};
use super::formats::DATETIME;
use super::number::{is_digits, whole_json};
use super::{ArgumentError, ArgumentErrorKind, Arguments, Check, Written};
use crate::call::{Broken, Measure, Measured, Mismatch, Value};

/// Which texts are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Grammar {
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339, `YYYY-MM-DD hh:mm:ss`, or a date, which is its midnight.
    Datetime,
}

impl Grammar {
    fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }
}

/// The shape of a date, for validators that do not know the format; which months have 31 days it does not say.
const DATE_PATTERN: &str = "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$";

/// The same of a date and time.
fn datetime_pattern() -> String {
    let date = DATE_PATTERN.trim_end_matches('$');
    let minutes = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    let clock = format!(r"[Tt]{minutes}:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+\-]{minutes})");
    format!("{date}(?: {minutes}:[0-5][0-9]|{clock})?$")
}

/// A point in time: seconds from 1970-01-01T00:00:00Z on, and nanoseconds after.
type Moment = (i64, u32);

#[derive(Debug)]
struct MomentCheck {
    grammar: Grammar,
    min: Option<(String, Moment)>,
    max: Option<(String, Moment)>,
    /// Whether handlers get the seconds and not the text.
    timestamp: bool,
    timezone: TimeZone,
}

pub(super) fn compile(grammar: Grammar, arguments: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
    arguments.no_terms()?;
    let timestamp = match arguments.text("format")? {
        None => false,
        Some("timestamp") => true,
        Some(_) => {
            return Err(arguments
                .bad("the only `format` of dates is `timestamp`")
                .at("format")
                .help("write `timestamp`, or leave `format` out for the text as it is"));
        }
    };
    let min = read_bound(grammar, arguments, "min")?;
    let max = read_bound(grammar, arguments, "max")?;
    if let (Some(min), Some(max)) = (&min, &max)
        && min.1 > max.1
    {
        let message = format!("the lower bound {} is after the upper bound {}", min.0, max.0);
        return Err(ArgumentError::new(ArgumentErrorKind::Bounds, message).at("min"));
    }
    Ok(Arc::new(MomentCheck { grammar, min, max, timestamp, timezone: arguments.timezone.clone() }))
}

/// A bound: a text of the type's own grammar or, of a `datetime`, seconds.
fn read_bound(
    grammar: Grammar,
    arguments: &Arguments<'_>,
    attribute: &str,
) -> Result<Option<(String, Moment)>, ArgumentError> {
    let Some(json) = arguments.attributes.get(attribute) else {
        return Ok(None);
    };
    let text = match json {
        Json::String(text) => Some(text.clone()),
        other if grammar == Grammar::Datetime => whole_json(other)
            .and_then(|seconds| Timestamp::from_second(seconds.try_into().ok()?).ok())
            .map(|timestamp| timestamp.to_string()),
        _ => None,
    };
    text.and_then(|text| parse(grammar, &text, arguments.timezone).map(|moment| Some((text, moment)))).ok_or_else(
        || {
            let name = grammar.name();
            arguments.bad(format!("`{attribute}` is no `{name}`")).at(attribute)
        },
    )
}

/// Whether a text is of the grammar and names a day that there is.
pub(super) fn is_valid(grammar: Grammar, text: &str) -> bool {
    parse(grammar, text, &TimeZone::UTC).is_some()
}

fn parse(grammar: Grammar, text: &str, timezone: &TimeZone) -> Option<Moment> {
    let date = parse_date(text.get(..10)?)?;
    match (grammar, text.get(10..)?) {
        (_, "") => Some((local_seconds(date.to_datetime(Time::midnight()), timezone), 0)),
        (Grammar::Date, _) => None,
        (Grammar::Datetime, rest) => parse_time(date, rest, timezone),
    }
}

fn parse_date(text: &str) -> Option<Date> {
    let year = text.get(..4).and_then(digits)?;
    let month = text.get(5..7).and_then(digits)?;
    let day = text.get(8..).and_then(digits)?;
    let hyphens = text.as_bytes().get(4) == Some(&b'-') && text.as_bytes().get(7) == Some(&b'-');
    if !hyphens {
        return None;
    }
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// What stands behind the date: ` hh:mm:ss`, or RFC 3339's `T`, time, fraction and offset.
fn parse_time(date: Date, rest: &str, timezone: &TimeZone) -> Option<Moment> {
    let separator = rest.get(..1)?;
    let [hour, minute, second] = parse_clock(rest.get(1..9)?)?;
    let rest = rest.get(9..)?;
    // A leap second is the second after :59; whether it may stand there is seen below.
    let clock = Time::new(hour, minute, second.min(59), 0).ok()?;
    let civil = date.to_datetime(clock);
    match separator {
        " " if rest.is_empty() && second < 60 => Some((local_seconds(civil, timezone), 0)),
        "T" | "t" => {
            let (nanos, rest) = parse_fraction(rest)?;
            let seconds = civil_seconds(civil) - parse_offset(rest)?;
            match second {
                // RFC 3339 section 5.7: only at the end of a day of UTC.
                60 => (seconds.rem_euclid(86_400) == 86_399).then_some((seconds + 1, nanos)),
                _ => Some((seconds, nanos)),
            }
        }
        _ => None,
    }
}

/// `hh:mm:ss`, each in two digits; a second may be 60.
fn parse_clock(text: &str) -> Option<[i8; 3]> {
    let mut parts = text.split(':').map(|part| {
        let two = (part.len() == 2).then(|| digits(part)).flatten()?;
        i8::try_from(two).ok()
    });
    let clock = [parts.next()??, parts.next()??, parts.next()??];
    (parts.next().is_none() && clock[2] <= 60).then_some(clock)
}

/// A fraction of a second, if there is one, in nanoseconds; digits beyond are dropped.
fn parse_fraction(rest: &str) -> Option<(u32, &str)> {
    let Some(rest) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = rest.split_at(length);
    let nanos = format!("{fraction:0<9}");
    let nanos = nanos.get(..9).and_then(digits)?;
    (length > 0).then_some((nanos, rest))
}

/// An offset from UTC in seconds: `Z`, `+hh:mm` or `-hh:mm`.
fn parse_offset(rest: &str) -> Option<i64> {
    if rest.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = match rest.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = rest.get(1..)?.split_once(':')?;
    let two = |text: &str, max: u32| (text.len() == 2).then(|| digits(text)).flatten().filter(|n| *n <= max);
    Some(sign * i64::from(two(hours, 23)? * 3_600 + two(minutes, 59)? * 60))
}

fn digits(text: &str) -> Option<u32> {
    is_digits(text).then(|| text.parse().ok()).flatten()
}

/// The seconds from 1970 on of a clock that shows UTC.
fn civil_seconds(civil: DateTime) -> i64 {
    civil.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs()
}

/// The seconds from 1970 on of a clock in `timezone`. Of a time that a change of
/// the clocks repeats it is the first; one that a change leaves out is as much
/// after the change as it seems to be.
fn local_seconds(civil: DateTime, timezone: &TimeZone) -> i64 {
    match timezone.to_ambiguous_timestamp(civil).compatible() {
        Ok(timestamp) => timestamp.as_second(),
        // The last days of the year 9999 are beyond what the library converts.
        Err(_) => civil_seconds(civil) - i64::from(timezone.to_offset(Timestamp::MAX).seconds()),
    }
}

impl MomentCheck {
    /// Which bound a value passes: in seconds where handlers get those.
    fn broken(&self, value: &Value<'_>) -> Option<Broken> {
        let Value::Text(text) = value else { return None };
        let moment = parse(self.grammar, text, &self.timezone)?;
        let shown = |text: &str, moment: Moment| if self.timestamp { moment.0.to_string() } else { text.to_owned() };
        let measured = |(bound, of): &(String, Moment)| Measured {
            of: Measure::Value,
            bound: shown(bound, *of),
            got: shown(text, moment),
        };
        let least = self.min.as_ref().filter(|(_, min)| moment < *min).map(|min| Broken::Least(measured(min)));
        least.or_else(|| self.max.as_ref().filter(|(_, max)| moment > *max).map(|max| Broken::Most(measured(max))))
    }

    fn moment(&self, text: &str) -> Option<Moment> {
        parse(self.grammar, text, &self.timezone).filter(|moment| {
            self.min.as_ref().is_none_or(|(_, min)| moment >= min)
                && self.max.as_ref().is_none_or(|(_, max)| moment <= max)
        })
    }
}

impl Check for MomentCheck {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        let moment = match &value {
            Value::Text(text) => self.moment(text),
            _ => None,
        };
        match moment {
            Some((seconds, _)) if self.timestamp => Ok(Value::Int(seconds)),
            Some(_) => Ok(value),
            None => Err(Mismatch::new(self.expected(), &value).breaking(self.broken(&value))),
        }
    }

    fn expected(&self) -> Cow<'static, str> {
        let what = match self.grammar {
            Grammar::Date => "a date (YYYY-MM-DD)",
            Grammar::Datetime => "a date and time (RFC 3339, YYYY-MM-DD hh:mm:ss, or a date)",
        };
        match (&self.min, &self.max) {
            (None, None) => Cow::Borrowed(what),
            (Some((min, _)), None) => format!("{what} from {min} on").into(),
            (None, Some((max, _))) => format!("{what} until {max}").into(),
            (Some((min, _)), Some((max, _))) => format!("{what} from {min} to {max}").into(),
        }
    }

    fn schema(&self) -> Json {
        let (format, pattern) = match self.grammar {
            Grammar::Date => ("date", DATE_PATTERN.to_owned()),
            Grammar::Datetime => (DATETIME, datetime_pattern()),
        };
        let mut schema = Map::new();
        schema.insert("type".to_owned(), json!("string"));
        schema.insert("format".to_owned(), json!(format));
        schema.insert("pattern".to_owned(), json!(pattern));
        for (keyword, bound) in [("formatMinimum", &self.min), ("formatMaximum", &self.max)] {
            if let Some((text, _)) = bound {
                schema.insert(keyword.to_owned(), json!(text));
            }
        }
        Json::Object(schema)
    }

    fn written(&self) -> Written {
        let mut written = Written::term(self.grammar.name());
        for (attribute, bound) in [("min", &self.min), ("max", &self.max)] {
            if let Some((text, _)) = bound {
                written.attributes.insert(attribute.to_owned(), json!(text));
            }
        }
        if self.timestamp {
            written.attributes.insert("format".to_owned(), json!("timestamp"));
        }
        written
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        let bounds = [&self.min, &self.max].into_iter().flatten();
        let general: &[&str] = match self.grammar {
            Grammar::Date => &["0001-01-01", "9999-12-31"],
            Grammar::Datetime => &["0001-01-01", "1970-01-01 00:00:00", "9999-12-31T23:59:59.999999999+00:00"],
        };
        let candidates = bounds.map(|(text, _)| text.as_str()).chain(general.iter().copied());
        passing(self, candidates.map(|text| Value::Text(Cow::Owned(text.to_owned()))).collect())
    }

    fn example(&self) -> Option<Value<'static>> {
        let usual = match self.grammar {
            Grammar::Date => "2026-05-17",
            Grammar::Datetime => "2026-05-17T14:30:00Z",
        };
        example(self, [Value::Text(Cow::Borrowed(usual))])
    }
}
