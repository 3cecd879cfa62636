//! The pages of what can go wrong: with requests, and with definitions.

use super::contents::trail;
use super::place::To;
use super::sheet::{Block, Row, Sheet, Span};
use super::{Page, Pages, answers, prose};
use crate::describe::openapi;
use crate::diagnostic::codes;
use crate::error::Code;

/// What requests are refused for.
pub(super) fn errors(pages: &Pages) -> Sheet<'_> {
    let api = &*pages.api;
    let shape = api.shape(&api.envelope);
    let row = |code: Code| {
        let sample = openapi::sample(code);
        let body = openapi::shown(&*shape, &sample).and_then(|body| answers::told(&body));
        let mut when = vec![vec![Span::own(code.title())]];
        // What a method's own errors say is its own.
        if code != Code::Failed {
            when.push(vec![Span::own(sample.to_string())]);
        }
        let cells = vec![
            vec![vec![Span::code(code.row().name)]],
            vec![vec![Span::own(code.row().number.to_string())]],
            vec![vec![Span::own(code.row().status.to_string())]],
            body.map(|told| vec![Span::code(told)]).into_iter().collect(),
            when,
        ];
        Row { id: Some(code.row().name), cells }
    };
    let envelope = api.envelope.as_str();
    let blocks = vec![
        Block::Paragraph(vec![
            Span::own(
                "What the server itself refuses a request for. The errors of a method's own stand on its page; here \
                 they are ",
            ),
            Span::code("failed"),
            Span::own("."),
        ]),
        Block::Paragraph(vec![
            Span::own("Statuses and bodies are those of the envelope "),
            Span::code(envelope),
            Span::own(
                ", which is that of the API; the page of a method has those of its own. Whatever the envelope, a \
                 client that accepts only ",
            ),
            Span::code("application/problem+json"),
            Span::own(" gets a problem document (RFC 9457) with the error's name as its "),
            Span::code("code"),
            Span::own("."),
        ]),
        Block::Table {
            head: &["Error", "Number", "Status", "In the body", "When"],
            rows: answers::all().map(row).collect(),
        },
    ];
    page(pages, Page::Errors, "Errors", blocks)
}

/// What definitions are refused for.
pub(super) fn diagnostics(pages: &Pages) -> Sheet<'_> {
    let mut blocks = vec![Block::Paragraph(vec![
        Span::own("What can be wrong with a definition, by code, for those who write one. "),
        Span::code("rulebook explain CODE"),
        Span::own(" tells the same."),
    ])];
    let link = |row: &codes::Row| {
        let to = To::Page(pages.path(Page::Diagnostics), Some(row.name));
        [Span::own(", "), Span::Link(to, vec![Span::code(row.name)])]
    };
    blocks.push(Block::Paragraph(codes::TABLE.iter().flat_map(link).skip(1).collect()));
    for row in codes::TABLE {
        blocks.push(Block::Heading { level: 2, id: row.name, words: vec![Span::own(row.name)] });
        blocks.extend(prose::blocks(row.explanation));
    }
    page(pages, Page::Diagnostics, "Diagnostics", blocks)
}

fn page<'a>(pages: &'a Pages, page: Page, name: &'static str, blocks: Vec<Block<'a>>) -> Sheet<'a> {
    Sheet {
        path: pages.path(page),
        name: name.into(),
        heading: vec![Span::own(name)],
        trail: vec![trail(pages)],
        query: "",
        blocks,
    }
}
