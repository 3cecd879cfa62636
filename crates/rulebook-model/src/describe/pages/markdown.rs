//! Writes a documentation page, and the overviews for language models, as Markdown. Texts of the definition are
//! escaped, so that a Markdown renderer shows them literally.

use std::slice;

use super::contents::{how_to_call, links_to_documents, module_list_item};
use super::document::{Block, Branch, Field, Inline, ListItem, MethodLine, PageDocument, TableRow};
use super::links::{LinkContext, LinkOrigin, LinkTarget};
use super::phrases::{count_with_noun, method_line};
use super::{PageForm, PageId, Pages, document};
use crate::describe::markdown::{MarkdownWriter, code_span, escape_control_characters, escape_text, is_white_space};
use crate::describe::snippet::{server_url, snippets};

/// If `is_for_caller` is `true`, the links refer to the pages for the caller (`?as=me`).
pub(super) fn render_markdown(document: &PageDocument<'_>, origin: LinkOrigin<'_>, is_for_caller: bool) -> String {
    let context = LinkContext { origin, form: PageForm::Markdown, is_for_caller };
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
        // In a document with all pages, the samples in all languages would be most of the text.
        let count = if matches!(origin, LinkOrigin::Root) { 1 } else { panel.samples.len() };
        for (title, sample) in panel.samples.iter().take(count) {
            page.write_line(&format!("{title}:"));
            write_block(sample, context, &mut page);
        }
    }
    page.finish()
}

pub(super) fn write_block(block: &Block<'_>, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    match block {
        Block::Heading { level, inlines, .. } => {
            page.write_line(&format!("{} {}", "#".repeat(usize::from(*level)), inlines_to_markdown(inlines, context)));
        }
        Block::Paragraph(inlines) => page.write_line(&inlines_to_markdown(inlines, context)),
        Block::Address(http, path) => page.write_line(&format!("{} {}", http.as_str(), code_span(path))),
        Block::Facts(facts) => {
            let fact = |(label, inlines): &(_, Vec<_>)| format!("{label}: {}", inlines_to_markdown(inlines, context));
            page.write_list(facts.iter().map(fact));
        }
        Block::List(items) if items.is_empty() => {}
        Block::List(items) => {
            page.begin_block();
            write_list(items, 0, context, page);
        }
        Block::Table { head, rows } => {
            page.write_table(head, &rows.iter().map(|row| row_cells(row, context)).collect::<Vec<_>>());
        }
        Block::Methods(lines) => page.write_list(lines.iter().map(|line| format_method_line(line, context))),
        Block::Code { title, language, text, .. } => {
            if let Some(title) = title {
                page.write_line(&format!("{title}:"));
            }
            page.write_code_block(&escape_text(language), &escape_control_characters(text));
        }
        Block::Fields(fields) => {
            page.begin_block();
            write_fields(fields, 0, context, page);
        }
        Block::Branches(branches) => branches.iter().for_each(|branch| {
            page.write_line(&format!("### {}", branch_to_markdown(branch, context)));
            if !branch.fields.is_empty() {
                page.begin_block();
                write_fields(&branch.fields, 0, context, page);
            }
            if let Some(example) = &branch.example {
                page.write_code_block("json", example);
            }
        }),
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
        let required = if field.is_required { "required" } else { "" };
        let facts: Vec<_> = [field.location, required].into_iter().filter(|fact| !fact.is_empty()).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        let name = inlines_to_markdown(slice::from_ref(&field.name), context);
        let values = field.values.iter().map(|(label, value)| format!("; {label} {}", code_span(value)));
        let values: String = values.chain(field.schemas.iter().map(|link| schema_to_markdown(link, context))).collect();
        let info: Vec<_> = field.info.iter().map(|line| inlines_to_markdown(line, context)).collect();
        let (info, words) = (info.join(" "), escape_text(&field.words));
        page.write_item(indent, "-", &format!("{name}{facts}: {info} ({words}{values})"));
        write_fields(&field.members, indent + 2, context, page);
        for branch in &field.branches {
            page.write_item(indent + 2, "-", &branch_to_markdown(branch, context));
            write_fields(&branch.fields, indent + 4, context, page);
        }
    }
}

fn schema_to_markdown((target, name): &(LinkTarget, String), context: LinkContext<'_>) -> String {
    format!("; see [{}]({})", code_span(name), target.to_url(context))
}

/// Describes a type of a union on one line, without its fields.
fn branch_to_markdown(branch: &Branch<'_>, context: LinkContext<'_>) -> String {
    let schemas: String = branch.schemas.iter().map(|link| schema_to_markdown(link, context)).collect();
    let name = inlines_to_markdown(slice::from_ref(&branch.name), context);
    format!("{name}: {}{schemas}", escape_text(&branch.words))
}

fn row_cells(row: &TableRow<'_>, context: LinkContext<'_>) -> Vec<String> {
    let cell = |lines: &Vec<_>| {
        lines.iter().map(|inlines: &Vec<_>| inlines_to_markdown(inlines, context)).collect::<Vec<_>>().join("; ")
    };
    row.cells.iter().map(cell).collect()
}

fn format_method_line(line: &MethodLine<'_>, context: LinkContext<'_>) -> String {
    let deprecated = line.deprecated.as_ref().map(|mark| format!(" ({mark})")).unwrap_or_default();
    let (page, uri) = (line.page_link.to_url(context), code_span(line.uri));
    let info = inlines_to_markdown(&line.info, context);
    let (id, scope) = (code_span(line.id), inlines_to_markdown(&line.scope, context));
    format!("[{} {uri}]({page}){deprecated}: {info}; {id}; {scope}", line.http.as_str())
}

