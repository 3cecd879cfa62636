//! Dates and points in time: the types `date` and `datetime`.

mod grammar;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value as Json, json};

pub(super) use grammar::{Grammar, is_valid};
use grammar::{Moment, midnight, parse, rfc3339};

use super::check::{example, passing};
use super::formats::DATETIME;
use super::number::whole_json;
use super::{ArgumentError, ArgumentErrorKind, Arguments, Check, Written};
use crate::call::{Broken, Measure, Measured, Mismatch, Value};

/// The shape of a date, for validators that do not know the format; which months have 31 days it does not say.
const DATE_PATTERN: &str = "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$";

/// The same of a date and time.
fn datetime_pattern() -> String {
    let date = DATE_PATTERN.trim_end_matches('$');
    let minutes = "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
    let clock = format!(r"[Tt]{minutes}:(?:[0-5][0-9]|60)(?:\.[0-9]+)?(?:[Zz]|[+\-]{minutes})");
    format!("{date}(?: {minutes}:[0-5][0-9]|{clock})?$")
}

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

    fn text_for(&self, value: &str) -> Option<String> {
        if !self.timestamp {
            return Some(value.to_owned());
        }
        let seconds = value.parse().ok()?;
        let text = match self.grammar {
            Grammar::Date => midnight(seconds, &self.timezone),
            Grammar::Datetime => rfc3339(seconds),
        };
        // The lower bound may be a part of a second later.
        let least = self.min.iter().filter(|(_, least)| least.0 == seconds).map(|(text, _)| text.clone());
        text.into_iter().chain(least).find(|text| self.moment(text).is_some_and(|moment| moment.0 == seconds))
    }

    fn example(&self) -> Option<Value<'static>> {
        let usual = match self.grammar {
            Grammar::Date => "2026-05-17",
            Grammar::Datetime => "2026-05-17T14:30:00Z",
        };
        example(self, [Value::Text(Cow::Borrowed(usual))])
    }
}
