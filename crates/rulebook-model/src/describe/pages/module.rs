//! The page of a module: its description and its methods.

use super::super::module_part::ranges;
use super::contents::contents_link;
use super::document::{Block, Inline, PageDocument};
use super::phrases::{count, method_line, part_links};
use super::{PageId, Pages};

pub(super) fn document(pages: &Pages, index: usize, part: usize) -> PageDocument<'_> {
    let module = &pages.api.modules[index];
    let range = pages.modules[index].clone();
    let mut blocks: Vec<_> = module.info.iter().map(|info| Block::Lead(vec![Inline::quoted(info)])).collect();
    let envelope = pages.api.envelope_name(module);
    let services = count(module.services.len(), "service", "services");
    let methods = count(range.len(), "method", "methods");
    let mut facts = vec![
        ("Size", vec![Inline::text(format!("{services}, {methods}"))]),
        ("Response format", vec![Inline::code(envelope.as_str().to_owned())]),
    ];
    if module.ignore_case {
        facts.push(("Paths", vec![Inline::text("not case-sensitive")]));
    }
    blocks.push(Block::Facts(facts));
    blocks.push(Block::heading("methods", "Methods"));
    let entries = pages.entries(ranges(range).nth(part).unwrap_or_default());
    blocks.push(Block::Methods(entries.map(|(index, entry)| method_line(pages, index, entry)).collect()));
    let part_id = |part| PageId::Module { module: index, part };
    blocks.extend(part_links(pages, part, pages.module_parts(index), part_id));
    let mut breadcrumbs = vec![contents_link(pages)];
    if part > 0 {
        breadcrumbs.push((pages.link(part_id(0)), vec![Inline::quoted(&module.name)]));
    }
    PageDocument {
        path: pages.path(part_id(part)),
        title: module.name.as_str().into(),
        heading: vec![Inline::quoted(&module.name)],
        breadcrumbs,
        query: "",
        blocks,
    }
}
