//! The list of keys: a table for people, or JSON.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use rulebook::key::{Entry, Limit, Per, Usage};

/// The headings of the columns.
const COLUMNS: [&str; 9] = ["ID", "NAME", "SCOPE", "FILES", "REQUESTS", "CREATED", "LAST USED", "EXPIRES", "STATE"];

/// Returns a table with a row for each key, or a JSON array.
pub(super) fn text(keys: &[(Entry, Usage)], json: bool) -> String {
    let now = Timestamp::now();
    if json {
        let keys: Vec<Json> = keys.iter().map(|(key, usage)| object(key, *usage, now)).collect();
        return format!("{:#}\n", Json::from(keys));
    }
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(keys.iter().map(|(key, usage)| row(key, *usage, now)));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS.len()] = std::array::from_fn(width);
    rows.iter().fold(String::new(), |text, row| {
        let line: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text + line.join("  ").trim_end() + "\n"
    })
}

/// Formats a time, without fractions of a second.
pub(super) fn time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn row(key: &Entry, usage: Usage, now: Timestamp) -> [String; COLUMNS.len()] {
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
        // Control characters are replaced, because they could control the terminal.
        key.name.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect(),
        or_dash(key.scope.join(",")),
        // Patterns are separated by spaces, because they may contain commas.
        or_dash(key.files.join(" ")),
        or_dash(limit),
        time(key.created),
        or_dash(usage.used.map_or_else(String::new, time)),
        or_dash(key.expires.map_or_else(String::new, time)),
        state(key, now),
    ]
}

fn state(key: &Entry, now: Timestamp) -> String {
    let expired = key.expires.is_some_and(|expires| expires <= now);
    match (&key.replaced_by, expired) {
        (Some(by), true) => format!("expired, replaced by {by}"),
        (Some(by), false) => format!("replaced by {by}"),
        (None, true) => "expired".to_owned(),
        (None, false) => "valid".to_owned(),
    }
}

fn object(key: &Entry, usage: Usage, now: Timestamp) -> Json {
    json!({
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
    })
}
