//! A page in markdown. Words of the definition are shown, never read as markdown.

use super::place::{Form, To};
use super::sheet::{Block, Item, Line, Row, Sheet, Span};
use super::{types, words};
use crate::describe::markdown::Page;
use crate::describe::markdown::text::{code, text};
use crate::describe::visible::visible;
use crate::model::{Method, Output, Parameter};

/// Where links begin.
#[derive(Debug, Clone, Copy)]
pub(super) enum From<'a> {
    /// At the page of this path below `/docs/`.
    Page(&'a str),
    /// At the top of the server.
    Top,
}

impl From<'_> {
    fn to(self, to: &To) -> String {
        match self {
            Self::Page(path) => to.reference(path, Form::Markdown),
            Self::Top => to.top_reference(Form::Markdown),
        }
    }
}

/// A page.
pub(super) fn write(sheet: &Sheet<'_>) -> String {
    let from = From::Page(&sheet.path);
    let mut page = Page::default();
    if !sheet.trail.is_empty() {
        let trail: Vec<_> =
            sheet.trail.iter().map(|(to, words)| format!("[{}]({})", item(words, from), from.to(to))).collect();
        page.line(&trail.join(" / "));
    }
    page.line(&format!("# {}", item(&sheet.heading, from)));
    if !sheet.query.is_empty() {
        page.line(&format!("For: {}", text(sheet.query)));
    }
    for part in &sheet.blocks {
        block(part, from, &mut page);
    }
    page.text()
}

/// Writes a part of a page.
pub(super) fn block(block: &Block<'_>, from: From<'_>, page: &mut Page) {
    match block {
        Block::Heading { level, words, .. } => {
            page.line(&format!("{} {}", "#".repeat(usize::from(*level)), item(words, from)));
        }
        Block::Paragraph(words) | Block::Lead(words) => page.line(&item(words, from)),
        Block::Facts(facts) => page.list(facts.iter().map(|(name, words)| format!("{name}: {}", item(words, from)))),
        Block::List(items) => {
            let mut lines = Vec::new();
            tree(0, items, from, &mut lines);
            page.tree(lines);
        }
        Block::Table { head, rows } => page.rows(head, rows.iter().map(|own| row(own, from)).collect()),
        Block::Methods(lines) => page.list(lines.iter().map(|own| line(own, from))),
        Block::Code { title, language, text, .. } => {
            if let Some(title) = title {
                page.line(&format!("{title}:"));
            }
            page.fenced(&self::text(language), &visible(text));
        }
        // A form needs a browser; the calls beside it do not.
        Block::Form(_) => {}
    }
}

fn tree(depth: usize, items: &[Item<'_>], from: From<'_>, lines: &mut Vec<(usize, String)>) {
    for own in items {
        lines.push((depth, item(&own.words, from)));
        tree(depth + 1, &own.below, from, lines);
    }
}

fn row(row: &Row<'_>, from: From<'_>) -> Vec<String> {
    let cell = |parts: &Vec<_>| parts.iter().map(|words: &Vec<_>| item(words, from)).collect::<Vec<_>>().join("; ");
    row.cells.iter().map(cell).collect()
}

fn line(own: &Line<'_>, from: From<'_>) -> String {
    let deprecated = if own.deprecated { " (deprecated)" } else { "" };
    let (to, uri, info, scope) = (from.to(&own.to), code(own.uri), text(own.info), item(&own.scope, from));
    format!("[{} {uri}]({to}){deprecated}: {info}; {}; {scope}", own.http.as_str(), code(own.id))
}

/// A line of words.
pub(super) fn item(words: &[Span<'_>], from: From<'_>) -> String {
    words.iter().fold(String::new(), |line, span| {
        line + &match span {
            Span::Own(words) => words.to_string(),
            Span::Said(words) => text(words),
            Span::Strong(words) => strong(words),
            Span::Code(words) => code(words),
            Span::Http(http) => http.as_str().to_owned(),
            Span::Mark(words) => (*words).to_owned(),
            Span::Link(to, words) => format!("[{}]({})", item(words, from), from.to(to)),
        }
    })
}

/// Words with weight; blanks at either end would take it from them (CommonMark section 6.2).
fn strong(words: &str) -> String {
    let shown = text(words);
    if shown.is_empty() { shown } else { format!("**{}**", shown.trim()) }
}

/// Who may call a method.
pub(in crate::describe) fn groups(own: &Method) -> String {
    item(&words::groups(own), From::Top)
}

/// Where a parameter stands in a request.
pub(in crate::describe) fn stands(own: &Parameter) -> String {
    item(&[words::stands(own.from)], From::Top)
}

/// The type of a parameter, with what stands beside it.
pub(in crate::describe) fn r#type(own: &Parameter) -> String {
    let written = &own.r#type.written;
    item(&types::r#type(&written.term, &written.attributes), From::Top)
}

/// The members of a parameter that is an object, under its name, each with its depth.
pub(in crate::describe) fn members(own: &Parameter) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    tree(0, types::parameter(own).as_slice(), From::Top, &mut lines);
    lines
}

/// An output and its members, each with its depth.
pub(in crate::describe) fn output(own: &Output) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    tree(0, &[types::output(own)], From::Top, &mut lines);
    lines
}
