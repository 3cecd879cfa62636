//! A page in HTML, by the templates. Words of the definition are escaped by the templates, and what would change the
//! text around them is shown by its number.

use std::borrow::Cow;

use askama::Template;
use url::form_urlencoded;

use super::place::{Form, Here, To, page_reference};
use super::sheet::{Block, Item, Sheet, Span};
use crate::describe::visible;
use crate::model::{Api, Audience};

/// The field of the query that says what is searched for.
const SEARCHED: &str = "q";

/// A whole page.
#[derive(Template)]
#[template(path = "page.html")]
struct Whole<'a> {
    api: &'a Api,
    sheet: &'a Sheet<'a>,
    here: Here<'a>,
}

/// A line of words.
#[derive(Template)]
#[template(path = "words.html")]
struct Inline<'a> {
    words: &'a [Span<'a>],
    here: Here<'a>,
}

/// A list of lists.
#[derive(Template)]
#[template(path = "tree.html")]
struct Tree<'a> {
    items: &'a [Item<'a>],
    here: Here<'a>,
}

/// A page.
pub(super) fn write(api: &Api, sheet: &Sheet<'_>, own: bool) -> String {
    let here = Here { page: Some(&sheet.path), form: Form::Html, own };
    // Writing to a String does not fail.
    Whole { api, sheet, here }.render().unwrap_or_default()
}

impl<'a> Whole<'a> {
    /// The way to a page, from this one.
    fn page(&self, path: &str) -> String {
        self.to(&To::Page(path.to_owned(), None))
    }

    /// The way to a document of the API.
    fn document(&self, path: &'static str) -> String {
        self.to(&To::Document(path))
    }

    fn to(&self, to: &To) -> String {
        to.reference(self.here)
    }

    /// The field that a search carries on.
    fn carried(&self) -> Option<(&'static str, &'static str)> {
        self.here.own.then_some(Audience::ASKED)
    }

    /// The same page in markdown.
    fn markdown(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.sheet.query.is_empty() {
            query.append_pair(SEARCHED, self.sheet.query);
        }
        page_reference(&self.sheet.path, &query.finish(), Here { form: Form::Markdown, ..self.here })
    }

    fn words(&self, words: &'a [Span<'a>]) -> Inline<'a> {
        Inline { words, here: self.here }
    }

    fn tree(&self, items: &'a [Item<'a>]) -> Tree<'a> {
        Tree { items, here: self.here }
    }

    fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        visible::visible(text)
    }
}

impl<'a> Inline<'a> {
    fn to(&self, to: &To) -> String {
        to.reference(self.here)
    }

    fn inside(&self, words: &'a [Span<'a>]) -> Self {
        Self { words, here: self.here }
    }

    fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        visible::visible(text)
    }
}

impl<'a> Tree<'a> {
    /// The number of the first item, in a list that has them.
    fn first(&self) -> Option<u64> {
        self.items.first()?.number
    }

    fn words(&self, words: &'a [Span<'a>]) -> Inline<'a> {
        Inline { words, here: self.here }
    }

    fn below(&self, items: &'a [Item<'a>]) -> Self {
        Self { items, here: self.here }
    }
}