/// Converts inlines (the content of a line) to Markdown on one line.
fn inlines_to_markdown(inlines: &[Inline<'_>], context: LinkContext<'_>) -> String {
    let mut line = String::new();
    for inline in inlines {
        let (text, content) = match inline {
            Inline::Text(text) => (None, text.to_string()),
            Inline::Quoted(quoted) => (Some(quoted), escape_text(quoted)),
            Inline::Strong(quoted) => (Some(quoted), bold_text(quoted)),
            Inline::Code(quoted) => (None, code_span(quoted)),
            Inline::HttpMethod(http) => (None, http.as_str().to_owned()),
            Inline::Link(target, inlines) => {
                (None, format!("[{}]({})", inlines_to_markdown(inlines, context), target.to_url(context)))
            }
        };
        // The spaces around a text separate it from the texts beside it. Bold type cannot contain them (CommonMark
        // section 6.2), and Markdown does not show others.
        let begins_with_space = text.is_some_and(|text| text.starts_with(is_white_space));
        if begins_with_space && !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
        line.push_str(if line.ends_with(' ') { content.trim_start_matches(' ') } else { &content });
        if text.is_some_and(|text| text.ends_with(is_white_space)) && !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

fn bold_text(quoted: &str) -> String {
    let escaped = escape_text(quoted);
    if escaped.is_empty() { escaped } else { format!("**{}**", escaped.trim()) }
}

// `llms.txt`, which <https://llmstxt.org> defines: a Markdown document with a title, a summary, how to call the API,
// and links to the documentation pages; and `llms-full.txt`, which contains the pages themselves.

pub(super) fn write_llms_txt(pages: &Pages) -> String {
    let (origin, form, is_for_caller) = (LinkOrigin::Root, PageForm::Markdown, pages.is_for_caller);
    let context = LinkContext { origin, form, is_for_caller };
    let api = &*pages.api;
    let mut page = MarkdownWriter::default();
    page.write_line(&format!("# {} {}", escape_text(&api.title), escape_text(&api.version)));
    let methods = count_with_noun(pages.methods.len(), "method", "methods");
    let modules = count_with_noun(pages.method_ranges.len(), "module", "modules");
    page.write_line(&format!(
        "> An HTTP API with {methods} in {modules}. The links below lead to a markdown page for each."
    ));
    for block in api.info.iter().flat_map(|info| document::parse_blocks(info)) {
        write_block(&block, context, &mut page);
    }
    write_how_to_call(pages, context, &mut page);
    page.write_line("## Documents");
    let contents = Inline::Link(pages.page_link(PageId::Contents { part: 0 }), vec![Inline::text("Contents")]);
    let mut items = vec![ListItem::new(vec![contents, Inline::text(": what the API is, and how to call it")])];
    items.extend(links_to_documents(pages).into_iter().take(2));
    write_block(&Block::List(items), context, &mut page);
    if pages.lists_methods() {
        for (module, range) in pages.method_ranges.iter().enumerate() {
            page.write_line(&format!("## {}", escape_text(&api.modules[module].name)));
            let lines = pages.method_entries(range.clone()).map(|(_, entry)| method_line(entry)).collect();
            write_block(&Block::Methods(lines), context, &mut page);
        }
    } else {
        page.write_line("## Modules");
        let items = (0..pages.method_ranges.len()).map(|module| module_list_item(pages, module));
        page.write_list(items.map(|item| inlines_to_markdown(&item.inlines, context)));
    }
    page.write_line("## Optional");
    write_block(&Block::List(links_to_documents(pages).into_iter().skip(2).take(2).collect()), context, &mut page);
    page.finish()
}

fn write_how_to_call(pages: &Pages, context: LinkContext<'_>, page: &mut MarkdownWriter) {
    let api = &*pages.api;
    page.write_line("## How to call it");
    let server = server_url(api, pages.listening_url.get().map(String::as_str));
    let base = format!("{server}{}", api.base.trim_end_matches('/'));
    page.write_line(&format!("The API is at {}.", code_span(&base)));
    how_to_call(pages).iter().for_each(|block| write_block(block, context, page));
    let entries = || pages.method_entries(0..pages.methods.len()).map(|(_, entry)| entry);
    // A call that needs a credential shows how it is sent.
    let Some(entry) = entries().find(|entry| !entry.method.scope.is_public()).or_else(|| entries().next()) else {
        return;
    };
    page.write_line(&format!("For example, this command calls {}:", code_span(&entry.method.id)));
    for curl in snippets(api, &server, entry.uri, entry.method).iter().take(1) {
        page.write_code_block(curl.language, &curl.text);
    }
}

/// Returns all pages in Markdown. A large API has only the pages of its modules, because the document would become too
/// large; they list the methods and link to their pages.
pub(super) fn write_llms_full_txt(pages: &Pages) -> String {
    let is_included = |page: &PageId| match page {
        PageId::Diagnostics => false,
        PageId::Method(_) | PageId::Schema(_) => pages.lists_methods(),
        PageId::Contents { .. } | PageId::Module { .. } | PageId::Schemas { .. } | PageId::Errors => true,
    };
    let included = pages.page_ids.iter().enumerate().filter(|(_, page)| is_included(page));
    let documents = included.filter_map(|(index, _)| pages.page_document(index));
    let texts = documents.map(|document| render_markdown(&document, LinkOrigin::Root, pages.is_for_caller));
    texts.collect::<Vec<_>>().join("\n---\n\n")
}
