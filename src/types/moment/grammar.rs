//! What points in time are written as, read and written.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::types::number::is_digits;

/// Which texts are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::types) enum Grammar {
    /// `YYYY-MM-DD`.
    Date,
    /// RFC 3339, `YYYY-MM-DD hh:mm:ss`, or a date, which is its midnight.
    Datetime,
}

impl Grammar {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }
}

/// A point in time: seconds from 1970-01-01T00:00:00Z on, and nanoseconds after.
pub(super) type Moment = (i64, u32);

/// Whether a text is of the grammar and names a day that there is.
pub(in crate::types) fn is_valid(grammar: Grammar, text: &str) -> bool {
    parse(grammar, text, &TimeZone::UTC).is_some()
}

/// The point in time that a text of the grammar says.
pub(super) fn parse(grammar: Grammar, text: &str, timezone: &TimeZone) -> Option<Moment> {
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

/// The clocks on which a point in time is looked for, in seconds ahead of UTC: what is beyond the years of one is not
/// beyond those of another.
const CLOCKS: [(i64, &str); 3] = [(0, "Z"), (-86_340, "-23:59"), (86_340, "+23:59")];

/// A point in time as RFC 3339 writes it.
pub(super) fn rfc3339(seconds: i64) -> Option<String> {
    let written = |(ahead, offset): (i64, &str)| {
        let civil = civil(seconds.checked_add(ahead)?)?;
        Some(format!("{civil}{offset}"))
    };
    CLOCKS.into_iter().find_map(written)
}

/// The date whose midnight, or what comes after a midnight that there is not, is this point in time.
pub(super) fn midnight(seconds: i64, timezone: &TimeZone) -> Option<String> {
    let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let civil = civil(seconds.checked_add(timezone.to_offset(timestamp).seconds().into())?)?;
    Some(civil.date().to_string())
}

/// What a clock that shows UTC shows, in years of four digits.
fn civil(seconds: i64) -> Option<DateTime> {
    let civil = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(SignedDuration::from_secs(seconds)).ok()?;
    (civil.year() >= 0).then_some(civil)
}
