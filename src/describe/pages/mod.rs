//! The API for people, page by page, in HTML and in markdown.
//!
//! In charge of which pages there are, where, and what stands on them; how they
//! look is in `templates/`. A page is made when it is asked for. Must not know
//! who asks, or how pages are sent.

// What a page is, and what it is written as.
mod html;
pub(super) mod markdown;
mod place;
mod sheet;

// What stands on each.
mod answers;
mod contents;
mod llms;
mod method;
mod module;
mod prose;
mod search;
mod tables;
mod types;
mod words;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use super::part::ranges;
use super::uris;
use crate::model::{Api, Method, Module};
use place::{To, segment};
use search::Index;
use sheet::Sheet;

/// The most methods that the first page lists one by one.
const MOST_LISTED: usize = 500;
/// How many modules a page of contents has at most, where it lists modules.
const CONTENTS_PART: usize = 500;

/// The pages of an API.
#[derive(Debug)]
pub struct Pages {
    api: Arc<Api>,
    /// The templates of the services' URIs, in the order of the API.
    uris: Vec<String>,
    /// Where each method is, in the order of the API.
    methods: Vec<Place>,
    /// Which of them are of each module.
    modules: Vec<Range<usize>>,
    pages: Vec<Page>,
    /// Whether they were asked for as what the asker may call.
    own: bool,
    index: OnceLock<Index>,
}

/// Where a method is in the model.
#[derive(Debug, Clone, Copy)]
struct Place {
    module: usize,
    /// In its module.
    service: usize,
    method: usize,
    uri: usize,
}

/// A method with what it is a part of.
#[derive(Debug, Clone, Copy)]
struct Entry<'a> {
    module: &'a Module,
    uri: &'a str,
    method: &'a Method,
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// What is here; a part of it where that is much.
    Contents { part: usize },
    /// A part of a module, by its index.
    Module { module: usize, part: usize },
    /// A method, by its index.
    Method(usize),
    /// What requests are refused for.
    Errors,
    /// What definitions are refused for.
    Diagnostics,
}

impl Pages {
    /// The pages of this API. `own`: it is what an asker may call who asked for that, so that what they lead to is
    /// to be asked for alike.
    #[must_use]
    pub fn new(api: Arc<Api>, own: bool) -> Self {
        let uris: Vec<_> = uris(&api).services.into_iter().map(|service| service.uri).collect();
        let mut methods = Vec::new();
        let mut modules = Vec::with_capacity(api.modules.len());
        let mut uri = 0;
        for (module, own) in api.modules.iter().enumerate() {
            let first = methods.len();
            for (service, own) in own.services.iter().enumerate() {
                methods.extend((0..own.methods.len()).map(|method| Place { module, service, method, uri }));
                uri += 1;
            }
            modules.push(first..methods.len());
        }
        let mut pages = Self { api, uris, methods, modules, pages: Vec::new(), own, index: OnceLock::new() };
        pages.pages = pages.all();
        pages
    }

    /// Every page once, the contents first.
    fn all(&self) -> Vec<Page> {
        let contents = (0..self.contents_parts()).map(|part| Page::Contents { part });
        let of_module = |module| (0..self.module_parts(module)).map(move |part| Page::Module { module, part });
        let modules = (0..self.modules.len()).flat_map(of_module);
        let methods = (0..self.methods.len()).map(Page::Method);
        contents.chain(modules).chain(methods).chain([Page::Errors, Page::Diagnostics]).collect()
    }

    /// Where each page is, below `/docs/` and decoded. The first is the one that leads to all others.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.pages.iter().map(|page| self.path(*page)).collect()
    }

    fn path(&self, page: Page) -> String {
        match page {
            Page::Contents { part: 0 } => String::new(),
            Page::Contents { part } => format!("contents/{}", part + 1),
            Page::Module { module, part: 0 } => format!("modules/{}", segment(&self.api.modules[module].name)),
            Page::Module { module, part } => format!("{}/{}", self.path(Page::Module { module, part: 0 }), part + 1),
            Page::Method(index) => place::of_method(&self.entry(index).method.id),
            Page::Errors => "errors".to_owned(),
            Page::Diagnostics => "diagnostics".to_owned(),
        }
    }

    fn to(&self, page: Page) -> To {
        To::Page(self.path(page), None)
    }

    /// A page in HTML, by its index among the paths.
    #[must_use]
    pub fn html(&self, index: usize) -> String {
        self.sheet(index).map(|sheet| html::write(&self.api, &sheet, self.own)).unwrap_or_default()
    }

    /// The same in markdown.
    #[must_use]
    pub fn markdown(&self, index: usize) -> String {
        self.sheet(index).map(|sheet| markdown::write(&sheet, self.own)).unwrap_or_default()
    }

    /// What is found for these words, in HTML and in markdown.
    #[must_use]
    pub fn search(&self, words: &str) -> (String, String) {
        let sheet = search::sheet(self, words);
        (html::write(&self.api, &sheet, self.own), markdown::write(&sheet, self.own))
    }

    /// The page in place of one that is not there, at this path below `/docs/`, in HTML and in markdown.
    #[must_use]
    pub fn missing(&self, path: &str) -> (String, String) {
        let words = search::words_of(path);
        let sheet = search::missing(self, path, &words);
        (html::write(&self.api, &sheet, self.own), markdown::write(&sheet, self.own))
    }

    /// What there is, for programs that read text (<https://llmstxt.org>).
    #[must_use]
    pub fn llms(&self) -> String {
        llms::write(self)
    }

    fn sheet(&self, index: usize) -> Option<Sheet<'_>> {
        Some(match *self.pages.get(index)? {
            Page::Contents { part } => contents::sheet(self, part),
            Page::Module { module, part } => module::sheet(self, module, part),
            Page::Method(index) => method::sheet(self, index),
            Page::Errors => tables::errors(self),
            Page::Diagnostics => tables::diagnostics(self),
        })
    }

    fn entry(&self, index: usize) -> Entry<'_> {
        let Place { module, service, method, uri } = self.methods[index];
        let module = &self.api.modules[module];
        Entry { module, uri: &self.uris[uri], method: &module.services[service].methods[method] }
    }

    fn entries(&self, range: Range<usize>) -> impl Iterator<Item = (usize, Entry<'_>)> {
        range.map(|index| (index, self.entry(index)))
    }

    /// Whether the contents list methods, and not modules alone.
    fn lists_methods(&self) -> bool {
        self.methods.len() <= MOST_LISTED && self.modules.len() <= MOST_LISTED
    }

    fn contents_parts(&self) -> usize {
        if self.lists_methods() { 1 } else { self.modules.len().div_ceil(CONTENTS_PART).max(1) }
    }

    fn module_parts(&self, module: usize) -> usize {
        ranges(self.modules[module].clone()).count()
    }
}
