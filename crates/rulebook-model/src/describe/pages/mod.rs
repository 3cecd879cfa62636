//! The documentation pages of an API, in HTML and in Markdown.
//!
//! This Rust module decides which pages exist, and generates the paths and the content of the pages. The layout of the
//! pages is in `templates/`. A page is rendered only when a client requests it. This Rust module must not depend on
//! callers, or on how pages are sent.

mod contents;
mod document;
mod error_pages;
mod fields;
mod html;
mod links;
mod markdown;
mod method;
mod options;
mod phrases;
mod schema;
mod search;
mod search_index;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::openapi::split_method_range;
use super::uris;
use crate::model::{Api, Method, Module};
use document::PageDocument;
use links::{LinkOrigin, LinkTarget, escape_segment};
use schema::SchemaPosition;
use search_index::SearchIndex;

pub use links::method_page_url;
pub use options::{markdown_for_api, markdown_for_intermediate_uri, markdown_for_service};

/// The contents list each method if the API has at most this number of methods, and at most this number of API modules.
/// Otherwise the contents list only the API modules.
const MAX_LISTED_METHODS: usize = 500;
const MODULES_PER_PAGE: usize = 500;

/// The largest number of methods for which every page is rendered within a fraction of a millisecond.
const MAX_METHODS_OF_SMALL_API: usize = 200;

/// The form in which a page is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageForm {
    /// The page as HTML.
    Html,
    /// The page as Markdown.
    Markdown,
}

/// The documentation pages of an API.
#[derive(Debug)]
pub struct Pages {
    api: Arc<Api>,
    /// The URI templates of all services, in the order of the API.
    uris: Vec<String>,
    /// The indexes with which each method is found in `api`, in the order of the API.
    methods: Vec<MethodPosition>,
    /// For each API module, the range in `methods` that contains the methods of the API module.
    method_ranges: Vec<Range<usize>>,
    schemas: Vec<SchemaPosition>,
    page_ids: Vec<PageId>,
    /// `true` if the pages contain only what the caller can call (`?as=me`).
    is_for_caller: bool,
    has_swagger_ui: bool,
    /// The URL of the address on which the server listens. Empty until the server listens.
    listening_url: Arc<OnceLock<String>>,
    search_index: OnceLock<SearchIndex>,
}

/// The indexes with which a method is found in the model of the API.
#[derive(Debug, Clone, Copy)]
struct MethodPosition {
    module_index: usize,
    service_index: usize,
    method_index: usize,
    /// The index of the service's URI in [`Pages::uris`].
    uri_index: usize,
}

#[derive(Debug, Clone, Copy)]
struct MethodEntry<'a> {
    module: &'a Module,
    uri: &'a str,
    method: &'a Method,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PageId {
    /// The page with the contents. The contents of a large API have several parts, each with a page.
    Contents { part: usize },
    /// By the index of the API module. A large API module has several parts, each with a page.
    Module { module: usize, part: usize },
    /// The page of a method, by the index of the method in [`Pages::methods`].
    Method(usize),
    /// The page with the list of schemas. A long list has several parts, each with a page.
    Schemas { part: usize },
    /// The page of a schema, by the index of the schema in [`Pages::schemas`].
    Schema(usize),
    /// The page with the errors that requests can cause.
    Errors,
    /// The page with the errors that definitions can have.
    Diagnostics,
}

