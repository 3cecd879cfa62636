//! A page in HTML, by the templates. Words of the definition are escaped by the templates, and what would change the
//! text around them is shown by its number.

use std::borrow::Cow;

use askama::Template;

use super::place::{Form, To};
use super::sheet::{Block, Item, Sheet, Span};
use crate::describe::visible;
use crate::model::Api;

/// A whole page.
#[derive(Template)]
#[template(path = "page.html")]
struct Whole<'a> {
    api: &'a Api,
    sheet: &'a Sheet<'a>,
}

/// A line of words.
#[derive(Template)]
#[template(path = "words.html")]
struct Inline<'a> {
    words: &'a [Span<'a>],
    from: &'a str,
}

/// A list of lists.
#[derive(Template)]
#[template(path = "tree.html")]
struct Tree<'a> {
    items: &'a [Item<'a>],
    from: &'a str,
}

/// A page.
pub(super) fn write(api: &Api, sheet: &Sheet<'_>) -> String {
    // Writing to a String does not fail.
    Whole { api, sheet }.render().unwrap_or_default()
}

impl<'a> Whole<'a> {
    /// The way to a page, from this one.
    fn page(&self, path: &str) -> String {
        self.to(&To::Page(path.to_owned(), None))
    }

    /// The way to what is at a path of the server.
    fn server(&self, path: &'static str) -> String {
        self.to(&To::Server(path))
    }

    fn to(&self, to: &To) -> String {
        to.reference(&self.sheet.path, Form::Html)
    }

    /// The same page in markdown.
    fn markdown(&self) -> String {
        To::Page(self.sheet.path.clone(), None).reference(&self.sheet.path, Form::Markdown)
    }

    fn words(&self, words: &'a [Span<'a>]) -> Inline<'a> {
        Inline { words, from: &self.sheet.path }
    }

    fn tree(&self, items: &'a [Item<'a>]) -> Tree<'a> {
        Tree { items, from: &self.sheet.path }
    }

    fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        visible::visible(text)
    }
}

impl<'a> Inline<'a> {
    fn to(&self, to: &To) -> String {
        to.reference(self.from, Form::Html)
    }

    fn inside(&self, words: &'a [Span<'a>]) -> Self {
        Self { words, from: self.from }
    }

    fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        visible::visible(text)
    }
}

impl<'a> Tree<'a> {
    fn words(&self, words: &'a [Span<'a>]) -> Inline<'a> {
        Inline { words, from: self.from }
    }

    fn below(&self, items: &'a [Item<'a>]) -> Self {
        Self { items, from: self.from }
    }
}
