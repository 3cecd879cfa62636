//! The tree of API modules and methods, which every HTML page shows beside its content.
//!
//! The tree of a small API contains every method. The tree of a large API contains the API modules, and the methods
//! only of the API module to which the page belongs, so that the size of a page does not grow with the API.

use super::document::MethodLine;
use super::links::LinkTarget;
use super::phrases::method_line;
use super::{PageId, Pages};
use crate::describe::module_part::split_method_range;

/// The tree contains every method if it has at most this number of API modules and methods.
const MAX_ENTRIES: usize = 300;

/// The tree of API modules and methods.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) modules: Vec<TreeModule<'a>>,
    /// Links to the start page and to the lists of errors and schemas, each with `true` if the tree is on this page.
    pub(super) pages: Vec<(LinkTarget, &'static str, bool)>,
    /// `true` if the tree contains every method.
    pub(super) is_complete: bool,
}

#[derive(Debug)]
pub(super) struct TreeModule<'a> {
    pub(super) page_link: LinkTarget,
    pub(super) name: &'a str,
    /// `true` if the tree is on the page of the API module.
    pub(super) is_current: bool,
    /// `true` if the methods are shown without being unfolded.
    pub(super) is_open: bool,
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
