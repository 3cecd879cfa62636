//! Writes a documentation page as HTML, with the templates in `templates/`. The templates escape texts of the
//! definition for HTML, and replace control characters in these texts by code points.

use std::borrow::Cow;

use askama::Template;
use url::form_urlencoded;

use super::document::{Block, Inline, ListItem, PageDocument};
use super::links::{LinkContext, LinkTarget, PageFormat, page_url};
use crate::describe::escape;
use crate::model::{Api, Audience};

/// The query parameter with the search words in the URL of the search page.
const SEARCH_QUERY_PARAMETER: &str = "q";

/// The template of a whole page.
#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate<'a> {
    api: &'a Api,
    page: &'a PageDocument<'a>,
    context: LinkContext<'a>,
}

/// The template of the content in a line, such as text and links.
#[derive(Template)]
#[template(path = "inlines.html")]
struct InlinesTemplate<'a> {
    inlines: &'a [Inline<'a>],
    context: LinkContext<'a>,
}

/// The template of a list. Its items can have nested lists.
#[derive(Template)]
#[template(path = "list.html")]
struct ListTemplate<'a> {
    items: &'a [ListItem<'a>],
    context: LinkContext<'a>,
}

/// Returns a page as HTML. If `is_for_caller` is `true`, the links of the page refer to the pages for the caller
/// (`?as=me`).
pub(super) fn render_html(api: &Api, page: &PageDocument<'_>, is_for_caller: bool) -> String {
    let context = LinkContext { page: Some(&page.path), format: PageFormat::Html, is_for_caller };
    // Writing to a `String` cannot fail.
    PageTemplate { api, page, context }.render().unwrap_or_default()
}

impl<'a> PageTemplate<'a> {
    /// Returns a link from this page to another page.
    fn page_link(&self, path: &str) -> String {
        self.link_url(&LinkTarget::Page(path.to_owned(), None))
    }

    /// Returns a link from this page to a document of the API.
    fn document_link(&self, path: &'static str) -> String {
        self.link_url(&LinkTarget::Document(path))
    }

    fn link_url(&self, target: &LinkTarget) -> String {
        target.to_url(self.context)
    }

    /// Returns the name and the value of the query parameter that the search form adds to every search, or `None` if it
    /// adds none.
    fn search_parameter(&self) -> Option<(&'static str, &'static str)> {
        self.context.is_for_caller.then_some(Audience::ASKED)
    }

    /// Returns a link to the Markdown of this page.
    fn markdown_link(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.page.query.is_empty() {
            query.append_pair(SEARCH_QUERY_PARAMETER, self.page.query);
        }
        page_url(&self.page.path, &query.finish(), LinkContext { format: PageFormat::Markdown, ..self.context })
    }

    fn inlines_template(&self, inlines: &'a [Inline<'a>]) -> InlinesTemplate<'a> {
        InlinesTemplate { inlines, context: self.context }
    }

    fn list_template(&self, items: &'a [ListItem<'a>]) -> ListTemplate<'a> {
        ListTemplate { items, context: self.context }
    }

    fn escape_control_characters<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escape::escape_control_characters(text)
    }
}

impl<'a> InlinesTemplate<'a> {
    fn link_url(&self, target: &LinkTarget) -> String {
        target.to_url(self.context)
    }

    fn inlines_template(&self, inlines: &'a [Inline<'a>]) -> Self {
        Self { inlines, context: self.context }
    }

    fn escape_control_characters<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escape::escape_control_characters(text)
    }
}

impl<'a> ListTemplate<'a> {
    /// Returns the number of the first item, or `None` if the list is unordered.
    fn first_number(&self) -> Option<u64> {
        self.items.first()?.number
    }

    fn inlines_template(&self, inlines: &'a [Inline<'a>]) -> InlinesTemplate<'a> {
        InlinesTemplate { inlines, context: self.context }
    }

    fn list_template(&self, items: &'a [ListItem<'a>]) -> Self {
        Self { items, context: self.context }
    }
}
