//! Tests the patterns in the JSON Schemas of `date` and `datetime`, with which validators that ignore `format` check
//! dates and their bounds.

use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::*;
use rulebook_model::call::Value;
use serde_json::{Value as Json, json};

use super::{compile, plain_validator};

fn schema(term: &str, first: &str, last: &str) -> Json {
    let attributes = json!({ "min": first, "max": last });
    compile(term, attributes.as_object().unwrap()).unwrap().schema()
}

#[test]
fn the_pattern_of_dates_without_bounds_matches_exactly_the_dates_that_exist() {
    let date = plain_validator(&compile("date", &serde_json::Map::new()).unwrap().schema());
    let years = (0..=9999).step_by(7).chain([0, 4, 100, 400, 1900, 2000, 2024, 2100, 9996, 9999]);
    for (year, month) in years.flat_map(|year| (0..=13).map(move |month| (year, month))) {
        for day in [0, 1, 9, 10, 28, 29, 30, 31, 32] {
            let text = format!("{year:04}-{month:02}-{day:02}");
            assert_eq!(date.is_valid(&json!(text)), Date::new(year, month, day).is_ok(), "{text}");
        }
    }
}

#[test]
fn the_pattern_of_dates_with_bounds_has_exact_bounds() {
    for (first, last, valid, invalid) in [
        ("2024-02-29", "2024-02-29", vec!["2024-02-29"], vec!["2024-02-28", "2024-03-01", "2025-02-29"]),
        ("2023-02-01", "2023-02-28", vec!["2023-02-01"], vec!["2023-02-29", "2023-01-31", "2023-03-01"]),
        ("2001-01-01", "2100-12-31", vec!["2004-02-29", "2099-11-30"], vec!["2000-12-31", "2100-02-29", "2101-01-01"]),
        ("0000-01-01", "9999-12-31", vec!["1999-04-30"], vec!["1999-04-31", "1999-02-30", "1999-13-01"]),
        ("1999-12-31", "2000-01-01", vec![], vec!["1999-12-30", "2000-01-02", "2001-01-01"]),
    ] {
        let validator = plain_validator(&schema("date", first, last));
        valid.iter().chain([&first, &last]).for_each(|text| assert!(validator.is_valid(&json!(text)), "{text}"));
        invalid.iter().for_each(|text| assert!(!validator.is_valid(&json!(text)), "{text}: {first} to {last}"));
    }
}

/// The pattern of a `datetime` cannot compare times with offsets, so that it has one day of tolerance.
#[test]
fn the_pattern_of_times_with_bounds_limits_the_date() {
    let validator = plain_validator(&schema("datetime", "2024-02-29 12:00:00", "2024-03-01 12:00:00"));
    for (text, is_valid) in [
        ("2024-02-28T23:00:00-14:00", true),
        ("2024-03-02T01:00:00+14:00", true),
        ("2024-02-27T23:59:59-23:59", false),
        ("2024-03-03", false),
    ] {
        assert_eq!(validator.is_valid(&json!(text)), is_valid, "{text}");
    }
}

#[test]
fn points_in_time_are_those_of_the_type_datetime() {
    for (term, text, expected) in [
        ("datetime", "1970-01-01T01:00:00.5+01:00", Some((0, 500_000_000))),
        ("?datetime", "1970-01-02 00:00:00", Some((86_400, 0))),
        ("datetime", "9999-12-31T23:59:60Z", Some((253_402_300_800, 0))),
        ("datetime", "tomorrow", None),
        ("date", "1970-01-01", None),
        ("string", "1970-01-01T00:00:00Z", None),
    ] {
        let check = compile(term, &serde_json::Map::new()).unwrap();
        assert_eq!(check.point_in_time(&Value::from(text)), expected, "{term} {text}");
        assert_eq!(check.point_in_time(&Value::Null), None);
    }
}

fn date_strategy() -> impl Strategy<Value = Date> {
    (0_i16..=9999, 1_i8..=12, 1_i8..=31)
        .prop_filter_map("the date does not exist", |(year, month, day)| Date::new(year, month, day).ok())
}

proptest! {
    #![proptest_config(support::random::cases(512))]

    #[test]
    fn the_pattern_of_dates_matches_the_existing_dates_between_the_bounds(
        bounds in (date_strategy(), date_strategy()),
        span in prop_oneof![Just(None), (0_i32..800).prop_map(Some)],
        others in prop::collection::vec(date_strategy(), 8),
        near in prop::collection::vec(-40_i32..40, 8),
    ) {
        let first = bounds.0.min(bounds.1);
        let last = match span {
            Some(days) => first.checked_add(days.days()).unwrap_or(Date::MAX),
            None => bounds.0.max(bounds.1),
        };
        let validator = plain_validator(&schema("date", &first.to_string(), &last.to_string()));
        let near = near.iter().flat_map(|days| [first, last].map(|date| date.checked_add(days.days()).ok())).flatten();
        for date in others.into_iter().chain(near).chain([first, last]).filter(|date| date.year() >= 0) {
            let is_between = first <= date && date <= last;
            prop_assert_eq!(validator.is_valid(&json!(date.to_string())), is_between, "{} to {}: {}", first, last, date);
        }
    }
}
