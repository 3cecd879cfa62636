//! Writes the responses to OPTIONS in Markdown, for people and for programs that read text.
//!
//! Texts of a definition are escaped, so that a Markdown renderer shows them literally. Only the `info` of the API is
//! not escaped, because it is itself Markdown.

pub(super) mod escape;
mod method;

use std::fmt::Write;

use super::canonical_schemas::schemas_of_methods;
use super::options::{DOCS_PATH, OPENAPI_PATH};
use super::pages::markdown as pages;
use super::{IntermediateUri, ServiceUri, Uris};
use crate::model::{Api, Method};
pub(in crate::describe) use escape::code_span;
use escape::escape_text;

/// Describes an API in Markdown: its settings, and each of its methods in one line.
#[must_use]
pub fn markdown_for_api(api: &Api, uris: &Uris<'_>) -> String {
    let mut page = MarkdownWriter::default();
    page.write_line(&format!("# {} {}", escape_text(&api.title), escape_text(&api.version)));
    if let Some(info) = &api.info {
        page.write_line(info.trim());
    }
    page.write_line(&format!(
        "Send OPTIONS to a URI for its definition, in JSON or as a text like this one (`Accept: text/markdown`). \
         The whole API is described in [OpenAPI]({OPENAPI_PATH}) and in the [documentation pages]({DOCS_PATH})."
    ));
    page.write_list(pages::api_fact_lines(api));
    let mut services = uris.services.iter().peekable();
    for module in &api.modules {
        page.write_line(&format!("## {}", escape_text(&module.name)));
        if let Some(info) = &module.info {
            page.write_line(&escape_text(info));
        }
        let mut items = Vec::new();
        while let Some(uri) = services.next_if(|uri| std::ptr::eq(uri.module, module)) {
            items.push((0, code_span(&uri.uri)));
            items.extend(uri.service.methods.iter().map(|method| (1, method_summary(method))));
        }
        page.write_nested_list(items);
    }
    page.finish()
}

/// Describes a service of the API in Markdown, with all of its methods and the schemas to which they refer.
#[must_use]
pub fn markdown_for_service(api: &Api, uri: &ServiceUri<'_>) -> String {
    let ServiceUri { module, service, uri, uris_below } = uri;
    let mut page = MarkdownWriter::default();
    page.write_line(&format!("# {}", code_span(uri)));
    let info = module.info.as_ref().map(|info| format!(": {}", escape_text(info)));
    page.write_line(&format!("Module {}{}", code_span(&module.name), info.unwrap_or_default()));
    for method in &service.methods {
        method::write_method(api, module, method, &mut page);
    }
    let mut schemas = schemas_of_methods(&service.methods);
    schemas.sort_by(|one, other| one.name.cmp(&other.name));
    if !schemas.is_empty() {
        page.write_line("## Schemas");
    }
    for schema in schemas {
        page.write_line(&format!("### {}", code_span(&schema.name)));
        if !schema.info.trim().is_empty() {
            page.write_line(&escape_text(&schema.info));
        }
        page.write_nested_list(pages::schema_lines(&schema));
    }
    if !uris_below.is_empty() {
        page.write_line("## Below");
        page.write_list(uris_below.iter().map(|uri| code_span(uri)));
    }
    page.finish()
}

/// Describes a URI in Markdown that has no service itself but has services below it.
#[must_use]
pub fn markdown_for_intermediate_uri(uri: &IntermediateUri<'_>) -> String {
    let mut page = MarkdownWriter::default();
    page.write_line(&format!("# {}", code_span(&uri.uri)));
    page.write_line("There is no service at this URI, but there are services below it:");
    page.write_list(uri.uris_below.iter().map(|uri| code_span(uri)));
    page.finish()
}

/// Describes a method in one line, with a link to the method's documentation page.
fn method_summary(method: &Method) -> String {
    let deprecated = if method.options.deprecated { " (deprecated)" } else { "" };
    let (http, page, scope) = (method.http.as_str(), pages::method_page_link(method), method::describe_scope(method));
    format!("[{http}](/{page}){deprecated}: {}; {scope}", escape_text(&method.info))
}

/// A Markdown document to which blocks are added: paragraphs, lists, tables and code. Two blocks are separated by an
/// empty line.
#[derive(Default)]
pub(super) struct MarkdownWriter(String);

impl MarkdownWriter {
    /// Begins a new block.
    pub(super) fn begin_block(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    /// Writes a block that consists of one line, such as a heading or a paragraph.
    pub(super) fn write_line(&mut self, line: &str) {
        self.begin_block();
        self.0.extend([line, "\n"]);
    }

    /// Writes a list, unless the list is empty.
    pub(super) fn write_list(&mut self, items: impl IntoIterator<Item = String>) {
        self.write_nested_list(items.into_iter().map(|item| (0, item)).collect());
    }

    /// Writes a nested list, unless it is empty. Each item of `items` is a nesting depth, counted from 0, and a text.
    pub(super) fn write_nested_list(&mut self, items: Vec<(usize, String)>) {
        if !items.is_empty() {
            self.begin_block();
        }
        for (depth, item) in items {
            self.write_item(depth * 2, "-", &item);
        }
    }

    /// Writes an item of the current list, indented by `indent` spaces. `marker` is `-` or a number with a dot.
    pub(super) fn write_item(&mut self, indent: usize, marker: &str, item: &str) {
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "{:indent$}{marker} {item}", "");
    }

    /// Writes a table with `N` columns, unless the table has no rows.
    pub(super) fn write_table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        self.write_table_rows(&head, rows);
    }

    /// Writes a table, unless the table has no rows. Each row must have as many cells as `head`.
    pub(super) fn write_table_rows(&mut self, head: &[&str], rows: Vec<impl AsRef<[String]>>) {
        if rows.is_empty() {
            return;
        }
        self.begin_block();
        self.0.extend(["| ", &head.join(" | "), " |\n|"]);
        self.0.extend(head.iter().map(|_| " --- |"));
        self.0.push('\n');
        for row in rows {
            self.0.extend(["| ", &row.as_ref().join(" | "), " |\n"]);
        }
    }

    /// Writes a fenced code block. The fence has more backticks than any sequence of backticks in the text, so that the
    /// text cannot end the block.
    pub(super) fn write_code_block(&mut self, language: &str, text: &str) {
        let max_backticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(max_backticks.max(2) + 1);
        self.begin_block();
        self.0.extend([&fence, language, "\n", text.trim_end_matches('\n'), "\n", &fence, "\n"]);
    }

    /// Returns the Markdown document.
    pub(super) fn finish(self) -> String {
        self.0
    }
}
