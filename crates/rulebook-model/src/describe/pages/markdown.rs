//! Writes a documentation page as Markdown. Texts of the definition are escaped, so that a Markdown renderer shows them
//! literally.

use std::slice;

use super::contents::api_facts;
use super::document::{Block, Field, Inline, ListItem, MethodLine, PageDocument, TableRow};
use super::links::{LinkContext, LinkTarget, method_page_path};
use super::{PageForm, phrases, types};
use crate::describe::escape::escape_control_characters;
use crate::describe::markdown::MarkdownWriter;
use crate::describe::markdown::escape::{code_span, escape_text};
use crate::model::{Api, Method, Output, Parameter};
use crate::types::{NamedSchema, TypeExpr};

/// Returns a page as Markdown. If `is_for_caller` is `true`, the links of the page refer to the pages for the caller
/// (`?as=me`).
pub(super) fn render_markdown(document: &PageDocument<'_>, is_for_caller: bool) -> String {
    let context = LinkContext { page: Some(&document.path), form: PageForm::Markdown, is_for_caller };
    let mut page = MarkdownWriter::default();
    if !document.breadcrumbs.is_empty() {
        let link = |(target, name): &(LinkTarget, Vec<_>)| {
            format!("[{}]({})", inlines_to_markdown(name, context), target.to_url(context))
        };
        let links: Vec<_> = document.breadcrumbs.iter().map(link).collect();
        page.write_line(&links.join(" / "));
    }
    page.write_line(&format!("# {}", inlines_to_markdown(&document.heading, context)));
    if !document.query.is_empty() {
        page.write_line(&format!("Search: {}", escape_text(document.query)));
    }
    for block in &document.blocks {
        write_block(block, context, &mut page);
    }
    if let Some(panel) = &document.panel {
        page.write_line("## Call it");
        for (title, sample) in &panel.samples {
            page.write_line(&format!("{title}:"));
            write_block(sample, context, &mut page);
        }
    }
    page.finish()
}

/// Writes a block of a page.
pub(super) fn write_block(block: &Block<'_>, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    match block {
        Block::Heading { level, inlines, .. } => {
            page.write_line(&format!("{} {}", "#".repeat(usize::from(*level)), inlines_to_markdown(inlines, context)));
        }
        Block::Paragraph(inlines) | Block::Lead(inlines) => page.write_line(&inlines_to_markdown(inlines, context)),
        Block::Facts(facts) => {
            page.write_list(facts.iter().map(|(label, inlines)| format_fact(label, inlines, context)));
        }
        Block::List(items) if items.is_empty() => {}
        Block::List(items) => {
            page.begin_block();
            write_list(items, 0, context, page);
        }
        Block::Table { head, rows } => {
            page.write_table_rows(head, rows.iter().map(|row| row_cells(row, context)).collect());
        }
        Block::Methods(lines) => page.write_list(lines.iter().map(|line| format_method_line(line, context))),
        Block::Code { title, language, text, .. } => {
            if let Some(title) = title {
                page.write_line(&format!("{title}:"));
            }
            page.write_code_block(&self::escape_text(language), &escape_control_characters(text));
        }
        Block::Fields(fields) => {
            page.begin_block();
            write_fields(fields, 0, context, page);
        }
        Block::Folded { summary, blocks, .. } => {
            page.write_line(&format!("### {summary}"));
            blocks.iter().for_each(|block| write_block(block, context, page));
        }
    }
}

/// Writes a list. A nested item is indented by the width of its parent's marker, such as `1.` (CommonMark section 5.2).
fn write_list(items: &[ListItem<'_>], indent: usize, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    for item in items {
        let marker = item.number.map_or_else(|| "-".to_owned(), |number| format!("{number}."));
        page.write_item(indent, &marker, &inlines_to_markdown(&item.inlines, context));
        write_list(&item.nested_items, indent + marker.len() + 1, context, page);
    }
}

/// Writes parameters, outputs or members as a list. The members of an object are nested items.
fn write_fields(fields: &[Field<'_>], indent: usize, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    for field in fields {
        let mark = field.mark.as_ref().map(|mark| inlines_to_markdown(slice::from_ref(mark), context));
        let facts: Vec<_> = [&*field.location].into_iter().chain(mark.as_deref()).filter(|f| !f.is_empty()).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let name = inlines_to_markdown(slice::from_ref(&field.name), context);
        let values = field.values.iter().map(|(label, value)| format!("; {label} {}", code_span(value)));
        let link =
            |(target, name): &(LinkTarget, String)| format!("; see [{}]({})", code_span(name), target.to_url(context));
        let values: String = values.chain(field.schemas.iter().map(link)).collect();
        let (info, words) = (escape_text(field.info), escape_text(&field.words));
        page.write_item(indent, "-", &format!("{name}{facts}: {info} ({words}{values})"));
        write_fields(&field.members, indent + 2, context, page);
    }
}

