//! Writes a documentation page as HTML, with the templates in `templates/`, and the tree beside it. The templates
//! escape texts of the definition for HTML, and replace control characters in these texts by code points.

use std::borrow::Cow;
use std::slice;

use askama::Template;
use url::form_urlencoded;

use super::document::{Block, Branch, Field, Inline, ListItem, MethodLine, PageDocument};
use super::links::{LinkContext, LinkOrigin, LinkTarget, SEARCH_QUERY_PARAMETER, page_url};
use super::phrases::method_line;
use super::{PageForm, PageId, Pages};
use crate::describe::markdown::escape_control_characters;
use crate::describe::openapi::split_method_range;
use crate::describe::snippet::credential_field_of_api;
use crate::model::Audience;

#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate<'a> {
    pages: &'a Pages,
    page: &'a PageDocument<'a>,
    id: Option<PageId>,
    context: LinkContext<'a>,
}

#[derive(Template)]
#[template(path = "tree.html")]
struct TreeTemplate<'a> {
    tree: Tree<'a>,
    credential: Option<String>,
    markdown_link: String,
    has_swagger_ui: bool,
    context: LinkContext<'a>,
}

#[derive(Template)]
#[template(path = "block.html")]
struct BlockTemplate<'a> {
    block: &'a Block<'a>,
    context: LinkContext<'a>,
}

#[derive(Template)]
#[template(path = "fields.html")]
struct FieldsTemplate<'a> {
    fields: &'a [Field<'a>],
    context: LinkContext<'a>,
}

#[derive(Template)]
#[template(path = "branches.html")]
struct BranchesTemplate<'a> {
    branches: &'a [Branch<'a>],
    context: LinkContext<'a>,
}

/// The template of the blocks of a page without the parts that all pages have.
#[derive(Template)]
#[template(path = "blocks.html")]
struct BlocksTemplate<'a> {
    blocks: &'a [Block<'a>],
    context: LinkContext<'a>,
}

/// The maximum length in bytes of code in a cell of a table that stays on one line.
const MAX_UNBROKEN_CODE_LEN: usize = 34;

#[derive(Template)]
#[template(path = "inlines.html")]
struct InlinesTemplate<'a> {
    inlines: &'a [Inline<'a>],
    context: LinkContext<'a>,
}

#[derive(Template)]
#[template(path = "list.html")]
struct ListTemplate<'a> {
    items: &'a [ListItem<'a>],
    context: LinkContext<'a>,
}

/// Returns a page as HTML. `id` is `None` for pages whose content depends on the request.
pub(super) fn render_html(pages: &Pages, page: &PageDocument<'_>, id: Option<PageId>) -> String {
    let is_for_caller = pages.is_for_caller;
    let context = LinkContext { origin: LinkOrigin::Page(&page.path), form: PageForm::Html, is_for_caller };
    // Writing to a `String` cannot fail.
    PageTemplate { pages, page, id, context }.render().unwrap_or_default()
}

pub(super) fn render_blocks(pages: &Pages, page: &PageDocument<'_>) -> String {
    let is_for_caller = pages.is_for_caller;
    let context = LinkContext { origin: LinkOrigin::Page(&page.path), form: PageForm::Html, is_for_caller };
    BlocksTemplate { blocks: &page.blocks, context }.render().unwrap_or_default()
}

/// Functions that the templates call.
impl<'a> LinkContext<'a> {
    fn url(self, target: &LinkTarget) -> String {
        target.to_url(self)
    }

    fn page_url(self, path: &str) -> String {
        page_url(path, "", self)
    }

    fn document_url(self, path: &'static str) -> String {
        self.url(&LinkTarget::Document(path))
    }

    fn block(self, block: &'a Block<'a>) -> BlockTemplate<'a> {
        BlockTemplate { block, context: self }
    }

    fn fields(self, fields: &'a [Field<'a>]) -> FieldsTemplate<'a> {
        FieldsTemplate { fields, context: self }
    }

    fn branches(self, branches: &'a [Branch<'a>]) -> BranchesTemplate<'a> {
        BranchesTemplate { branches, context: self }
    }

    fn inlines(self, inlines: &'a [Inline<'a>]) -> InlinesTemplate<'a> {
        InlinesTemplate { inlines, context: self }
    }

    fn inline(self, inline: &'a Inline<'a>) -> InlinesTemplate<'a> {
        self.inlines(slice::from_ref(inline))
    }

    fn list(self, items: &'a [ListItem<'a>]) -> ListTemplate<'a> {
        ListTemplate { items, context: self }
    }

    fn text(self, text: &str) -> Cow<'_, str> {
        escape_control_characters(text)
    }
}

