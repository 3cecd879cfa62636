//! Parses and formats dates, and dates with a time.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// The grammar of a text that denotes a point in time: that of the type `date` or that of the type `datetime`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::types) enum DateGrammar {
    /// The grammar of `date`: `YYYY-MM-DD`.
    Date,
    /// The grammar of `datetime`: RFC 3339, `YYYY-MM-DD hh:mm:ss`, or a date, which denotes its midnight.
    Datetime,
}

impl DateGrammar {
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Datetime => "datetime",
        }
    }
}

/// A point in time: the seconds since 1970-01-01T00:00:00Z, and the nanoseconds from 0 to 999,999,999.
pub(super) type Moment = (i64, u32);

/// Returns the point in time of a valid text. `timezone` applies to texts without an offset.
pub(super) fn parse_moment(grammar: DateGrammar, text: &str, timezone: &TimeZone) -> Option<Moment> {
    let date = parse_date(text.get(..10)?)?;
    match (grammar, text.get(10..)?) {
        (_, "") => Some((local_seconds(date.to_datetime(Time::midnight()), timezone), 0)),
        (DateGrammar::Date, _) => None,
        (DateGrammar::Datetime, time) => parse_time(date, time, timezone),
    }
}

/// Parses a date `YYYY-MM-DD` that exists.
pub(in crate::types) fn parse_date(text: &str) -> Option<Date> {
    if !has_shape(text, "0000-00-00") {
        return None;
    }
    Date::new(text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?).ok()
}

/// Returns `true` if a text has a digit in place of each `0` of `shape`, and the other characters of `shape`.
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

/// Formats a point in time as in RFC 3339. Returns `None` if its year does not have four digits.
pub(super) fn format_rfc3339(seconds: i64) -> Option<String> {
    let format = |(offset_seconds, offset): (i64, &str)| {
        let civil = utc_date_time(seconds.checked_add(offset_seconds)?)?;
        Some(format!("{civil}{offset}"))
    };
    RFC3339_OFFSETS.into_iter().find_map(format)
}

/// Returns the date in `timezone` at a point in time, which must be midnight; `None` if the year is not 0000 to 9999.
pub(super) fn date_at(seconds: i64, timezone: &TimeZone) -> Option<String> {
    let timestamp = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX);
    let civil = utc_date_time(seconds.checked_add(timezone.to_offset(timestamp).seconds().into())?)?;
    Some(civil.date().to_string())
}

/// Returns the date and time in UTC at a point in time, or `None` if the year is not from 0000 to 9999.
fn utc_date_time(seconds: i64) -> Option<DateTime> {
    let civil = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(SignedDuration::from_secs(seconds)).ok()?;
    (civil.year() >= 0).then_some(civil)
}
