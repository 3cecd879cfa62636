//! A page in markdown. Words of the definition are shown, never read as markdown.

use super::contents::place;
use super::place::{Form, Here, To, of_method};
use super::sheet::{Block, Item, Line, Row, Sheet, Span};
use super::{types, words};
use crate::describe::markdown::Page;
use crate::describe::markdown::text::{code, text};
use crate::describe::visible::visible;
use crate::model::{Api, Method, Output, Parameter};

/// A page.
pub(super) fn write(sheet: &Sheet<'_>, own: bool) -> String {
    let here = Here { page: Some(&sheet.path), form: Form::Markdown, own };
    let mut page = Page::default();
    if !sheet.trail.is_empty() {
        let trail: Vec<_> =
            sheet.trail.iter().map(|(to, words)| format!("[{}]({})", item(words, here), to.reference(here))).collect();
        page.line(&trail.join(" / "));
    }
    page.line(&format!("# {}", item(&sheet.heading, here)));
    if !sheet.query.is_empty() {
        page.line(&format!("For: {}", text(sheet.query)));
    }
    for part in &sheet.blocks {
        block(part, here, &mut page);
    }
    page.text()
}

/// Writes a part of a page.
pub(super) fn block(block: &Block<'_>, here: Here<'_>, page: &mut Page) {
    match block {
        Block::Heading { level, words, .. } => {
            page.line(&format!("{} {}", "#".repeat(usize::from(*level)), item(words, here)));
        }
        Block::Paragraph(words) | Block::Lead(words) => page.line(&item(words, here)),
        Block::Facts(facts) => page.list(facts.iter().map(|(name, words)| fact(name, words, here))),
        Block::List(items) if items.is_empty() => {}
        Block::List(items) => {
            page.block();
            list(items, 0, here, page);
        }
        Block::Table { head, rows } => page.rows(head, rows.iter().map(|own| row(own, here)).collect()),
        Block::Methods(lines) => page.list(lines.iter().map(|own| line(own, here))),
        Block::Code { title, language, text, .. } => {
            if let Some(title) = title {
                page.line(&format!("{title}:"));
            }
            page.fenced(&self::text(language), &visible(text));
        }
        // A form needs a browser; the calls beside it do not.
        Block::Form { .. } => {}
    }
}

/// Writes a list; what is below an item stands behind its marker (CommonMark section 5.2).
fn list(items: &[Item<'_>], indent: usize, here: Here<'_>, page: &mut Page) {
    for own in items {
        let marker = own.number.map_or_else(|| "-".to_owned(), |number| format!("{number}."));
        page.item(indent, &marker, &item(&own.words, here));
        list(&own.below, indent + marker.len() + 1, here, page);
    }
}

/// The lines of a list, each with its depth.
fn tree(depth: usize, items: &[Item<'_>], here: Here<'_>, lines: &mut Vec<(usize, String)>) {
    for own in items {
        lines.push((depth, item(&own.words, here)));
        tree(depth + 1, &own.below, here, lines);
    }
}

fn row(row: &Row<'_>, here: Here<'_>) -> Vec<String> {
    let cell = |parts: &Vec<_>| parts.iter().map(|words: &Vec<_>| item(words, here)).collect::<Vec<_>>().join("; ");
    row.cells.iter().map(cell).collect()
}

fn line(own: &Line<'_>, here: Here<'_>) -> String {
    let deprecated = if own.deprecated { " (deprecated)" } else { "" };
    let (to, uri, info, scope) = (own.to.reference(here), code(own.uri), text(own.info), item(&own.scope, here));
    format!("[{} {uri}]({to}){deprecated}: {info}; {}; {scope}", own.http.as_str(), code(own.id))
}

fn fact(name: &str, words: &[Span<'_>], here: Here<'_>) -> String {
    format!("{name}: {}", item(words, here))
}

/// A line of words.
pub(super) fn item(words: &[Span<'_>], here: Here<'_>) -> String {
    words.iter().fold(String::new(), |line, span| {
        line + &match span {
            Span::Own(words) => words.to_string(),
            Span::Said(words) => text(words),
            Span::Strong(words) => strong(words),
            Span::Code(words) => code(words),
            Span::Http(http) => http.as_str().to_owned(),
            Span::Mark(words) => (*words).to_owned(),
            Span::Link(to, words) => format!("[{}]({})", item(words, here), to.reference(here)),
        }
    })
}

/// Words with weight; blanks at either end would take it from them (CommonMark section 6.2).
fn strong(words: &str) -> String {
    let shown = text(words);
    if shown.is_empty() { shown } else { format!("**{}**", shown.trim()) }
}

/// Where an API is, and whose, line by line.
pub(in crate::describe) fn about(api: &Api) -> Vec<String> {
    place(api).iter().map(|(name, words)| fact(name, words, Here::TOP)).collect()
}

/// Where the page of a method is, from the top of the server.
pub(in crate::describe) fn method(own: &Method) -> String {
    To::Page(of_method(&own.id), None).reference(Here::TOP)
}

/// Who may call a method.
pub(in crate::describe) fn groups(own: &Method) -> String {
    item(&words::groups(own), Here::TOP)
}

/// Where a parameter stands in a request.
pub(in crate::describe) fn stands(own: &Parameter) -> String {
    item(&[words::stands(own.from)], Here::TOP)
}

/// The type of a parameter, with what stands beside it.
pub(in crate::describe) fn r#type(own: &Parameter) -> String {
    let written = &own.r#type.written;
    item(&types::r#type(&written.term, &written.attributes), Here::TOP)
}

/// The members of a parameter that is an object, under its name, each with its depth.
pub(in crate::describe) fn members(own: &Parameter) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    tree(0, types::parameter(own).as_slice(), Here::TOP, &mut lines);
    lines
}

/// An output and its members, each with its depth.
pub(in crate::describe) fn output(own: &Output) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    tree(0, &[types::output(own)], Here::TOP, &mut lines);
    lines
}
