//! Renders the documents of an API.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rulebook_model::describe::{self, ModulePart, Uris};
use rulebook_model::model::{Api, Audience, Service};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value as Json};

use crate::plan::{
    Description, Document, DocumentCache, Documents, LazyDocuments, PageFinder, ParentPaths, RenderedOnDemand,
    RenderedPage,
};

/// The documents of an API, which are rendered when they are first needed.
pub(super) fn cache(api: &Arc<Api>) -> DocumentCache {
    let (whole, part, routed) = (Arc::clone(api), Arc::clone(api), Arc::clone(api));
    let all = LazyDocuments::new(move || catch_panic(|| all(&whole, false)).unwrap_or_else(|| empty(&whole, true)));
    let parents = move || parents(&describe::uris(&routed)).0;
    DocumentCache::new(all, api.options == Audience::Own, parents, move |permissions| {
        catch_panic(|| for_permissions(&part, permissions)).unwrap_or_else(|| empty(&part, false))
    })
}

/// Renders documents. The schema of a type may be code of the program. If it panics, documents are not available, but
/// calls still work.
fn catch_panic(render: impl FnOnce() -> Documents) -> Option<Documents> {
    let documents = catch_unwind(AssertUnwindSafe(render));
    documents.inspect_err(|_| log::error!("the documents cannot be rendered: the schema of a type panics")).ok()
}

/// Renders the documents for a caller with these permissions. They omit the methods that the caller may not call.
fn for_permissions(api: &Api, permissions: &[Box<str>]) -> Documents {
    let part = Arc::new(api.for_permissions(permissions));
    let mut documents = all(&part, api.options != Audience::Own);
    // The services of the part have the same order as those of the whole API.
    let mut described = services(&part).zip(documents.services).peekable();
    let (mut descriptions, mut visible_methods) = (Vec::new(), Vec::new());
    for (module, service) in services(api) {
        let is_same = |((name, other), _): &((&str, &Service), _)| *name == module && other.path == service.path;
        let description = described.next_if(is_same);
        let visible = description.as_ref().map_or(&[][..], |((_, service), _)| &service.methods);
        let is_visible = |http| visible.iter().any(|method| method.http == http);
        visible_methods.extend(service.methods.iter().map(|method| is_visible(method.http)));
        descriptions.push(description.and_then(|(_, description)| description));
    }
    documents.services = descriptions.into();
    documents.visible_methods = Some(visible_methods.into());
    documents
}

/// Returns all services, each with the name of its module.
fn services(api: &Api) -> impl Iterator<Item = (&str, &Service)> {
    api.modules.iter().flat_map(|module| module.services.iter().map(|service| (&*module.name, service)))
}

/// Renders the documents of an API. `requested` is `true` if the API is the part for a caller who requested it with
/// `as=me`.
fn all(api: &Arc<Api>, requested: bool) -> Documents {
    let uris = describe::uris(api);
    let all = description(&describe::options_all(api, &uris), describe::markdown_all(api, &uris));
    let (parents, parent_uris) = parents(&uris);
    let parent = |uri: &_| description(&describe::options_intermediate(uri), describe::markdown_intermediate(uri));
    let service = |uri| Some(description(&describe::options_service(api, uri), describe::markdown_service(uri)));
    let pages = describe::Pages::new(Arc::clone(api), requested);
    let llms = Document::new("text/plain; charset=utf-8", pages.llms());
    let (pages, page_finder) = self::pages(pages);
    let (modules, parts) = modules(api);
    Documents {
        visible_methods: None,
        openapi: openapi(api, None),
        modules,
        parts,
        llms,
        all,
        services: uris.services.iter().map(service).collect(),
        parents,
        parent_descriptions: parent_uris.into_iter().map(parent).collect(),
        pages,
        page_finder: Some(page_finder),
    }
}

fn openapi(api: &Api, part: Option<&ModulePart>) -> Document {
    json_document(|writer| describe::write_openapi(api, part, writer))
}

