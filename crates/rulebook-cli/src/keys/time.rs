//! Times and durations on the command line.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A time in the future, written as a date, a time, or a duration from now.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When(pub(super) Timestamp);

/// A non-negative duration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grace(pub(super) SignedDuration);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = Timestamp::now();
        let at = text.parse::<Timestamp>().ok();
        let at = at.or_else(|| {
            // jiff ignores text after a date.
            let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text)?;
            date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
        });
        let at = at.or_else(|| after(text, now));
        let at = at.ok_or("expected a date (2030-01-31), a time (2030-01-31T12:00:00Z) or a duration (90d, 12h)")?;
        if at > now { Ok(Self(at)) } else { Err("the time is in the past") }
    }
}

impl FromStr for Grace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = Timestamp::now();
        let end = after(text, now).ok_or("expected a duration: 30m, 24h, 7d")?;
        if end >= now { Ok(Self(end.duration_since(now))) } else { Err("the duration is negative") }
    }
}

/// Returns the time after a duration, such as `90d`; months and days follow the calendar in UTC.
fn after(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    now.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|then| then.timestamp())
}