/// Adds the items of a list and all nested items to `lines`. Each line has its nesting depth, which is `depth` for the
/// items of the list.
fn collect_list_lines(
    depth: usize,
    items: &[ListItem<'_>],
    context: LinkContext<'_>,
    lines: &mut Vec<(usize, String)>,
) {
    for item in items {
        lines.push((depth, inlines_to_markdown(&item.inlines, context)));
        collect_list_lines(depth + 1, &item.nested_items, context, lines);
    }
}

fn row_cells(row: &TableRow<'_>, context: LinkContext<'_>) -> Vec<String> {
    let cell = |lines: &Vec<_>| {
        lines.iter().map(|inlines: &Vec<_>| inlines_to_markdown(inlines, context)).collect::<Vec<_>>().join("; ")
    };
    row.cells.iter().map(cell).collect()
}

fn format_method_line(line: &MethodLine<'_>, context: LinkContext<'_>) -> String {
    let deprecated = if line.is_deprecated { " (deprecated)" } else { "" };
    let (page, uri, info) = (line.page_link.to_url(context), code_span(line.uri), escape_text(line.info));
    let (id, scope) = (code_span(line.id), inlines_to_markdown(&line.scope, context));
    format!("[{} {uri}]({page}){deprecated}: {info}; {id}; {scope}", line.http.as_str())
}

fn format_fact(label: &str, inlines: &[Inline<'_>], context: LinkContext<'_>) -> String {
    format!("{label}: {}", inlines_to_markdown(inlines, context))
}

/// Converts inlines (the content of a line) to Markdown on one line.
pub(super) fn inlines_to_markdown(inlines: &[Inline<'_>], context: LinkContext<'_>) -> String {
    inlines.iter().fold(String::new(), |line, inline| {
        line + &match inline {
            Inline::Text(text) => text.to_string(),
            Inline::Quoted(quoted) => escape_text(quoted),
            Inline::Strong(quoted) => bold_text(quoted),
            Inline::Code(quoted) => code_span(quoted),
            Inline::HttpMethod(http) => http.as_str().to_owned(),
            Inline::Mark(text) => (*text).to_owned(),
            Inline::Link(target, inlines) => {
                format!("[{}]({})", inlines_to_markdown(inlines, context), target.to_url(context))
            }
        }
    })
}

/// Returns a text in bold type. Spaces at the beginning and the end are removed, because Markdown does not show a text
/// with such spaces in bold type (CommonMark section 6.2).
fn bold_text(quoted: &str) -> String {
    let escaped = escape_text(quoted);
    if escaped.is_empty() { escaped } else { format!("**{}**", escaped.trim()) }
}

/// Returns facts about an API, such as its base path. Each fact is on one line.
pub(in crate::describe) fn api_fact_lines(api: &Api) -> Vec<String> {
    api_facts(api).iter().map(|(label, inlines)| format_fact(label, inlines, LinkContext::ROOT)).collect()
}

/// Returns the URL of a method's page in Markdown, relative to the root of the server.
pub(in crate::describe) fn method_page_link(method: &Method) -> String {
    LinkTarget::Page(method_page_path(&method.id), None).to_url(LinkContext::ROOT)
}

/// Describes the permissions that a method requires.
pub(in crate::describe) fn describe_permission_groups(method: &Method) -> String {
    inlines_to_markdown(&phrases::describe_permission_groups(method), LinkContext::ROOT)
}

/// Describes the part of a request that carries a parameter.
pub(in crate::describe) fn describe_location(parameter: &Parameter) -> String {
    inlines_to_markdown(&[phrases::describe_location(parameter.from)], LinkContext::ROOT)
}

/// Describes the type of a parameter, with the attributes of the type.
pub(in crate::describe) fn describe_type(parameter: &Parameter) -> String {
    let written = &parameter.r#type.written;
    inlines_to_markdown(&types::describe_type(&written.term, &written.attributes), LinkContext::ROOT)
}

/// Describes the constraints between the members of a parameter that is an object, or a list of objects.
pub(in crate::describe) fn describe_constraints(parameter: &Parameter) -> String {
    types::constraints_in_words(&parameter.r#type.written.attributes)
        .into_iter()
        .map(|text| format!("; {text}"))
        .collect()
}

/// Describes a schema: a line with its type, and a line for each member of an object. Each line has its nesting depth.
pub(in crate::describe) fn schema_lines(schema: &NamedSchema) -> Vec<(usize, String)> {
    let TypeExpr { term, attributes } = schema.check.type_expr();
    let mut description = types::describe_type(&term, &attributes);
    description.extend([Inline::text(": "), Inline::quoted(schema.check.in_words())]);
    let members = types::member_items(&attributes, schema.example.as_ref());
    let item = ListItem { nested_items: members, ..ListItem::new(description) };
    let mut lines = Vec::new();
    collect_list_lines(0, &[item], LinkContext::ROOT, &mut lines);
    lines
}

/// Describes a parameter that is an object: a line with the name of the parameter, and a line for each member of the
/// object. Each line has its nesting depth. The result is empty if the type of the parameter declares no members.
pub(in crate::describe) fn member_lines(method: &Method, parameter: &Parameter) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    collect_list_lines(0, types::parameter_item(method, parameter).as_slice(), LinkContext::ROOT, &mut lines);
    lines
}

/// Describes an output in a line. If the output is an object, each of its members has another line. Each line has its
/// nesting depth.
pub(in crate::describe) fn output_lines(output: &Output) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    collect_list_lines(0, &[types::output_item(output)], LinkContext::ROOT, &mut lines);
    lines
}
