//! The documentation pages of an API, in HTML and in markdown.
//!
//! This module decides which pages exist, and generates their paths and content; their layout is in `templates/`. A
//! page is rendered when it is requested. This module must not depend on callers or on how pages are sent.

// The content of a page, and the formats in which it is written.
mod document;
mod html;
mod links;
pub(super) mod markdown;

// The content of each page.
mod contents;
mod error_pages;
mod llms;
mod method;
mod module;
mod parse_markdown;
mod phrases;
mod responses;
mod search;
mod types;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::module_part::ranges;
use super::uris;
use crate::model::{Api, Method, Module};
use document::PageDocument;
use links::{LinkTarget, escape_segment};
use search::SearchIndex;

/// The contents list every method if neither the number of methods nor the number of modules is above this maximum.
const MAX_LISTED_METHODS: usize = 500;
/// The maximum number of modules on one page of the contents, if the contents list only modules.
const MODULES_PER_PAGE: usize = 500;

/// The documentation pages of an API.
#[derive(Debug)]
pub struct Pages {
    api: Arc<Api>,
    /// The URI templates of the services, in the order of the API.
    uris: Vec<String>,
    /// The positions of the methods in the model, in the order of the API.
    methods: Vec<MethodPosition>,
    /// For each module, the indexes of its methods in `methods`.
    modules: Vec<Range<usize>>,
    pages: Vec<PageId>,
    /// `true` if the pages were requested for the caller (`?as=me`).
    for_caller: bool,
    /// `true` if the server has Swagger UI.
    has_swagger_ui: bool,
    search_index: OnceLock<SearchIndex>,
}

/// The position of a method in the model, as indexes.
#[derive(Debug, Clone, Copy)]
struct MethodPosition {
    module: usize,
    /// The index of the service in its module.
    service: usize,
    /// The index of the method in its service.
    method: usize,
    /// The index of the URI of the service in `uris`.
    uri: usize,
}

/// A method with its module and its URI.
#[derive(Debug, Clone, Copy)]
struct MethodEntry<'a> {
    module: &'a Module,
    uri: &'a str,
    method: &'a Method,
}

/// Identifies a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageId {
    /// The contents, or a part of the contents of a large API.
    Contents { part: usize },
    /// A module, by its index, or a part of a large module.
    Module { module: usize, part: usize },
    /// A method, by its index.
    Method(usize),
    /// The errors of requests.
    Errors,
    /// The errors of definitions.
    Diagnostics,
}

impl Pages {
    /// Creates the pages of an API. If `for_caller` is `true`, the API contains only the methods that the caller can
    /// call (`?as=me`), and links refer to pages for the caller.
    #[must_use]
    pub fn new(api: Arc<Api>, for_caller: bool) -> Self {
        let uris: Vec<_> = uris(&api).services.into_iter().map(|service| service.uri).collect();
        let mut methods = Vec::new();
        let mut modules = Vec::with_capacity(api.modules.len());
        let mut uri = 0;
        for (module, definition) in api.modules.iter().enumerate() {
            let first = methods.len();
            for (service, definition) in definition.services.iter().enumerate() {
                methods.extend((0..definition.methods.len()).map(|method| MethodPosition {
                    module,
                    service,
                    method,
                    uri,
                }));
                uri += 1;
            }
            modules.push(first..methods.len());
        }
        let mut pages = Self {
            api,
            uris,
            methods,
            modules,
            pages: Vec::new(),
            for_caller,
            has_swagger_ui: false,
            search_index: OnceLock::new(),
        };
        pages.pages = pages.all_ids();
        pages
    }

    /// Sets whether the server has Swagger UI. If it does, the pages link to it. The default is `false`.
    #[must_use]
    pub fn with_swagger_ui(mut self, has_swagger_ui: bool) -> Self {
        self.has_swagger_ui = has_swagger_ui;
        self
    }