impl Pages {
    /// Creates the documentation pages of an API. If `is_for_caller` is `true`, `api` contains only the methods that
    /// the caller can call (`?as=me`), and the links between pages refer to the pages for the caller.
    #[must_use]
    pub fn new(api: Arc<Api>, is_for_caller: bool) -> Self {
        let uris: Vec<_> = uris(&api).services.into_iter().map(|service| service.uri).collect();
        let mut methods = Vec::new();
        let mut modules = Vec::with_capacity(api.modules.len());
        let mut uri = 0;
        for (module, definition) in api.modules.iter().enumerate() {
            let first = methods.len();
            for (service, definition) in definition.services.iter().enumerate() {
                methods.extend((0..definition.methods.len()).map(|method| MethodPosition {
                    module_index: module,
                    service_index: service,
                    method_index: method,
                    uri_index: uri,
                }));
                uri += 1;
            }
            modules.push(first..methods.len());
        }
        let mut pages = Self {
            api,
            uris,
            methods,
            method_ranges: modules,
            schemas: Vec::new(),
            page_ids: Vec::new(),
            is_for_caller,
            has_swagger_ui: false,
            listening_url: Arc::default(),
            search_index: OnceLock::new(),
        };
        pages.schemas = pages.find_schemas();
        pages.page_ids = pages.all_page_ids();
        pages
    }

    /// Sets whether the server also offers Swagger UI. If it does, the pages link to Swagger UI. The default is
    /// `false`.
    #[must_use]
    pub fn with_swagger_ui(mut self, has_swagger_ui: bool) -> Self {
        self.has_swagger_ui = has_swagger_ui;
        self
    }

    /// Sets the URL of the address on which the server listens, which example calls contain unless the definition
    /// declares the URL of the server. The URL can be set after this call, but before the first page is rendered.
    #[must_use]
    pub fn with_listening_url(mut self, url: Arc<OnceLock<String>>) -> Self {
        self.listening_url = url;
        self
    }

    /// Returns the ids of all pages, beginning with the contents.
    fn all_page_ids(&self) -> Vec<PageId> {
        let contents = (0..self.count_contents_parts()).map(|part| PageId::Contents { part });
        let of_module = |module| (0..self.count_module_parts(module)).map(move |part| PageId::Module { module, part });
        let modules = (0..self.method_ranges.len()).flat_map(of_module);
        let methods = (0..self.methods.len()).map(PageId::Method);
        let lists = (0..self.count_schema_parts()).map(|part| PageId::Schemas { part });
        let schemas = lists.chain((0..self.schemas.len()).map(PageId::Schema));
        contents.chain(modules).chain(methods).chain(schemas).chain([PageId::Errors, PageId::Diagnostics]).collect()
    }

