//! Generates regular expressions that match dates, and the dates of a range. JSON Schemas contain these expressions,
//! because usual validators do not support bounds of dates. The expressions use only the syntax that every validator
//! supports (JSON Schema Core 2020-12, section 6.4), so they have no lookaheads.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};

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
    let parse = |text: Option<&str>, default| text.and_then(|text| text.parse().ok()).unwrap_or(default);
    let (first, last) = (parse(first, date(0, 1, 1)), parse(last, date(9999, 12, 31)));
    let dates_of_year = |first: Date, last: Date| format!("{:04}-(?:{})", first.year(), days_between(first, last));
    if first.year() == last.year() {
        return format!("(?:{})", dates_of_year(first, last));
    }
    let mut dates = vec![dates_of_year(first, first.last_of_year())];
    if last.year() - first.year() > 1 {
        let years = [first.year() + 1, last.year() - 1].map(|year| format!("{year:04}"));
        // A leap year stands for all years.
        let days = days_between(date(2000, 1, 1), date(2000, 12, 31));
        dates.push(format!("(?:{})-(?:{days})", fixed_width_alternatives(&years[0], &years[1])));
    }
    dates.push(dates_of_year(last.first_of_year(), last));
    format!("(?:{})", dates.join("|"))
}

/// Returns alternatives, separated by `|`, for the months and days from `first` to `last` within a year.
fn days_between(first: Date, last: Date) -> String {
    // Months with the same days share an alternative.
    let mut months_by_days: BTreeMap<(i8, i8), Vec<String>> = BTreeMap::new();
    for month in first.month()..=last.month() {
        let from = if month == first.month() { first.day() } else { 1 };
        let to = if month == last.month() { last.day() } else { date(first.year(), month, 1).days_in_month() };
        months_by_days.entry((from, to)).or_default().push(format!("{month:02}"));
    }
    let alternatives = months_by_days.into_iter().map(|((from, to), months)| {
        let days = fixed_width_alternatives(&format!("{from:02}"), &format!("{to:02}"));
        format!("(?:{})-(?:{days})", months.join("|"))
    });
    alternatives.collect::<Vec<_>>().join("|")
}