    /// Returns all pages, beginning with the contents.
    fn all_ids(&self) -> Vec<PageId> {
        let contents = (0..self.contents_parts()).map(|part| PageId::Contents { part });
        let of_module = |module| (0..self.module_parts(module)).map(move |part| PageId::Module { module, part });
        let modules = (0..self.modules.len()).flat_map(of_module);
        let methods = (0..self.methods.len()).map(PageId::Method);
        contents.chain(modules).chain(methods).chain([PageId::Errors, PageId::Diagnostics]).collect()
    }

    /// Returns the paths of the pages, below `/docs/` and before percent-encoding, beginning with the start page.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.pages.iter().map(|page| self.path(*page)).collect()
    }

    fn path(&self, page: PageId) -> String {
        match page {
            PageId::Contents { part: 0 } => String::new(),
            PageId::Contents { part } => format!("contents/{}", part + 1),
            PageId::Module { module, part: 0 } => format!("modules/{}", escape_segment(&self.api.modules[module].name)),
            PageId::Module { module, part } => {
                format!("{}/{}", self.path(PageId::Module { module, part: 0 }), part + 1)
            }
            PageId::Method(index) => links::method_path(&self.entry(index).method.id),
            PageId::Errors => "errors".to_owned(),
            PageId::Diagnostics => "diagnostics".to_owned(),
        }
    }

    fn link(&self, page: PageId) -> LinkTarget {
        LinkTarget::Page(self.path(page), None)
    }

    /// Returns a page as HTML, by its index in [`Pages::paths`], or an empty text if the index is invalid.
    #[must_use]
    pub fn html(&self, index: usize) -> String {
        self.document(index).map(|page| html::write(&self.api, &page, self.for_caller)).unwrap_or_default()
    }

    /// Returns a page as Markdown, by its index in [`Pages::paths`], or an empty text if the index is invalid.
    #[must_use]
    pub fn markdown(&self, index: usize) -> String {
        self.document(index).map(|page| markdown::write(&page, self.for_caller)).unwrap_or_default()
    }

    /// Returns the search page for a query, as HTML and as Markdown.
    #[must_use]
    pub fn search(&self, query: &str) -> (String, String) {
        self.both_formats(&search::results(self, query))
    }

    /// Returns the page that is shown if a path below `/docs/` does not exist, as HTML and as Markdown.
    #[must_use]
    pub fn missing(&self, path: &str) -> (String, String) {
        let query = search::query_of(path);
        self.both_formats(&search::missing(self, path, &query))
    }

    fn both_formats(&self, page: &PageDocument<'_>) -> (String, String) {
        (html::write(&self.api, page, self.for_caller), markdown::write(page, self.for_caller))
    }

    /// Returns `llms.txt`, the summary for programs that read text (<https://llmstxt.org>).
    #[must_use]
    pub fn llms(&self) -> String {
        llms::write(self)
    }

    fn document(&self, index: usize) -> Option<PageDocument<'_>> {
        Some(match *self.pages.get(index)? {
            PageId::Contents { part } => contents::document(self, part),
            PageId::Module { module, part } => module::document(self, module, part),
            PageId::Method(index) => method::document(self, index),
            PageId::Errors => error_pages::errors(self),
            PageId::Diagnostics => error_pages::diagnostics(self),
        })
    }

    fn entry(&self, index: usize) -> MethodEntry<'_> {
        let MethodPosition { module, service, method, uri } = self.methods[index];
        let module = &self.api.modules[module];
        MethodEntry { module, uri: &self.uris[uri], method: &module.services[service].methods[method] }
    }

    fn entries(&self, range: Range<usize>) -> impl Iterator<Item = (usize, MethodEntry<'_>)> {
        range.map(|index| (index, self.entry(index)))
    }

    /// Returns `true` if the contents list methods, and `false` if they list only modules.
    fn lists_methods(&self) -> bool {
        self.methods.len() <= MAX_LISTED_METHODS && self.modules.len() <= MAX_LISTED_METHODS
    }

    fn contents_parts(&self) -> usize {
        if self.lists_methods() { 1 } else { self.modules.len().div_ceil(MODULES_PER_PAGE).max(1) }
    }

    fn module_parts(&self, module: usize) -> usize {
        ranges(self.modules[module].clone()).count()
    }
}
