//! The reference pages of errors: a page with the errors that requests can cause and the limits that they can exceed,
//! and a page with the errors that definitions can have.

use super::document::{Block, Inline, ListItem, PageDocument, TableRow, parse_line, plain_text};
use super::links::{ERRORS_PATH, LinkTarget, errors_link};
use super::{PageId, Pages, document, method};
use crate::call::Unit;
use crate::describe::openapi;
use crate::diagnostic::DiagnosticCode;
use crate::error::ErrorCode;
use crate::limits::{ALL_LIMITS, LimitSpec};
use crate::model::Method;

pub(super) fn request_errors_page(pages: &Pages) -> PageDocument<'_> {
    let api = &*pages.api;
    let envelope = api.make_envelope(&api.envelope);
    let decoding = envelope.decoding();
    let row = |code: ErrorCode| {
        let sample = openapi::sample_error(code);
        let body = openapi::error_body(&*envelope, &sample);
        let body = body.and_then(|body| method::identifying_error_member(&decoding, &body));
        let mut when = vec![vec![Inline::text(code.title())]];
        // `failed` represents all errors that methods declare. Their messages are on the pages of the methods.
        if code != ErrorCode::Failed {
            when.push(vec![Inline::text(format!("For example: {}", sample.to_string().replace('`', "")))]);
        }
        let cells = vec![
            vec![vec![Inline::code(code.row().name)]],
            vec![vec![Inline::text(code.row().status.to_string())]],
            when,
            body.map(|member| vec![Inline::code(member)]).into_iter().collect(),
        ];
        TableRow { id: Some(code.row().name.into()), cells }
    };
    let mut blocks = vec![
        Block::Paragraph(vec![
            Inline::text(
                "The errors of the server. A method can also declare errors, which are described on the page of the \
                 method; in this table they are ",
            ),
            Inline::code("failed"),
            Inline::text("."),
        ]),
        Block::Paragraph(vec![
            Inline::text(
                "The statuses and bodies are those of most methods; the page of a method has its own. In every case, a \
                 client that only accepts ",
            ),
            Inline::code("application/problem+json"),
            Inline::text(" receives a problem document (RFC 9457) with the name of the error as "),
            Inline::code("code"),
            Inline::text("."),
        ]),
        Block::table(method::TABLE_HEADER, method::all_error_codes().map(row).collect()),
    ];
    blocks.extend(limit_blocks(pages));
    PageDocument::new(pages, pages.page_path(PageId::Errors), "Errors", blocks)
}

pub(super) fn definition_errors_page(pages: &Pages) -> PageDocument<'_> {
    let mut blocks = vec![Block::Paragraph(vec![
        Inline::text("For the authors of the API: what can be wrong with a definition, by code. The command "),
        Inline::code("rulebook explain CODE"),
        Inline::text(" prints the same texts."),
    ])];
    let link = |code: &DiagnosticCode| {
        let target = LinkTarget::Page(pages.page_path(PageId::Diagnostics), Some(code.name().into()));
        [Inline::text(", "), Inline::Link(target, vec![Inline::code(code.name())])]
    };
    blocks.push(Block::Paragraph(DiagnosticCode::ALL.iter().flat_map(link).skip(1).collect()));
    for code in DiagnosticCode::ALL {
        blocks.push(Block::Heading { level: 2, id: code.name(), inlines: vec![Inline::text(code.name())] });
        blocks.extend(document::parse_blocks(code.explanation()));
    }
    PageDocument::new(pages, pages.page_path(PageId::Diagnostics), "Definition errors", blocks)
}

// The limits of requests that a client of this API can exceed, for the page of errors and for the search.

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

fn limit_blocks(pages: &Pages) -> [Block<'_>; 3] {
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
