//! Times as people write them.

use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// A time to come: a date, a time, or how long from now.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct When(pub(super) Timestamp);

/// How long: not less than nothing.
#[derive(Debug, Clone, Copy)]
pub(in crate::cli) struct Grace(pub(super) SignedDuration);

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = Timestamp::now();
        let at = text.parse::<Timestamp>().ok();
        let at = at.or_else(|| {
            // Whatever else stands behind a date would be dropped.
            let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text)?;
            date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
        });
        let at = at.or_else(|| after(text, now));
        let at = at.ok_or("neither a date (2030-01-31), nor a time (2030-01-31T12:00:00Z), nor how long (90d, 12h)")?;
        if at > now { Ok(Self(at)) } else { Err("not a time to come") }
    }
}

impl FromStr for Grace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = Timestamp::now();
        let end = after(text, now).ok_or("not how long: 30m, 24h, 7d")?;
        if end >= now { Ok(Self(end.duration_since(now))) } else { Err("less than nothing") }
    }
}

/// When as much time has passed as the text says; months and days are the calendar's in UTC.
fn after(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    now.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|then| then.timestamp())
}
