//! The documents of an API, made ready to be sent.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value as Json};

use crate::describe::{self, Part, Uris};
use crate::model::{Api, Audience, Service};
use crate::plan::{Above, Description, Document, Documents, Finder, Later, OnDemand, Page, Shelf};

/// Everything that describes an API, made when it is asked for.
pub(super) fn shelf(api: &Arc<Api>) -> Shelf {
    let (whole, part) = (Arc::clone(api), Arc::clone(api));
    let all = Later::new(move || made(|| all(&whole, false)).unwrap_or_else(|| none(&whole, true)));
    let own = move |held: &[Box<str>]| made(|| own(&part, held)).unwrap_or_else(|| none(&part, false));
    let routed = Arc::clone(api);
    Shelf::new(all, api.options == Audience::Own, move || above(&describe::uris(&routed)).0, own)
}

/// The schemas are partly the program's own code: where that panics there are no documents, and calls still work.
fn made(make: impl FnOnce() -> Documents) -> Option<Documents> {
    let made = catch_unwind(AssertUnwindSafe(make));
    made.inspect_err(|_| log::error!("the documents cannot be made: the schema of a type panics")).ok()
}

/// Those of what somebody may call who holds these permissions.
fn own(api: &Api, held: &[Box<str>]) -> Documents {
    let part = Arc::new(api.for_holder(held));
    // Where the definition has it so for all, nobody needs to ask.
    let mut documents = all(&part, api.options != Audience::Own);
    // In the order of the whole, which is that of the part.
    let mut described = services(&part).zip(documents.services).peekable();
    let (mut services, mut told) = (Vec::new(), Vec::new());
    for (module, service) in self::services(api) {
        let is_it = |((own, other), _): &((&str, &Service), _)| *own == module && other.path == service.path;
        let found = described.next_if(is_it);
        let tells = |http| found.as_ref().is_some_and(|((_, own), _)| own.methods.iter().any(|own| own.http == http));
        told.extend(service.methods.iter().map(|method| tells(method.http)));
        services.push(found.and_then(|(_, description)| description));
    }
    documents.services = services.into();
    documents.told = Some(told.into());
    documents
}

/// The services with the names of their modules, in order.
fn services(api: &Api) -> impl Iterator<Item = (&str, &Service)> {
    api.modules.iter().flat_map(|module| module.services.iter().map(|service| (&*module.name, service)))
}

/// Those of an API. `asked`: it is what an asker may call who asked for that.
fn all(api: &Arc<Api>, asked: bool) -> Documents {
    let uris = describe::uris(api);
    let all = description(&describe::options_all(api, &uris), describe::markdown_all(api, &uris));
    let (above, paths) = above(&uris);
    let of_above = |uri: &_| description(&describe::options_above(uri), describe::markdown_above(uri));
    let service = |uri| Some(description(&describe::options_service(api, uri), describe::markdown_service(uri)));
    let people = describe::Pages::new(Arc::clone(api), asked);
    let llms = Document::new("text/plain; charset=utf-8", people.llms());
    let (pages, finder) = pages(people);
    let (modules, parts) = modules(api);
    Documents {
        told: None,
        openapi: openapi(api, None),
        modules,
        parts,
        llms,
        all,
        services: uris.services.iter().map(service).collect(),
        above,
        described_above: paths.into_iter().map(of_above).collect(),
        pages,
        finder: Some(finder),
    }
}

fn openapi(api: &Api, part: Option<&Part>) -> Document {
    written(|writer| describe::write_openapi(api, part, writer))
}

/// The OpenAPI documents of each module, and of the parts of each.
fn modules(api: &Arc<Api>) -> (OnDemand<Document>, OnDemand<Document>) {
    let modules = || api.modules.iter().enumerate().map(|(index, module)| (&module.name, Part::whole(api, index)));
    let parts = modules().flat_map(|(name, part)| {
        let numbered = (1..).zip(part.split());
        numbered.map(|(number, part)| (Documents::part_name(name, &u32::to_string(&number)), part))
    });
    (openapi_of(api, modules().map(|(name, part)| (name.clone(), part))), openapi_of(api, parts))
}

/// The OpenAPI documents of parts, by names.
fn openapi_of(api: &Arc<Api>, parts: impl Iterator<Item = (String, Part)>) -> OnDemand<Document> {
    let (names, parts): (Vec<_>, Vec<_>) = parts.unzip();
    let api = Arc::clone(api);
    OnDemand::new(names, Document::size, move |index| openapi(&api, parts.get(index)))
}

/// The pages for people, and those that are made of words and paths that clients send.
fn pages(pages: describe::Pages) -> (OnDemand<Page>, Finder) {
    let html = |text: String| Document::new("text/html; charset=utf-8", text);
    let page = move |(text, other): (String, String)| Page { html: html(text), markdown: markdown(other) };
    let paths = pages.paths();
    let pages = Arc::new(pages);
    let (found, missing) = (Arc::clone(&pages), Arc::clone(&pages));
    let made = OnDemand::new(paths, Page::size, move |index| page((pages.html(index), pages.markdown(index))));
    let finder = Finder {
        search: Box::new(move |words| page(found.search(words))),
        missing: Box::new(move |path| page(missing.missing(path))),
    };
    (made, finder)
}

/// Documents that say nothing but, where they tell that, which methods there are.
fn none(api: &Api, tells: bool) -> Documents {
    let empty = description(&Json::Object(Map::new()), String::new());
    Documents {
        told: (!tells).then(Box::default),
        openapi: empty.json.clone(),
        modules: OnDemand::default(),
        parts: OnDemand::default(),
        llms: empty.markdown.clone(),
        services: services(api).map(|_| tells.then(|| empty.clone())).collect(),
        all: empty,
        above: Above::default(),
        described_above: Box::default(),
        pages: OnDemand::default(),
        finder: None,
    }
}

/// The ways to the URIs above services, and these URIs.
fn above<'u, 'a>(uris: &'u Uris<'a>) -> (Above, Vec<&'u describe::Above<'a>>) {
    let mut above = Above::default();
    // No URI is there twice.
    let added = uris.above.iter().filter(|uri| above.insert(uri.path, uri.ignore_case).is_ok()).collect();
    (above, added)
}

fn description(options: &Json, markdown: String) -> Description {
    Description { json: json(options), markdown: self::markdown(markdown) }
}

fn markdown(text: String) -> Document {
    Document::new("text/markdown; charset=utf-8", text)
}

fn json(value: &Json) -> Document {
    written(|writer| value.serialize(writer))
}

/// A document of the JSON that is written.
fn written(
    write: impl FnOnce(&mut Serializer<&mut Vec<u8>, PrettyFormatter<'_>>) -> serde_json::Result<()>,
) -> Document {
    let mut text = Vec::new();
    // What is written here always serialises, and a Vec takes it.
    let _ = write(&mut Serializer::pretty(&mut text));
    text.push(b'\n');
    // What was reserved beyond would be kept as long as the document is.
    text.shrink_to_fit();
    Document::new("application/json", text)
}
