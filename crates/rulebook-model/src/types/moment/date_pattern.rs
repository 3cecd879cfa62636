//! Generates regular expressions that match dates, and the dates of a range. JSON Schemas contain these expressions,
//! because usual validators do not support bounds of dates. The expressions use only the syntax that every validator
//! supports (JSON Schema Core 2020-12, section 6.4), so they have no lookaheads.

use std::collections::BTreeMap;

use crate::types::decimal_pattern::fixed_width_alternatives;

/// A pattern, without anchors, for the dates `YYYY-MM-DD` that exist.
pub(super) const EXISTING_DATE: &str = concat!(
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|",
    "02-(?:0[1-9]|1[0-9]|2[0-8]))|",
    // 29 February in the leap years from 0000 to 9999.
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
);

/// Returns a pattern, without anchors, for the dates `YYYY-MM-DD` from `first` to `last`. `None` means that there is no
/// bound. With a bound, the pattern also matches 29 February of years that are not leap years, except in the first and
/// the last year.
pub(super) fn date_pattern(first: Option<&str>, last: Option<&str>) -> String {
    if first.is_none() && last.is_none() {
        return EXISTING_DATE.to_owned();
    }
    let first = split_date(first.unwrap_or("0000-01-01"));
    let last = split_date(last.unwrap_or("9999-12-31"));
    format!("(?:{})", dates_between(first, last).join("|"))
}

/// A year, a month and a day.
type DateParts = [u16; 3];

fn split_date(text: &str) -> DateParts {
    [0..4, 5..7, 8..10].map(|range| text.get(range).and_then(|part| part.parse().ok()).unwrap_or_default())
}

fn dates_between(first: DateParts, last: DateParts) -> Vec<String> {
    let ([first_year, first_month, first_day], [last_year, last_month, last_day]) = (first, last);
    let dates_of_year = |year: u16, first: [u16; 2], last: [u16; 2]| {
        format!("{year:04}-(?:{})", days_between(first, last, is_leap_year(year)))
    };
    if first_year == last_year {
        return vec![dates_of_year(first_year, [first_month, first_day], [last_month, last_day])];
    }
    let mut dates = vec![dates_of_year(first_year, [first_month, first_day], [12, 31])];
    if last_year - first_year > 1 {
        let years = fixed_width_alternatives(&format!("{:04}", first_year + 1), &format!("{:04}", last_year - 1));
        dates.push(format!("(?:{years})-(?:{})", days_between([1, 1], [12, 31], true)));
    }
    dates.push(dates_of_year(last_year, [1, 1], [last_month, last_day]));
    dates
}

/// Returns alternatives, separated by `|`, for the months and days from `first` to `last` within a year.
fn days_between(first: [u16; 2], last: [u16; 2], is_leap_year: bool) -> String {
    // Months with the same days share an alternative.
    let mut months_by_days: BTreeMap<(u16, u16), Vec<String>> = BTreeMap::new();
    for month in first[0]..=last[0] {
        let from = if month == first[0] { first[1] } else { 1 };
        let to = if month == last[0] { last[1] } else { days_of_month(month, is_leap_year) };
        months_by_days.entry((from, to)).or_default().push(format!("{month:02}"));
    }
    let alternatives = months_by_days.into_iter().map(|((from, to), months)| {
        let days = fixed_width_alternatives(&format!("{from:02}"), &format!("{to:02}"));
        format!("(?:{})-(?:{days})", months.join("|"))
    });
    alternatives.collect::<Vec<_>>().join("|")
}

fn is_leap_year(year: u16) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of_month(month: u16, is_leap_year: bool) -> u16 {
    match month {
        2 if is_leap_year => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
