//! The reference pages of errors: a page with the errors that requests can cause, and a page with the errors that
//! definitions can have.

use super::client_limits::limit_blocks;
use super::document::{Block, Inline, PageDocument, TableRow};
use super::links::LinkTarget;
use super::{PageId, Pages, parse_markdown, responses};
use crate::describe::openapi;
use crate::diagnostic::DiagnosticCode;
use crate::error::ErrorCode;

pub(super) fn request_errors_page(pages: &Pages) -> PageDocument<'_> {
    let api = &*pages.api;
    let envelope = api.make_envelope(&api.envelope);
    let decoding = envelope.decoding();
    let row = |code: ErrorCode| {
        let sample = openapi::sample_error(code);
        let body = openapi::error_body(&*envelope, &sample);
        let body = body.and_then(|body| responses::identifying_error_member(&decoding, &body));
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
        Block::table(responses::TABLE_HEADER, responses::all_error_codes().map(row).collect()),
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
        blocks.extend(parse_markdown::parse_blocks(code.explanation()));
    }
    PageDocument::new(pages, pages.page_path(PageId::Diagnostics), "Definition errors", blocks)
}
