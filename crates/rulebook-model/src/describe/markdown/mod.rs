//! The responses to OPTIONS in Markdown, for people and for programs that read text.
//!
//! Texts of a definition are escaped, so that Markdown shows them literally, except the `info` of the API, which is
//! Markdown itself.

pub(super) mod escape;
mod method;

use std::fmt::Write;

use super::options::{DOCS, OPENAPI};
use super::pages::markdown as pages;
use super::{IntermediateUri, ServiceUri, Uris};
use crate::model::{Api, Method};
pub(in crate::describe) use escape::code;
use escape::text;

/// Describes an API: its settings, and each method in one line.
#[must_use]
pub fn markdown_all(api: &Api, uris: &Uris<'_>) -> String {
    let mut page = MarkdownWriter::default();
    page.line(&format!("# {} {}", text(&api.title), text(&api.version)));
    if let Some(info) = &api.info {
        page.line(info.trim());
    }
    page.line(&format!(
        "Send OPTIONS to a URI for its definition, in JSON or as a text like this one (`Accept: text/markdown`). \
         The whole API is described in [OpenAPI]({OPENAPI}) and in the [documentation pages]({DOCS})."
    ));
    page.list(pages::about(api));
    let mut services = uris.services.iter().peekable();
    for module in &api.modules {
        page.line(&format!("## {}", text(&module.name)));
        if let Some(info) = &module.info {
            page.line(&text(info));
        }
        let mut items = Vec::new();
        while let Some(uri) = services.next_if(|uri| std::ptr::eq(uri.module, module)) {
            items.push((0, code(&uri.uri)));
            items.extend(uri.service.methods.iter().map(|method| (1, summary(method))));
        }
        page.nested_list(items);
    }
    page.finish()
}

/// Describes a service.
#[must_use]
pub fn markdown_service(uri: &ServiceUri<'_>) -> String {
    let ServiceUri { module, service, uri, below } = uri;
    let mut page = MarkdownWriter::default();
    page.line(&format!("# {}", code(uri)));
    let info = module.info.as_ref().map(|info| format!(": {}", text(info)));
    page.line(&format!("Module {}{}", code(&module.name), info.unwrap_or_default()));
    for method in &service.methods {
        method::write(method, &mut page);
    }
    if !below.is_empty() {
        page.line("## Below");
        page.list(below.iter().map(|uri| code(uri)));
    }
    page.finish()
}

/// Describes a URI without a service, which has services below it.
#[must_use]
pub fn markdown_intermediate(uri: &IntermediateUri<'_>) -> String {
    let mut page = MarkdownWriter::default();
    page.line(&format!("# {}", code(&uri.uri)));
    page.line("There is no service at this URI, but there are services below it:");
    page.list(uri.below.iter().map(|uri| code(uri)));
    page.finish()
}

/// Describes a method in one line, with a link to its page.
fn summary(method: &Method) -> String {
    let deprecated = if method.options.deprecated { " (deprecated)" } else { "" };
    let (http, page, scope) = (method.http.as_str(), pages::method_page(method), method::scope(method));
    format!("[{http}](/{page}){deprecated}: {}; {scope}", text(&method.info))
}

/// Writes a Markdown document block by block, with an empty line between two blocks.
#[derive(Default)]
pub(super) struct MarkdownWriter(String);

impl MarkdownWriter {
    /// Begins a block.
    pub(super) fn block(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    /// Writes a block of one line: a heading or a paragraph.
    pub(super) fn line(&mut self, line: &str) {
        self.block();
        self.0.extend([line, "\n"]);
    }

    /// Writes a list, unless it is empty.
    pub(super) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        self.nested_list(items.into_iter().map(|item| (0, item)).collect());
    }

    /// Writes a nested list, unless it is empty. Each item has its depth, counted from 0.
    pub(super) fn nested_list(&mut self, items: Vec<(usize, String)>) {
        if !items.is_empty() {
            self.block();
        }
        for (depth, item) in items {
            self.item(depth * 2, "-", &item);
        }
    }

    /// Writes an item of the current list, indented by `indent` spaces.
    pub(super) fn item(&mut self, indent: usize, marker: &str, item: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{:indent$}{marker} {item}", "");
    }

    /// Writes a table, unless it has no rows.
    pub(super) fn table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        self.table_rows(&head, rows);
    }

    /// Writes a table, unless it has no rows. Each row is as long as the head.
    pub(super) fn table_rows(&mut self, head: &[&str], rows: Vec<impl AsRef<[String]>>) {
        if rows.is_empty() {
            return;
        }
        self.block();
        self.0.extend(["| ", &head.join(" | "), " |\n|"]);
        self.0.extend(head.iter().map(|_| " --- |"));
        self.0.push('\n');
        for row in rows {
            self.0.extend(["| ", &row.as_ref().join(" | "), " |\n"]);
        }
    }

    /// Writes a fenced code block. The fence is longer than any row of backticks in the text.
    pub(super) fn fenced(&mut self, language: &str, text: &str) {
        let max_backticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(max_backticks.max(2) + 1);
        self.block();
        self.0.extend([&fence, language, "\n", text.trim_end_matches('\n'), "\n", &fence, "\n"]);
    }

    /// Returns the document.
    pub(super) fn finish(self) -> String {
        self.0
    }
}
