//! Generates regular expressions that match dates, and the dates of a range. JSON Schemas contain these expressions,
//! because usual validators do not support bounds of dates.

use crate::types::decimal_pattern::fixed_width_alternatives;

/// A pattern, without anchors, for the dates `YYYY-MM-DD` that exist.
pub(super) const EXISTING_DATE: &str = concat!(
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|",
    "02-(?:0[1-9]|1[0-9]|2[0-8]))|",
    // 29 February in the leap years from 0000 to 9999.
    "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
);

/// Returns a pattern, without anchors, for the dates `YYYY-MM-DD` from `first` to `last`. `None` means that there is no
/// bound. With a bound, the pattern begins with a lookahead for dates that exist.
pub(super) fn date_pattern(first: Option<&str>, last: Option<&str>) -> String {
    if first.is_none() && last.is_none() {
        return EXISTING_DATE.to_owned();
    }
    let first = split_date(first.unwrap_or("0000-01-01"));
    let last = split_date(last.unwrap_or("9999-12-31"));
    format!("(?={EXISTING_DATE})(?:{})", dates_between(first, last).join("|"))
}

/// A date as year, month and day, with leading zeros.
type DateParts<'t> = [&'t str; 3];

/// Splits a valid date into its parts.
fn split_date(text: &str) -> DateParts<'_> {
    [0..4, 5..7, 8..10].map(|range: std::ops::Range<usize>| text.get(range).unwrap_or_default())
}

/// Returns alternatives for the dates from `first` to `last`. They do not check whether a date exists.
fn dates_between(first: DateParts<'_>, last: DateParts<'_>) -> Vec<String> {
    let [first_year, first_month, first_day] = first;
    let [last_year, last_month, last_day] = last;
    if first_year == last_year {
        let days = days_between([first_month, first_day], [last_month, last_day]);
        return days.into_iter().map(|days| format!("{first_year}-{days}")).collect();
    }
    let in_first = days_between([first_month, first_day], ["12", "31"]);
    let mut dates: Vec<_> = in_first.into_iter().map(|days| format!("{first_year}-{days}")).collect();
    if let Some((after, before)) = strictly_between(first_year, last_year, 4) {
        dates.push(format!("(?:{})-[0-9]{{2}}-[0-9]{{2}}", fixed_width_alternatives(&after, &before)));
    }
    let in_last = days_between(["01", "01"], [last_month, last_day]);
    dates.extend(in_last.into_iter().map(|days| format!("{last_year}-{days}")));
    dates
}

/// Returns alternatives for the months and days from `first` to `last` within a year.
fn days_between([first_month, first_day]: [&str; 2], [last_month, last_day]: [&str; 2]) -> Vec<String> {
    let of_month =
        |month: &str, first: &str, last: &str| format!("{month}-(?:{})", fixed_width_alternatives(first, last));
    if first_month == last_month {
        return vec![of_month(first_month, first_day, last_day)];
    }
    let mut days = vec![of_month(first_month, first_day, "31")];
    if let Some((after, before)) = strictly_between(first_month, last_month, 2) {
        days.push(format!("(?:{})-[0-9]{{2}}", fixed_width_alternatives(&after, &before)));
    }
    days.push(of_month(last_month, "01", last_day));
    days
}

/// Returns the number after `first` and the number before `last`, with this number of digits. Returns `None` if there
/// is no number between `first` and `last`.
fn strictly_between(first: &str, last: &str, digits: usize) -> Option<(String, String)> {
    let (after, before) = (first.parse::<u16>().ok()? + 1, last.parse::<u16>().ok()?.checked_sub(1)?);
    (after <= before).then(|| (format!("{after:0digits$}"), format!("{before:0digits$}")))
}
