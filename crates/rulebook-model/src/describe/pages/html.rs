//! Writes a page as HTML, with the templates in `templates/`. The templates escape texts of the definition for HTML,
//! and replace control characters in them by their code points.

use std::borrow::Cow;

use askama::Template;
use url::form_urlencoded;

use super::document::{Block, Inline, ListItem, PageDocument};
use super::links::{LinkContext, LinkTarget, PageFormat, page_reference};
use crate::describe::escape;
use crate::model::{Api, Audience};

/// The query parameter of the search page that contains the search words.
const SEARCH_PARAMETER: &str = "q";

/// The template of a page.
#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate<'a> {
    api: &'a Api,
    page: &'a PageDocument<'a>,
    context: LinkContext<'a>,
}

/// The template of inline content.
#[derive(Template)]
#[template(path = "inlines.html")]
struct InlinesTemplate<'a> {
    inlines: &'a [Inline<'a>],
    context: LinkContext<'a>,
}

/// The template of a list, whose items can have nested lists.
#[derive(Template)]
#[template(path = "list.html")]
struct ListTemplate<'a> {
    items: &'a [ListItem<'a>],
    context: LinkContext<'a>,
}

/// Returns a page as HTML. If `for_caller` is `true`, its links refer to the pages for the caller (`?as=me`).
pub(super) fn write(api: &Api, page: &PageDocument<'_>, for_caller: bool) -> String {
    let context = LinkContext { page: Some(&page.path), format: PageFormat::Html, for_caller };
    // Writing to a String cannot fail.
    PageTemplate { api, page, context }.render().unwrap_or_default()
}

impl<'a> PageTemplate<'a> {
    /// Returns a link from this page to another page.
    fn page_link(&self, path: &str) -> String {
        self.link(&LinkTarget::Page(path.to_owned(), None))
    }

    /// Returns a link from this page to a document of the API.
    fn document_link(&self, path: &'static str) -> String {
        self.link(&LinkTarget::Document(path))
    }

    fn link(&self, target: &LinkTarget) -> String {
        target.reference(self.context)
    }

    /// Returns the query parameter that the search form adds to every search, if any.
    fn search_parameter(&self) -> Option<(&'static str, &'static str)> {
        self.context.for_caller.then_some(Audience::ASKED)
    }

    /// Returns a link to the Markdown of this page.
    fn markdown_link(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.page.query.is_empty() {
            query.append_pair(SEARCH_PARAMETER, self.page.query);
        }
        page_reference(&self.page.path, &query.finish(), LinkContext { format: PageFormat::Markdown, ..self.context })
    }

    fn inlines(&self, inlines: &'a [Inline<'a>]) -> InlinesTemplate<'a> {
        InlinesTemplate { inlines, context: self.context }
    }

    fn list(&self, items: &'a [ListItem<'a>]) -> ListTemplate<'a> {
        ListTemplate { items, context: self.context }
    }

    fn escape<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escape::escape_controls(text)
    }
}

impl<'a> InlinesTemplate<'a> {
    fn link(&self, target: &LinkTarget) -> String {
        target.reference(self.context)
    }

    fn inlines(&self, inlines: &'a [Inline<'a>]) -> Self {
        Self { inlines, context: self.context }
    }

    fn escape<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escape::escape_controls(text)
    }
}

impl<'a> ListTemplate<'a> {
    /// Returns the number of the first item, or `None` if the list is unordered.
    fn start(&self) -> Option<u64> {
        self.items.first()?.number
    }

    fn inlines(&self, inlines: &'a [Inline<'a>]) -> InlinesTemplate<'a> {
        InlinesTemplate { inlines, context: self.context }
    }

    fn list(&self, items: &'a [ListItem<'a>]) -> Self {
        Self { items, context: self.context }
    }
}
