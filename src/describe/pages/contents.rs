//! The first page: what the API is, how to call it, and the way to everything else.

use super::place::To;
use super::sheet::{Block, Item, Sheet, Span, Words};
use super::words::{count, line, parts};
use super::{CONTENTS_PART, Page, Pages, prose};
use crate::model::{Api, Contact, DEFAULT_TIMEZONE, License};

pub(super) fn sheet(pages: &Pages, part: usize) -> Sheet<'_> {
    let api = &*pages.api;
    let mut blocks = Vec::new();
    if part == 0 {
        blocks.extend(api.info.iter().flat_map(|info| prose::blocks(info)));
        blocks.push(Block::Facts(about(pages)));
        blocks.push(Block::heading("call", "How to call it"));
        blocks.extend(call(pages));
        blocks.push(Block::heading("documents", "Documents"));
        blocks.push(Block::List(documents(pages)));
    }
    if pages.lists_methods() {
        blocks.extend(listed(pages));
    } else {
        blocks.push(Block::heading("modules", "Modules"));
        blocks.push(Block::List(modules(pages, part)));
        blocks.extend(parts(pages, part, pages.contents_parts(), |part| Page::Contents { part }));
    }
    let trail = if part == 0 { Vec::new() } else { vec![trail(pages)] };
    Sheet {
        path: pages.path(Page::Contents { part }),
        name: "Contents".into(),
        heading: vec![Span::said(&api.title), Span::own(" "), Span::said(&api.version)],
        trail,
        query: "",
        blocks,
    }
}

/// The way to the first page, from another.
pub(super) fn trail(pages: &Pages) -> (To, Words<'_>) {
    (pages.to(Page::Contents { part: 0 }), vec![Span::own("Contents")])
}

/// What is said of the API as a whole.
fn about(pages: &Pages) -> Vec<(&'static str, Words<'_>)> {
    let api = &*pages.api;
    let mut facts = vec![("Version", vec![Span::said(&api.version)])];
    let services = count(pages.uris.len(), "service", "services");
    let methods = count(pages.methods.len(), "method", "methods");
    let modules = count(pages.modules.len(), "module", "modules");
    facts.push(("Holds", vec![Span::own(format!("{services} with {methods}, in {modules}"))]));
    facts.extend(place(api));
    facts
}

/// Where an API is, what holds in all of it, and whose it is.
pub(super) fn place(api: &Api) -> Vec<(&'static str, Words<'_>)> {
    let mut facts = Vec::new();
    if api.base != "/" {
        facts.push(("Base", vec![Span::code(&api.base)]));
    }
    for server in &api.servers {
        facts.push(("Server", said([Some(&server.url), server.info.as_ref()], Span::said)));
    }
    if api.timezone != DEFAULT_TIMEZONE {
        let words = vec![Span::code(&api.timezone), Span::own(", for dates and times that name none")];
        facts.push(("Time zone", words));
    }
    if let Some(Contact { name, url, email }) = &api.contact {
        let words = said([name.as_ref(), url.as_ref(), email.as_ref()], linked);
        if !words.is_empty() {
            facts.push(("Contact", words));
        }
    }
    if let Some(License { name, identifier, url }) = &api.license {
        facts.push(("Licence", said([Some(name), identifier.as_ref(), url.as_ref()], linked)));
    }
    facts
}

/// Words of the definition, commas between; what is said twice is said once.
fn said<'a, const N: usize>(all: [Option<&'a String>; N], shown: fn(&'a str) -> Span<'a>) -> Words<'a> {
    let mut all: Vec<_> = all.into_iter().flatten().collect();
    all.dedup();
    let mut words = Vec::new();
    for one in all {
        if !words.is_empty() {
            words.push(Span::own(", "));
        }
        words.push(shown(one));
    }
    words
}

/// Words that lead where they say they do: the URL of a page, or an address for mail.
fn linked(words: &str) -> Span<'_> {
    let is_part =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".+-_".contains(c));
    let is_address = words.split_once('@').is_some_and(|(own, host)| is_part(own) && is_part(host));
    let to = if is_address { To::elsewhere(&format!("mailto:{words}")) } else { To::elsewhere(words) };
    let said = Span::said(words);
    to.map_or(said.clone(), |to| Span::Link(to, vec![said]))
}

/// How a client calls, and says who it is.
fn call(pages: &Pages) -> [Block<'_>; 2] {
    let is_open = pages.entries(0..pages.methods.len()).all(|(_, entry)| entry.method.scope.is_public());
    let identity = if is_open {
        vec![Span::own("Every method is open to everybody: no key is needed.")]
    } else {
        vec![
            Span::own("A method that asks for permissions takes a key or a token, in the header field "),
            Span::code("Authorization: Bearer …"),
            Span::own(
                " (RFC 6750). Its page says which permissions it asks for. Without a key it answers 401, with one \
                 that lacks them 403.",
            ),
        ]
    };
    let definition = vec![
        Span::own("Each URI answers "),
        Span::code("OPTIONS"),
        Span::own(" with its definition, in JSON, or as a text with "),
        Span::code("Accept: text/markdown"),
        Span::own(". Every page here is there as markdown too, at the same path with "),
        Span::code(".md"),
        Span::own(" behind it."),
    ];
    [Block::Paragraph(identity), Block::Paragraph(definition)]
}

/// The other documents.
pub(super) fn documents(pages: &Pages) -> Vec<Item<'_>> {
    let item = |to: To, name: &'static str, info: &'static str| {
        Item::new(vec![Span::Link(to, vec![Span::own(name)]), Span::own(": "), Span::own(info)])
    };
    vec![
        item(pages.to(Page::Errors), "Errors", "what requests are refused for, by code and number"),
        item(pages.to(Page::Diagnostics), "Diagnostics", "what can be wrong with a definition"),
        item(To::Server("docs/swagger/"), "Swagger UI", "every method in a form"),
        item(To::Document("openapi.json"), "OpenAPI", "the API for programs, in OpenAPI 3.1"),
        item(To::Document("llms.txt"), "llms.txt", "these pages for programs that read text"),
    ]
}

/// Every module with its methods.
fn listed(pages: &Pages) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for (module, range) in pages.modules.iter().enumerate() {
        let own = &pages.api.modules[module];
        let link = Span::Link(pages.to(Page::Module { module, part: 0 }), vec![Span::said(&own.name)]);
        blocks.push(Block::Heading { level: 2, id: "", words: vec![link] });
        blocks.extend(own.info.as_ref().map(|info| Block::Paragraph(vec![Span::said(info)])));
        blocks.push(Block::Methods(pages.entries(range.clone()).map(|(i, entry)| line(pages, i, entry)).collect()));
    }
    blocks
}

/// A part of the modules, each with what it has.
fn modules(pages: &Pages, part: usize) -> Vec<Item<'_>> {
    let first = part * CONTENTS_PART;
    let last = (first + CONTENTS_PART).min(pages.modules.len());
    (first..last).map(|module| module_item(pages, module)).collect()
}

/// A module in one line.
pub(super) fn module_item(pages: &Pages, module: usize) -> Item<'_> {
    let own = &pages.api.modules[module];
    let link = Span::Link(pages.to(Page::Module { module, part: 0 }), vec![Span::said(&own.name)]);
    let mut words = vec![link, Span::own(format!(", {}", count(pages.modules[module].len(), "method", "methods")))];
    if let Some(info) = &own.info {
        words.extend([Span::own(": "), Span::said(super::words::summary(info))]);
    }
    Item::new(words)
}