/// Returns the OpenAPI documents of the modules, and those of their parts.
fn modules(api: &Arc<Api>) -> (RenderedOnDemand<Document>, RenderedOnDemand<Document>) {
    let modules =
        || api.modules.iter().enumerate().map(|(index, module)| (&module.name, ModulePart::whole(api, index)));
    let parts = modules().flat_map(|(name, part)| {
        let numbered = (1..).zip(part.split());
        numbered.map(|(number, part)| (Documents::part_name(name, &u32::to_string(&number)), part))
    });
    (openapi_of(api, modules().map(|(name, part)| (name.clone(), part))), openapi_of(api, parts))
}

/// The OpenAPI documents of parts, by their names.
fn openapi_of(api: &Arc<Api>, parts: impl Iterator<Item = (String, ModulePart)>) -> RenderedOnDemand<Document> {
    let (names, parts): (Vec<_>, Vec<_>) = parts.unzip();
    let api = Arc::clone(api);
    RenderedOnDemand::new(names, Document::size, move |index| openapi(&api, parts.get(index)))
}

/// Returns the documentation pages, and the renderer of the pages whose content depends on the request.
fn pages(pages: describe::Pages) -> (RenderedOnDemand<RenderedPage>, PageFinder) {
    let html = |text: String| Document::new("text/html; charset=utf-8", text);
    let page = move |(text, other): (String, String)| RenderedPage { html: html(text), markdown: markdown(other) };
    let paths = pages.paths();
    let pages = Arc::new(pages);
    let (search, missing) = (Arc::clone(&pages), Arc::clone(&pages));
    let rendered =
        RenderedOnDemand::new(paths, RenderedPage::size, move |index| page((pages.html(index), pages.markdown(index))));
    let finder = PageFinder {
        search: Box::new(move |words| page(search.search(words))),
        missing: Box::new(move |path| page(missing.missing(path))),
    };
    (rendered, finder)
}

/// Returns documents without content. If `visible` is `false`, they also hide all methods.
fn empty(api: &Api, visible: bool) -> Documents {
    let empty = description(&Json::Object(Map::new()), String::new());
    Documents {
        visible_methods: (!visible).then(Box::default),
        openapi: empty.json.clone(),
        modules: RenderedOnDemand::default(),
        parts: RenderedOnDemand::default(),
        llms: empty.markdown.clone(),
        services: services(api).map(|_| visible.then(|| empty.clone())).collect(),
        all: empty,
        parents: ParentPaths::default(),
        parent_descriptions: Box::default(),
        pages: RenderedOnDemand::default(),
        page_finder: None,
    }
}

/// Returns the parent paths, and their URIs in the same order.
fn parents<'u, 'a>(uris: &'u Uris<'a>) -> (ParentPaths, Vec<&'u describe::IntermediateUri<'a>>) {
    let mut parents = ParentPaths::default();
    // All URIs are different, so that no insertion fails.
    let added = uris.intermediate.iter().filter(|uri| parents.insert(uri.path, uri.ignore_case).is_ok()).collect();
    (parents, added)
}

fn description(options: &Json, markdown: String) -> Description {
    Description { json: json(options), markdown: self::markdown(markdown) }
}

fn markdown(text: String) -> Document {
    Document::new("text/markdown; charset=utf-8", text)
}

fn json(value: &Json) -> Document {
    json_document(|writer| value.serialize(writer))
}

/// Creates a document from the JSON that `write` writes.
fn json_document(
    write: impl FnOnce(&mut Serializer<&mut Vec<u8>, PrettyFormatter<'_>>) -> serde_json::Result<()>,
) -> Document {
    let mut text = Vec::new();
    // Documents always serialize, and a Vec accepts all bytes.
    let _ = write(&mut Serializer::pretty(&mut text));
    text.push(b'\n');
    // The document is kept for a long time, so that unused capacity would be wasted.
    text.shrink_to_fit();
    Document::new("application/json", text)
}
