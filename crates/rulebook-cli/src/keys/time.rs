//! Parses the times and durations that options of `rulebook keys` accept.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// Parses the value of `--expires`: a time in the future, given as a date, as a time, or as a duration from now.
pub(super) fn parse_expiry(text: &str) -> Result<Timestamp, &'static str> {
    let now = Timestamp::now();
    let at = text.parse::<Timestamp>().ok();
    let at = at.or_else(|| {
        // The date parser of `jiff` ignores text that follows a date, so that the parsed date is compared with `text`.
        let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text)?;
        date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp())
    });
    let at = at.or_else(|| end_of_duration(text, now));
    let at = at.ok_or("expected a date (2030-01-31), a time (2030-01-31T12:00:00Z) or a duration (90d, 12h)")?;
    if at > now { Ok(at) } else { Err("the time is in the past") }
}

/// Parses a duration that is not negative.
pub(crate) fn parse_duration(text: &str) -> Result<SignedDuration, &'static str> {
    let now = Timestamp::now();
    let end = end_of_duration(text, now).ok_or("expected a duration: 30m, 24h, 7d")?;
    if end >= now { Ok(end.duration_since(now)) } else { Err("the duration is negative") }
}

/// Returns the time at which a duration such as `90d` ends if it begins at `now`. Months and days are those of the
/// calendar in UTC. Returns `None` if `text` is not a duration.
fn end_of_duration(text: &str, now: Timestamp) -> Option<Timestamp> {
    let span: Span = text.parse().ok()?;
    now.to_zoned(TimeZone::UTC).checked_add(span).ok().map(|then| then.timestamp())
}
