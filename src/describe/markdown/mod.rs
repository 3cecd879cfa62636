//! The API for people and their programs, in markdown.
//!
//! Words of the definition are data: they are shown, never read as markdown. The
//! `info` of the API alone is markdown by its own definition.

mod method;
pub(super) mod text;

use std::fmt::Write;

use super::options::{DOCS, OPENAPI};
use super::pages::markdown as pages;
use super::{Above, ServiceUri, Uris};
use crate::model::{Api, Method};
pub(in crate::describe) use text::code;
use text::text;

/// The whole API: what it is, and a line for each method.
#[must_use]
pub fn markdown_all(api: &Api, uris: &Uris<'_>) -> String {
    let mut page = Page::default();
    page.line(&format!("# {} {}", text(&api.title), text(&api.version)));
    if let Some(info) = &api.info {
        page.line(info.trim());
    }
    page.line(&format!(
        "Each URI answers OPTIONS with its definition, in JSON or as a text like this one (`Accept: text/markdown`). \
         The whole as [OpenAPI]({OPENAPI}); [pages for people]({DOCS})."
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
            items.extend(uri.service.methods.iter().map(|own| (1, summary(own))));
        }
        page.tree(items);
    }
    page.0
}

/// One service.
#[must_use]
pub fn markdown_service(uri: &ServiceUri<'_>) -> String {
    let ServiceUri { module, service, uri, below } = uri;
    let mut page = Page::default();
    page.line(&format!("# {}", code(uri)));
    let info = module.info.as_ref().map(|info| format!(": {}", text(info)));
    page.line(&format!("Of the module {}{}", code(&module.name), info.unwrap_or_default()));
    for own in &service.methods {
        method::write(own, &mut page);
    }
    if !below.is_empty() {
        page.line("## Below");
        page.list(below.iter().map(|uri| code(uri)));
    }
    page.0
}

/// What is below a URI.
#[must_use]
pub fn markdown_above(uri: &Above<'_>) -> String {
    let mut page = Page::default();
    page.line(&format!("# {}", code(&uri.uri)));
    page.line("No service, but there are some below:");
    page.list(uri.below.iter().map(|uri| code(uri)));
    page.0
}

/// A method in one line, with a link to its page.
fn summary(own: &Method) -> String {
    let deprecated = if own.options.deprecated { " (deprecated)" } else { "" };
    let scope = method::scope(own);
    format!("[{}](/{}){deprecated}: {}; {scope}", own.http.as_str(), pages::method(own), text(&own.info))
}

/// A text, block by block, with an empty line between two.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// Begins a block.
    pub(super) fn block(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    /// Writes a heading or a paragraph.
    pub(super) fn line(&mut self, line: &str) {
        self.block();
        self.0.extend([line, "\n"]);
    }

    /// Writes a list, if there is anything in it.
    pub(super) fn list(&mut self, items: impl IntoIterator<Item = String>) {
        self.tree(items.into_iter().map(|item| (0, item)).collect());
    }

    /// Writes a list of lists, if there is anything in it: each item with its depth.
    pub(super) fn tree(&mut self, items: Vec<(usize, String)>) {
        if !items.is_empty() {
            self.block();
        }
        for (depth, item) in items {
            self.item(depth * 2, "-", &item);
        }
    }

    /// Writes an item of a list that has been begun, behind so many blanks.
    pub(super) fn item(&mut self, indent: usize, marker: &str, item: &str) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{:indent$}{marker} {item}", "");
    }

    /// Writes a table, if there is anything in it.
    pub(super) fn table<const N: usize>(&mut self, head: [&str; N], rows: Vec<[String; N]>) {
        self.rows(&head, rows);
    }

    /// The same of rows that are as long as the head.
    pub(super) fn rows(&mut self, head: &[&str], rows: Vec<impl AsRef<[String]>>) {
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

    /// Writes a text as it is, whatever it holds.
    pub(super) fn fenced(&mut self, language: &str, text: &str) {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        self.block();
        self.0.extend([&fence, language, "\n", text.trim_end_matches('\n'), "\n", &fence, "\n"]);
    }

    /// All of it.
    pub(super) fn text(self) -> String {
        self.0
    }
}
