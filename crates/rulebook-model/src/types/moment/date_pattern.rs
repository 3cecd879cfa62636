//! Generates regular expressions that match dates, and the dates of a range. JSON Schemas contain these expressions,
//! because usual validators do not support bounds of dates. The expressions use only the syntax that every validator
//! supports (JSON Schema Core 2020-12, section 6.4), so they have no lookaheads. To stay short, they treat each month
//! as if it had 31 days.

use std::fmt::Write;

use jiff::civil::{Date, date};

use crate::types::decimal_pattern::fixed_width_alternatives;

const MONTH: &str = "(?:0[1-9]|1[0-2])";
const DAY: &str = "(?:0[1-9]|[12][0-9]|3[01])";

/// Returns a pattern, without anchors, for the dates `YYYY-MM-DD` from `first` to `last`. `None` means that there is no
/// bound.
pub(super) fn date_pattern(first: Option<&str>, last: Option<&str>) -> String {
    if first.is_none() && last.is_none() {
        return format!("[0-9]{{4}}-{MONTH}-{DAY}");
    }
    let parse = |text: Option<&str>, default| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    let (first, last) = (parse(first, date(0, 1, 1)), parse(last, date(9999, 12, 31)));
    if first.year() == last.year() {
        return format!("(?:{})", dates_of_year(first, last));
    }
    let (mut first_whole, mut last_whole) = (first.year(), last.year());
    let mut dates = Vec::new();
    if first != first.first_of_year() {
        dates.push(dates_of_year(first, first.last_of_year()));
        first_whole += 1;
    }
    let end = (last != last.last_of_year()).then(|| dates_of_year(last.first_of_year(), last));
    last_whole -= i16::from(end.is_some());
    if first_whole <= last_whole {
        let years = fixed_width_alternatives(&format!("{first_whole:04}"), &format!("{last_whole:04}"));
        dates.push(format!("(?:{years})-{MONTH}-{DAY}"));
    }
    dates.extend(end);
    format!("(?:{})", dates.join("|"))
}

/// Returns a pattern for the dates from `first` to `last`, which are in one year.
fn dates_of_year(first: Date, last: Date) -> String {
    let mut pattern = format!("{:04}-(?:", first.year());
    // Writing to a `String` cannot fail.
    let mut add = |months: &str, days: &str| {
        let separator = if pattern.ends_with("(?:") { "" } else { "|" };
        let _ = write!(pattern, "{separator}{months}-{days}");
    };
    let days =
        |from: i8, to: i8| format!("(?:{})", fixed_width_alternatives(&format!("{from:02}"), &format!("{to:02}")));
    let (mut first_whole, mut last_whole) = (first.month(), last.month());
    if first.month() == last.month() {
        let to = if last == last.last_of_month() { 31 } else { last.day() };
        add(&format!("{:02}", first.month()), &days(first.day(), to));
        pattern.push(')');
        return pattern;
    }
    if first.day() > 1 {
        add(&format!("{:02}", first.month()), &days(first.day(), 31));
        first_whole += 1;
    }
    let end = (last != last.last_of_month()).then(|| days(1, last.day()));
    last_whole -= i8::from(end.is_some());
    if first_whole <= last_whole {
        let months = fixed_width_alternatives(&format!("{first_whole:02}"), &format!("{last_whole:02}"));
        add(&format!("(?:{months})"), DAY);
    }
    if let Some(days) = end {
        add(&format!("{:02}", last.month()), &days);
    }
    pattern.push(')');
    pattern
}
