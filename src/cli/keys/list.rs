//! The keys as they are listed: in columns for people, or as JSON.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::key::{Entry, Limit, Per, Usage};

/// What stands over the columns.
const COLUMNS: [&str; 9] = ["ID", "NAME", "SCOPE", "FILES", "REQUESTS", "CREATED", "LAST USED", "EXPIRES", "STATE"];

/// All keys, each in a line; as a JSON array, if that is wanted.
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

/// A time to the second.
pub(super) fn time(time: Timestamp) -> String {
    Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}

fn row(key: &Entry, usage: Usage, now: Timestamp) -> [String; COLUMNS.len()] {
    let or_none = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    let limit = key.limit.map_or_else(String::new, |Limit { requests, per }| {
        let per = match per {
            Per::Minute => "a minute",
            Per::Hour => "an hour",
            Per::Day => "a day",
            Per::Ever => "ever",
        };
        format!("{requests} {per}")
    });
    [
        key.id.clone(),
        // A name may hold what would move the cursor.
        key.name.chars().map(|own| if own.is_control() { '\u{fffd}' } else { own }).collect(),
        or_none(key.scope.join(",")),
        // A comma may stand in a pattern.
        or_none(key.files.join(" ")),
        or_none(limit),
        time(key.created),
        or_none(usage.used.map_or_else(String::new, time)),
        or_none(key.expires.map_or_else(String::new, time)),
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
