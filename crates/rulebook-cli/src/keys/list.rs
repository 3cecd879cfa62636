//! The output of `rulebook keys list`: a table for people, or JSON.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value as Json, json};

use crate::output;
use rulebook::key::{Entry, Limit, Per, Usage};

/// The headings of the table's columns. Only a list of the keys with which deprecated methods were called has the last
/// one.
const COLUMN_HEADINGS: [&str; 10] =
    ["ID", "NAME", "SCOPE", "FILES", "REQUESTS", "CREATED", "LAST USED", "EXPIRES", "STATE", "DEPRECATED CALL"];

/// The days on which deprecated methods were called last, by the names of keys.
type DeprecatedCalls = BTreeMap<Box<str>, Date>;

/// Returns the keys as a table with a row for each key or, if `json` is `true`, as a JSON array. With `calls`, only
/// the keys in it are returned. `now` is the time at which the keys are valid or expired.
pub(super) fn format_keys(
    keys: &[(Entry, Usage)],
    calls: Option<&DeprecatedCalls>,
    json: bool,
    now: Timestamp,
) -> String {
    let called = |key: &Entry| calls.and_then(|calls| calls.get(&*key.name).copied());
    let listed = keys.iter().filter(|(key, _)| calls.is_none() || called(key).is_some());
    if json {
        let keys: Vec<Json> = listed.map(|(key, usage)| json_object(key, *usage, called(key), now)).collect();
        return output::format_json(&Json::from(keys));
    }
    let mut headings = COLUMN_HEADINGS;
    if calls.is_none() {
        headings[COLUMN_HEADINGS.len() - 1] = "";
    }
    let mut rows = vec![headings.map(str::to_owned)];
    rows.extend(listed.map(|(key, usage)| table_row(key, *usage, called(key), now)));
    output::table(&rows)
}

/// Formats a time (RFC 3339, in UTC) without fractions of a second.
pub(super) fn format_time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn table_row(key: &Entry, usage: Usage, called: Option<Date>, now: Timestamp) -> [String; COLUMN_HEADINGS.len()] {
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let limit = key.limit.map_or_else(String::new, |Limit { requests, per }| {
        let per = match per {
            Per::Minute => "per minute",
            Per::Hour => "per hour",
            Per::Day => "per day",
            Per::Ever => "in total",
        };
        format!("{requests} {per}")
    });
    [
        key.id.clone(),
        key.name.clone(),
        or_dash(key.scope.join(",")),
        // File patterns are separated by spaces, because a pattern may contain commas.
        or_dash(key.files.join(" ")),
        or_dash(limit),
        format_time(key.created),
        or_dash(usage.used.map_or_else(String::new, format_time)),
        or_dash(key.expires.map_or_else(String::new, format_time)),
        validity_text(key, now),
        called.map(|day| day.to_string()).unwrap_or_default(),
    ]
}

fn validity_text(key: &Entry, now: Timestamp) -> String {
    let expired = key.expires.is_some_and(|expires| expires <= now);
    match (&key.replaced_by, expired) {
        (Some(by), true) => format!("expired, replaced by {by}"),
        (Some(by), false) => format!("replaced by {by}"),
        (None, true) => "expired".to_owned(),
        (None, false) => "valid".to_owned(),
    }
}

fn json_object(key: &Entry, usage: Usage, called: Option<Date>, now: Timestamp) -> Json {
    let mut object = json!({
        "id": key.id,
        "name": key.name,
        "scope": key.scope,
        "files": key.files,
        "limit": key.limit,
        "created": key.created,
        "used": usage.used,
        "spent": usage.spent,
        "expires": key.expires,
        "replaced_by": key.replaced_by,
        "valid": key.expires.is_none_or(|expires| expires > now),
    });
    if let Some(day) = called {
        object["deprecated_call"] = json!(day);
    }
    object
}
