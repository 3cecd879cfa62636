//! The page of an API module, with the description and the methods of the API module. The methods of a large API module
//! are split into several pages, which are called parts.

use super::super::module_part::split_method_range;
use super::document::{Block, Inline, PageDocument};
use super::parse_markdown::parse_blocks;
use super::phrases::{count_with_noun, links_to_parts, method_line};
use super::{PageId, Pages};

pub(super) fn module_page(pages: &Pages, index: usize, part: usize) -> PageDocument<'_> {
    let module = &pages.api.modules[index];
    let range = pages.method_ranges[index].clone();
    let mut blocks: Vec<_> = module.info.iter().flat_map(|info| parse_blocks(info)).collect();
    let services = count_with_noun(module.services.len(), "service", "services");
    let methods = count_with_noun(range.len(), "method", "methods");
    let mut facts = vec![("Size", vec![Inline::text(format!("{services}, {methods}"))])];
    if module.ignore_case {
        facts.push(("Paths", vec![Inline::text("not case-sensitive")]));
    }
    blocks.push(Block::Facts(facts));
    blocks.push(Block::heading("methods", "Methods"));
    let entries = pages.method_entries(split_method_range(range).nth(part).unwrap_or_default());
    blocks.push(Block::Methods(entries.map(|(_, entry)| method_line(entry)).collect()));
    let part_id = |part| PageId::Module { module: index, part };
    blocks.extend(links_to_parts(pages, part, pages.count_module_parts(index), part_id));
    let mut page = PageDocument::new(pages, pages.page_path(part_id(part)), "", blocks);
    page.title = module.name.as_str().into();
    page.heading = vec![Inline::quoted(&module.name)];
    if part > 0 {
        page.breadcrumbs.push((pages.page_link(part_id(0)), vec![Inline::quoted(&module.name)]));
    }
    page
}
