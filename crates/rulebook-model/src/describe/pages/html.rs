//! Writes a documentation page as HTML, with the templates in `templates/`. The templates escape texts of the
//! definition for HTML, and replace control characters in these texts by code points.

use std::borrow::Cow;
use std::slice;

use askama::Template;
use url::form_urlencoded;

use super::document::{Block, Field, Inline, ListItem, PageDocument};
use super::links::{LinkContext, LinkTarget, PageFormat, page_url};
use super::tree::Tree;
use super::{PageId, Pages};
use crate::describe::escape;
use crate::model::Audience;

/// The query parameter with the search words in the URL of the search page.
const SEARCH_QUERY_PARAMETER: &str = "q";

/// The template of a whole page.
#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate<'a> {
    pages: &'a Pages,
    page: &'a PageDocument<'a>,
    id: Option<PageId>,
    context: LinkContext<'a>,
}

/// The template of the tree of API modules and methods.
#[derive(Template)]
#[template(path = "tree.html")]
struct TreeTemplate<'a> {
    tree: Tree<'a>,
    context: LinkContext<'a>,
}

/// The template of a block, such as a table.
#[derive(Template)]
#[template(path = "block.html")]
struct BlockTemplate<'a> {
    block: &'a Block<'a>,
    context: LinkContext<'a>,
}

/// The template of a list of parameters, outputs or members.
#[derive(Template)]
#[template(path = "fields.html")]
struct FieldsTemplate<'a> {
    fields: &'a [Field<'a>],
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

/// Returns a page as HTML. `id` is `None` for pages whose content depends on the request.
pub(super) fn render_html(pages: &Pages, page: &PageDocument<'_>, id: Option<PageId>) -> String {
    let is_for_caller = pages.is_for_caller;
    let context = LinkContext { page: Some(&page.path), format: PageFormat::Html, is_for_caller };
    // Writing to a `String` cannot fail.
    PageTemplate { pages, page, id, context }.render().unwrap_or_default()
}

/// Functions that all templates call. `'a` is the lifetime of the page.
trait InPage<'a> {
    /// Returns the properties of the page on which the URLs of links depend.
    fn context(&self) -> LinkContext<'a>;

    fn link_url(&self, target: &LinkTarget) -> String {
        target.to_url(self.context())
    }

    /// Returns a link from this page to another page.
    fn page_link(&self, path: &str) -> String {
        self.link_url(&LinkTarget::Page(path.to_owned(), None))
    }

    fn block_template(&self, block: &'a Block<'a>) -> BlockTemplate<'a> {
        BlockTemplate { block, context: self.context() }
    }

    fn fields_template(&self, fields: &'a [Field<'a>]) -> FieldsTemplate<'a> {
        FieldsTemplate { fields, context: self.context() }
    }

    fn inlines_template(&self, inlines: &'a [Inline<'a>]) -> InlinesTemplate<'a> {
        InlinesTemplate { inlines, context: self.context() }
    }

    fn inline_template(&self, inline: &'a Inline<'a>) -> InlinesTemplate<'a> {
        self.inlines_template(slice::from_ref(inline))
    }

    fn list_template(&self, items: &'a [ListItem<'a>]) -> ListTemplate<'a> {
        ListTemplate { items, context: self.context() }
    }

    fn escape_control_characters<'t>(&self, text: &'t str) -> Cow<'t, str> {
        escape::escape_control_characters(text)
    }
}

impl<'a> InPage<'a> for PageTemplate<'a> {
    fn context(&self) -> LinkContext<'a> {
        self.context
    }
}

impl<'a> InPage<'a> for TreeTemplate<'a> {
    fn context(&self) -> LinkContext<'a> {
        self.context
    }
}

impl<'a> InPage<'a> for BlockTemplate<'a> {
    fn context(&self) -> LinkContext<'a> {
        self.context
    }
}

impl<'a> InPage<'a> for FieldsTemplate<'a> {
    fn context(&self) -> LinkContext<'a> {
        self.context
    }
}

impl<'a> InPage<'a> for InlinesTemplate<'a> {
    fn context(&self) -> LinkContext<'a> {
        self.context
    }
}

impl<'a> InPage<'a> for ListTemplate<'a> {
    fn context(&self) -> LinkContext<'a> {
        self.context
    }
}

impl PageTemplate<'_> {
    /// Returns a link from this page to a document of the API.
    fn document_link(&self, path: &'static str) -> String {
        self.link_url(&LinkTarget::Document(path))
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

    /// Returns the tree of API modules and methods. The tree of the search page is rendered only once, because every
    /// search renders a page.
    fn tree_html(&self) -> Cow<'_, str> {
        let render = || {
            let tree = Tree::new(self.pages, self.id);
            TreeTemplate { tree, context: self.context }.render().unwrap_or_default()
        };
        match self.id {
            None if !self.page.path.contains('/') => Cow::Borrowed(self.pages.search_tree.get_or_init(render)),
            _ => Cow::Owned(render()),
        }
    }
}

impl ListTemplate<'_> {
    /// Returns the number of the first item, or `None` if the list is unordered.
    fn first_number(&self) -> Option<u64> {
        self.items.first()?.number
    }
}
