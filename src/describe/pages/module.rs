//! The page of a module: what it is about, and its methods.

use super::super::part::ranges;
use super::contents::trail;
use super::sheet::{Block, Sheet, Span};
use super::words::{count, line, parts};
use super::{Page, Pages};

pub(super) fn sheet(pages: &Pages, module: usize, part: usize) -> Sheet<'_> {
    let own = &pages.api.modules[module];
    let range = pages.modules[module].clone();
    let mut blocks: Vec<_> = own.info.iter().map(|info| Block::Lead(vec![Span::said(info)])).collect();
    let envelope = pages.api.envelope_of(own);
    let services = count(own.services.len(), "service", "services");
    let mut facts = vec![
        ("Holds", vec![Span::own(format!("{services} with {}", count(range.len(), "method", "methods")))]),
        ("Answers", vec![Span::own("in the envelope "), Span::code(envelope.as_str().to_owned())]),
    ];
    if own.ignore_case {
        facts.push(("URIs", vec![Span::own("compare without regard to case")]));
    }
    blocks.push(Block::Facts(facts));
    blocks.push(Block::heading("methods", "Methods"));
    let entries = pages.entries(ranges(range).nth(part).unwrap_or_default());
    blocks.push(Block::Methods(entries.map(|(index, entry)| line(pages, index, entry)).collect()));
    blocks.extend(parts(pages, part, pages.module_parts(module), |part| Page::Module { module, part }));
    let mut trail = vec![trail(pages)];
    if part > 0 {
        trail.push((pages.to(Page::Module { module, part: 0 }), vec![Span::said(&own.name)]));
    }
    Sheet {
        path: pages.path(Page::Module { module, part }),
        name: own.name.as_str().into(),
        heading: vec![Span::said(&own.name)],
        trail,
        query: "",
        blocks,
    }
}
