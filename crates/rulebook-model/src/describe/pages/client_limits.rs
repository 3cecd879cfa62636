//! The limits of requests that a client of this API can exceed, for the page of errors and for the search.

use super::Pages;
use super::document::{Block, Inline, ListItem, TableRow};
use super::links::{ERRORS_PATH, LinkTarget, errors_link};
use super::parse_markdown::{parse_line, plain_text};
use crate::call::Unit;
use crate::limits::{ALL_LIMITS, LimitSpec};
use crate::model::Method;

/// Limits that concern the storage of the server. No single request exceeds them.
const OF_STORAGE: [&str; 5] = ["links", "callers", "idempotency_response", "idempotency_records", "idempotency_lease"];

const TABLE_HEADER: &[&str] = &["Limit", "Value", "Applies to", "Error"];

/// Returns the limits of the API that a client can exceed, each with its value.
fn client_limits(pages: &Pages) -> impl Iterator<Item = (&'static LimitSpec, String)> {
    let has =
        |test: fn(&Method) -> bool| pages.method_entries(0..pages.methods.len()).any(|(_, entry)| test(entry.method));
    let has_links = has(|method| method.options.download);
    let has_idempotency = has(|method| method.options.idempotent.is_some());
    let values = serde_json::to_value(&pages.api.limits).unwrap_or_default();
    let has_dispatch = pages.api.dispatch;
    let is_shown = move |limit: &&LimitSpec| match limit.key.name {
        "dispatch" => has_dispatch,
        "link" => has_links,
        name if name.starts_with("idempotency_") => has_idempotency && !OF_STORAGE.contains(&name),
        name => !OF_STORAGE.contains(&name),
    };
    let with_value = move |limit: &'static LimitSpec| {
        let value = values[limit.key.name].as_u64().unwrap_or(limit.default);
        (limit, in_words(value, limit.unit))
    };
    ALL_LIMITS.iter().filter(is_shown).map(with_value)
}

/// Returns the section of the limits on the page of errors.
pub(super) fn limit_blocks(pages: &Pages) -> [Block<'_>; 3] {
    let row = |(limit, value): (&LimitSpec, String)| TableRow {
        id: Some(row_id(limit).into()),
        cells: vec![
            vec![vec![Inline::code(limit.key.name)]],
            vec![vec![Inline::text(value)]],
            vec![parse_line(limit.key.description)],
            vec![vec![Inline::Link(
                errors_link(Some(limit.code.row().name)),
                vec![Inline::code(limit.code.row().name)],
            )]],
        ],
    };
    let about = "The error of a request that exceeds one of these limits contains its name. The limits of the number of \
                 requests are on the page of each method.";
    [
        Block::heading("limits", "Limits"),
        Block::paragraph(about),
        Block::table(TABLE_HEADER, client_limits(pages).map(row).collect()),
    ]
}

/// Returns a link to each limit whose name or description `contains` accepts.
pub(super) fn find_limits<'a>(pages: &'a Pages, contains: &impl Fn(&str) -> bool) -> Vec<ListItem<'a>> {
    let found = client_limits(pages).filter(|(limit, value)| {
        let words = plain_text(&parse_line(limit.key.description));
        contains(&format!("limits.{} limit max maximum {words} {value}", limit.key.name))
    });
    let item = |(limit, value): (&LimitSpec, String)| {
        let target = LinkTarget::Page(ERRORS_PATH.to_owned(), Some(row_id(limit).into()));
        let link = Inline::Link(target, vec![Inline::code(format!("limits.{}", limit.key.name))]);
        let mut inlines = vec![link, Inline::text(format!(" ({value}): "))];
        inlines.extend(parse_line(limit.key.description));
        ListItem::new(inlines)
    };
    found.map(item).collect()
}

fn row_id(limit: &LimitSpec) -> String {
    format!("limit-{}", limit.key.name)
}

/// Formats the value of a limit, such as `1 MiB` or `100 parts`.
fn in_words(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes if value.is_multiple_of(1 << 20) => format!("{} MiB", value >> 20),
        Unit::Bytes if value.is_multiple_of(1 << 10) => format!("{} KiB", value >> 10),
        _ => format!("{value} {}", unit.as_str()),
    }
}
