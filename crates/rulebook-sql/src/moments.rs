//! Points in time: values of the type `datetime`. Databases get and return them in UTC.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use rulebook::ApiError;
use rulebook::types::{Arity, Check, Structure, Value};
use serde_json::Value as Json;

use crate::database::Dialect;
use crate::value::{NamedValue, SqlValue};
use crate::value_error::parameter_error;

/// Where a value of a method contains points in time.
#[derive(Debug)]
pub(crate) enum Moments {
    /// The value is a point in time.
    One(Arc<dyn Check>),
    /// The value is an array of them.
    Items(Arc<dyn Check>),
}

/// Returns `true` if the values of a type are points in time, at least before they are converted.
pub(crate) fn is_datetime(check: &dyn Check) -> bool {
    check.example().is_some_and(|example| check.point_in_time(&example).is_some())
}

/// Returns `true` if the values of a type are dates.
pub(crate) fn is_date(check: &dyn Check) -> bool {
    check.schema().get("format").is_some_and(|format| format == "date")
}

/// Returns `true` if the values of a type are times of day.
pub(crate) fn is_time(check: &dyn Check) -> bool {
    let accepts = |text| check.checked(Value::from(text)).is_ok();
    accepts("00:00:00") && accepts("23:59") && !accepts("24:00:00") && !accepts("00:00:00.5")
}

impl Moments {
    /// Returns where the values of a parameter contain points in time; `None` if they contain none.
    pub(crate) fn of(check: &Arc<dyn Check>) -> Option<Self> {
        if check.arity() == Arity::One && is_datetime(&**check) {
            return Some(Self::One(Arc::clone(check)));
        }
        match check.structure() {
            Structure::Array(item) => is_datetime(&*item).then_some(Self::Items(item)),
            Structure::Nullable(inner) => Self::of(&inner),
            Structure::Schema(schema) => Self::of(&schema.check),
            _ => None,
        }
    }

    /// Converts the points in time in a value to UTC, in the notation of a database. Only PostgreSQL has arrays of
    /// them; an array for another database is JSON text, which stays as it is. Returns `None` if the year of a point in
    /// time has more than four digits in UTC.
    fn convert(&self, value: &mut SqlValue, dialect: Dialect) -> Option<()> {
        match (self, value) {
            (Self::One(check), SqlValue::Text(text)) => convert_text(&**check, text, dialect),
            (Self::Items(item), SqlValue::Nested(Json::Array(items))) if dialect == Dialect::Postgres => {
                let texts = items.iter_mut().filter_map(|item| match item {
                    Json::String(text) => Some(text),
                    _ => None,
                });
                texts.into_iter().try_for_each(|text| convert_text(&**item, text, dialect))
            }
            // Null, or the seconds since 1970.
            _ => Some(()),
        }
    }
}

/// Converts the points in time among the values of a call. `named` is what is known about the values.
pub(crate) fn convert_moments(values: &mut [SqlValue], named: &[NamedValue], dialect: Dialect) -> Result<(), ApiError> {
    for (value, named) in values.iter_mut().zip(named) {
        let Some(moments) = &named.moments else { continue };
        if let (None, Some(request)) = (moments.convert(value, dialect), &named.request) {
            let expected = "a date and time from the year 0 to the year 9999 in UTC";
            return Err(ApiError::parameters(vec![parameter_error(request, expected)]));
        }
    }
    Ok(())
}

fn convert_text(check: &dyn Check, text: &mut String, dialect: Dialect) -> Option<()> {
    let Some((seconds, nanos)) = check.point_in_time(&Value::from(text.as_str())) else { return Some(()) };
    *text = in_utc(seconds, nanos, dialect)?;
    Some(())
}

/// Formats a point in time. A database that stores microseconds could round other fractions up to the year 10000.
fn in_utc(seconds: i64, nanos: u32, dialect: Dialect) -> Option<String> {
    let nanos = i32::try_from(nanos / 1_000 * 1_000).ok()?;
    let since_1970 = SignedDuration::new(seconds, nanos);
    let time = DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(since_1970).ok()?;
    (time.year() >= 0).then(|| match dialect {
        // A `timestamp` of PostgreSQL ignores the zone, and a `timestamptz` needs it.
        Dialect::Postgres => format!("{time}Z"),
        // MySQL knows no `Z`, and `datetime('now')` of SQLite writes none: texts of one notation can be compared.
        Dialect::Sqlite | Dialect::Mysql => time.to_string().replacen('T', " ", 1),
    })
}

/// Adds the zone to a date and time that a database returns without a zone. Other texts stay as they are.
pub(crate) fn with_zone(text: String) -> String {
    let is_clock = |byte: u8, index: usize| match index {
        4 | 7 => byte == b'-',
        10 => byte == b' ' || byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'.',
        _ => byte.is_ascii_digit(),
    };
    let is_without_zone =
        (text.len() == 19 || text.len() > 20) && text.bytes().enumerate().all(|(index, byte)| is_clock(byte, index));
    if is_without_zone { format!("{}Z", text.replacen(' ', "T", 1)) } else { text }
}

/// Removes the fraction of a second from a time of day. Other texts stay as they are.
pub(crate) fn without_fraction(mut text: String) -> String {
    let fraction = text.bytes().skip(9);
    if text.len() > 9 && text.as_bytes()[8] == b'.' && fraction.into_iter().all(|byte| byte.is_ascii_digit()) {
        text.truncate(8);
    }
    text
}