impl PageTemplate<'_> {
    /// The search form adds this query parameter to every search.
    fn search_parameter(&self) -> Option<(&'static str, &'static str)> {
        self.context.is_for_caller.then_some(Audience::ASKED)
    }

    fn markdown_link(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !self.page.query.is_empty() {
            query.append_pair(SEARCH_QUERY_PARAMETER, self.page.query);
        }
        page_url(&self.page.path, &query.finish(), LinkContext { form: PageForm::Markdown, ..self.context })
    }

    fn tree(&self) -> TreeTemplate<'_> {
        let credential = credential_field_of_api(&self.pages.api).map(|(name, value)| format!("{name}: {value}"));
        TreeTemplate {
            tree: Tree::new(self.pages, self.id),
            credential,
            markdown_link: self.markdown_link(),
            has_swagger_ui: self.pages.has_swagger_ui,
            context: self.context,
        }
    }
}

impl ListTemplate<'_> {
    /// Returns the number of the first item, or `None` if the list is unordered.
    fn first_number(&self) -> Option<u64> {
        self.items.first()?.number
    }
}

// The tree of API modules and methods, which every HTML page shows beside its content. The tree of a small API contains
// every method. The tree of a large API contains the API modules, and the methods only of the API module to which the
// page belongs, so that the size of a page does not grow with the API.

/// The tree contains every method if it has at most this number of API modules and methods.
const MAX_ENTRIES: usize = 300;

#[derive(Debug)]
struct Tree<'a> {
    pub(super) modules: Vec<TreeModule<'a>>,
    /// Links to the start page and to the lists of errors and schemas, each with `true` if the tree is on this page.
    pub(super) pages: Vec<(LinkTarget, &'static str, bool)>,
    pub(super) is_complete: bool,
}

#[derive(Debug)]
struct TreeModule<'a> {
    pub(super) page_link: LinkTarget,
    pub(super) name: &'a str,
    is_current: bool,
    /// `true` if the methods are shown without being unfolded.
    is_open: bool,
    /// The methods, each with `true` if the tree is on the page of the method.
    pub(super) methods: Vec<(MethodLine<'a>, bool)>,
}

impl<'a> Tree<'a> {
    /// Returns the tree for a page. `page` is `None` for pages that belong to no API module or method.
    pub(super) fn new(pages: &'a Pages, page: Option<PageId>) -> Self {
        let modules = pages.method_ranges.len();
        let is_complete = modules + pages.methods.len() <= MAX_ENTRIES;
        let (current, part) = match page {
            Some(PageId::Module { module, part }) => (Some(module), part),
            Some(PageId::Method(index)) => {
                let module = pages.methods[index].module_index;
                let mut parts = split_method_range(pages.method_ranges[module].clone());
                (Some(module), parts.position(|part| part.contains(&index)).unwrap_or_default())
            }
            _ => (None, 0),
        };
        let shown = |module: &usize| modules <= MAX_ENTRIES || current == Some(*module);
        let tree_module = |module: usize| {
            let all = pages.method_ranges[module].clone();
            let range = match current == Some(module) {
                _ if is_complete => all,
                true => split_method_range(all).nth(part).unwrap_or_default(),
                false => 0..0,
            };
            TreeModule {
                page_link: pages.page_link(PageId::Module { module, part: 0 }),
                name: &pages.api.modules[module].name,
                is_current: matches!(page, Some(PageId::Module { module: shown, .. }) if shown == module),
                is_open: current == Some(module) || modules == 1,
                methods: range
                    .map(|index| (method_line(pages.method_entry(index)), page == Some(PageId::Method(index))))
                    .collect(),
            }
        };
        let link = |id, name| (pages.page_link(id), name, page == Some(id));
        let mut links = vec![link(PageId::Contents { part: 0 }, "Overview"), link(PageId::Errors, "Errors")];
        links.extend((!pages.schemas.is_empty()).then(|| link(PageId::Schemas { part: 0 }, "Schemas")));
        Self { pages: links, modules: (0..modules).filter(shown).map(tree_module).collect(), is_complete }
    }
}
