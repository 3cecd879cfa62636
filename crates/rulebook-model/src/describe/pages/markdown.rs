//! Writes a page as Markdown. Texts of the definition are escaped, so that Markdown shows them literally.

use super::contents::address_and_owner;
use super::document::{Block, Inline, ListItem, MethodLine, PageDocument, TableRow};
use super::links::{LinkContext, LinkTarget, PageFormat, method_path};
use super::{phrases, types};
use crate::describe::escape::escape_controls;
use crate::describe::markdown::MarkdownWriter;
use crate::describe::markdown::escape::{code, text};
use crate::model::{Api, Method, Output, Parameter};

/// Returns a page as Markdown. If `for_caller` is `true`, its links refer to the pages for the caller (`?as=me`).
pub(super) fn write(document: &PageDocument<'_>, for_caller: bool) -> String {
    let context = LinkContext { page: Some(&document.path), format: PageFormat::Markdown, for_caller };
    let mut page = MarkdownWriter::default();
    if !document.breadcrumbs.is_empty() {
        let link = |(target, name): &(LinkTarget, Vec<_>)| {
            format!("[{}]({})", inline_text(name, context), target.reference(context))
        };
        let links: Vec<_> = document.breadcrumbs.iter().map(link).collect();
        page.line(&links.join(" / "));
    }
    page.line(&format!("# {}", inline_text(&document.heading, context)));
    if !document.query.is_empty() {
        page.line(&format!("Search: {}", text(document.query)));
    }
    for block in &document.blocks {
        write_block(block, context, &mut page);
    }
    page.finish()
}

/// Writes a block of a page.
pub(super) fn write_block(block: &Block<'_>, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    match block {
        Block::Heading { level, inlines, .. } => {
            page.line(&format!("{} {}", "#".repeat(usize::from(*level)), inline_text(inlines, context)));
        }
        Block::Paragraph(inlines) | Block::Lead(inlines) => page.line(&inline_text(inlines, context)),
        Block::Facts(facts) => page.list(facts.iter().map(|(label, inlines)| fact(label, inlines, context))),
        Block::List(items) if items.is_empty() => {}
        Block::List(items) => {
            page.block();
            write_list(items, 0, context, page);
        }
        Block::Table { head, rows } => page.table_rows(head, rows.iter().map(|row| cells(row, context)).collect()),
        Block::Methods(lines) => page.list(lines.iter().map(|line| method_line(line, context))),
        Block::Code { title, language, text, .. } => {
            if let Some(title) = title {
                page.line(&format!("{title}:"));
            }
            page.fenced(&self::text(language), &escape_controls(text));
        }
        // A form needs a browser, so it is omitted; the example calls are shown instead.
        Block::Form { .. } => {}
    }
}

/// Writes a list. Nested items are indented by the width of the marker of their parent (CommonMark section 5.2).
fn write_list(items: &[ListItem<'_>], indent: usize, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    for item in items {
        let marker = item.number.map_or_else(|| "-".to_owned(), |number| format!("{number}."));
        page.item(indent, &marker, &inline_text(&item.inlines, context));
        write_list(&item.below, indent + marker.len() + 1, context, page);
    }
}

/// Collects the items of a list and their nested items, each with its depth.
fn collect_lines(depth: usize, items: &[ListItem<'_>], context: LinkContext<'_>, lines: &mut Vec<(usize, String)>) {
    for item in items {
        lines.push((depth, inline_text(&item.inlines, context)));
        collect_lines(depth + 1, &item.below, context, lines);
    }
}

fn cells(row: &TableRow<'_>, context: LinkContext<'_>) -> Vec<String> {
    let cell = |lines: &Vec<_>| {
        lines.iter().map(|inlines: &Vec<_>| inline_text(inlines, context)).collect::<Vec<_>>().join("; ")
    };
    row.cells.iter().map(cell).collect()
}

fn method_line(line: &MethodLine<'_>, context: LinkContext<'_>) -> String {
    let deprecated = if line.deprecated { " (deprecated)" } else { "" };
    let (page, uri, info) = (line.page.reference(context), code(line.uri), text(line.info));
    let (id, scope) = (code(line.id), inline_text(&line.scope, context));
    format!("[{} {uri}]({page}){deprecated}: {info}; {id}; {scope}", line.http.as_str())
}

fn fact(label: &str, inlines: &[Inline<'_>], context: LinkContext<'_>) -> String {
    format!("{label}: {}", inline_text(inlines, context))
}

/// Returns inlines as Markdown on one line.
pub(super) fn inline_text(inlines: &[Inline<'_>], context: LinkContext<'_>) -> String {
    inlines.iter().fold(String::new(), |line, inline| {
        line + &match inline {
            Inline::Text(text) => text.to_string(),
            Inline::Quoted(quoted) => text(quoted),
            Inline::Strong(quoted) => strong(quoted),
            Inline::Code(quoted) => code(quoted),
            Inline::HttpMethod(http) => http.as_str().to_owned(),
            Inline::Mark(text) => (*text).to_owned(),
            Inline::Link(target, inlines) => {
                format!("[{}]({})", inline_text(inlines, context), target.reference(context))
            }
        }
    })
}

/// Returns a text in bold type. Spaces at its ends are moved out of it, because they would prevent bold type
/// (CommonMark section 6.2).
fn strong(quoted: &str) -> String {
    let escaped = text(quoted);
    if escaped.is_empty() { escaped } else { format!("**{}**", escaped.trim()) }
}

/// Returns the facts about an API, each on one line.
pub(in crate::describe) fn about(api: &Api) -> Vec<String> {
    address_and_owner(api).iter().map(|(label, inlines)| fact(label, inlines, LinkContext::ROOT)).collect()
}

/// Returns the path of a method's page in Markdown, from the root of the server.
pub(in crate::describe) fn method_page(method: &Method) -> String {
    LinkTarget::Page(method_path(&method.id), None).reference(LinkContext::ROOT)
}

/// Describes the permissions that a method requires.
pub(in crate::describe) fn groups(method: &Method) -> String {
    inline_text(&phrases::groups(method), LinkContext::ROOT)
}

/// Returns the part of a request that carries a parameter.
pub(in crate::describe) fn location(parameter: &Parameter) -> String {
    inline_text(&[phrases::location(parameter.from)], LinkContext::ROOT)
}

/// Returns the type of a parameter, with its attributes.
pub(in crate::describe) fn r#type(parameter: &Parameter) -> String {
    let written = &parameter.r#type.written;
    inline_text(&types::r#type(&written.term, &written.attributes), LinkContext::ROOT)
}

/// Returns the name of a parameter and the members of its objects, each line with its depth. The result is empty if the
/// parameter has no members.
pub(in crate::describe) fn members(parameter: &Parameter) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    collect_lines(0, types::parameter(parameter).as_slice(), LinkContext::ROOT, &mut lines);
    lines
}

/// Returns an output and the members of its objects, each line with its depth.
pub(in crate::describe) fn output(output: &Output) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    collect_lines(0, &[types::output(output)], LinkContext::ROOT, &mut lines);
    lines
}