    /// Returns the paths of all pages, beginning with the start page. The paths are relative to `/docs/` and are not
    /// percent-encoded.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.page_ids.iter().map(|page| self.page_path(*page)).collect()
    }

    fn page_path(&self, page: PageId) -> String {
        match page {
            PageId::Contents { part: 0 } => String::new(),
            PageId::Contents { part } => format!("contents/{}", part + 1),
            PageId::Module { module, part: 0 } => format!("modules/{}", escape_segment(&self.api.modules[module].name)),
            PageId::Module { module, part } => {
                format!("{}/{}", self.page_path(PageId::Module { module, part: 0 }), part + 1)
            }
            PageId::Method(index) => links::method_page_path(&self.method_entry(index).method.id),
            PageId::Schemas { part: 0 } => "schemas".to_owned(),
            PageId::Schemas { part } => format!("schemas/list/{}", part + 1),
            PageId::Schema(index) => links::schema_page_path(&self.schema(index).key),
            PageId::Errors => links::ERRORS_PATH.to_owned(),
            PageId::Diagnostics => "diagnostics".to_owned(),
        }
    }

    fn page_link(&self, page: PageId) -> LinkTarget {
        LinkTarget::Page(self.page_path(page), None)
    }

    /// Returns a page as HTML. `index` is the index of its path in [`Pages::paths`]. Returns an empty text if the index
    /// is invalid.
    #[must_use]
    pub fn html(&self, index: usize) -> String {
        let id = self.page_ids.get(index).copied();
        self.page_document(index).map(|page| html::render_html(self, &page, id)).unwrap_or_default()
    }

    /// Returns a page as Markdown. `index` is the index of its path in [`Pages::paths`]. Returns an empty text if the
    /// index is invalid.
    #[must_use]
    pub fn markdown(&self, index: usize) -> String {
        self.page_document(index).map(|page| self.render(&page, PageForm::Markdown)).unwrap_or_default()
    }

    /// Returns the search page for a query.
    #[must_use]
    pub fn search(&self, query: &str, form: PageForm) -> String {
        self.render(&search::search_page(self, query), form)
    }

    /// Returns the first results of a search in HTML, without the rest of the page. `path` is the path below `/docs/`
    /// to which the links are relative.
    #[must_use]
    pub fn search_results(&self, path: &str, query: &str) -> String {
        html::render_blocks(self, &search::results_of_dialog(self, path, query))
    }

    /// Returns the page that is shown if no page has the path `path` below `/docs/`.
    #[must_use]
    pub fn page_not_found(&self, path: &str, form: PageForm) -> String {
        let query = search::query_from_path(path);
        self.render(&search::page_not_found(self, path, &query), form)
    }

    /// Returns `true` if the API is so small that every page is rendered within a fraction of a millisecond.
    #[must_use]
    pub fn is_rendered_quickly(&self) -> bool {
        self.methods.len() <= MAX_METHODS_OF_SMALL_API
    }

    fn render(&self, page: &PageDocument<'_>, form: PageForm) -> String {
        match form {
            PageForm::Html => html::render_html(self, page, None),
            PageForm::Markdown => markdown::render_markdown(page, LinkOrigin::Page(&page.path), self.is_for_caller),
        }
    }

    /// Returns `llms.txt`, a summary of the API for language models (<https://llmstxt.org>).
    #[must_use]
    pub fn llms(&self) -> String {
        markdown::write_llms_txt(self)
    }

    /// Returns `llms-full.txt`: all pages in Markdown, in one document. If the API is large, this document only
    /// contains the pages of its modules, and links to the others.
    #[must_use]
    pub fn llms_full(&self) -> String {
        markdown::write_llms_full_txt(self)
    }

    /// Returns the list of the documents of the API, as JSON (RFC 9727, RFC 9264).
    #[must_use]
    pub fn api_catalog(&self) -> String {
        contents::write_api_catalog(self)
    }

    fn page_document(&self, index: usize) -> Option<PageDocument<'_>> {
        Some(match *self.page_ids.get(index)? {
            PageId::Contents { part } => contents::contents_page(self, part),
            PageId::Module { module, part } => contents::module_page(self, module, part),
            PageId::Method(index) => method::method_page(self, index),
            PageId::Schemas { part } => schema::schemas_page(self, part),
            PageId::Schema(index) => schema::schema_page(self, index),
            PageId::Errors => error_pages::request_errors_page(self),
            PageId::Diagnostics => error_pages::definition_errors_page(self),
        })
    }

    fn method_entry(&self, index: usize) -> MethodEntry<'_> {
        let MethodPosition { module_index, service_index, method_index, uri_index } = self.methods[index];
        let module = &self.api.modules[module_index];
        let method = &module.services[service_index].methods[method_index];
        MethodEntry { module, uri: &self.uris[uri_index], method }
    }

    fn method_entries(&self, range: Range<usize>) -> impl Iterator<Item = (usize, MethodEntry<'_>)> {
        range.map(|index| (index, self.method_entry(index)))
    }

    /// Returns `true` if the contents list every method, and `false` if the contents list only the API modules.
    fn lists_methods(&self) -> bool {
        self.methods.len() <= MAX_LISTED_METHODS && self.method_ranges.len() <= MAX_LISTED_METHODS
    }

    fn count_contents_parts(&self) -> usize {
        if self.lists_methods() { 1 } else { self.method_ranges.len().div_ceil(MODULES_PER_PAGE).max(1) }
    }

    fn count_module_parts(&self, module: usize) -> usize {
        split_method_range(self.method_ranges[module].clone()).count()
    }
}
