//! Renders the documents of an API: the responses to OPTIONS here, all else in [`published`].

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rulebook_model::describe::{self, Uris};
use rulebook_model::model::{Api, Audience, Service};
use serde::Serialize;
use serde_json::ser::PrettyFormatter;
use serde_json::{Map, Serializer, Value as Json};

use super::published;
use crate::plan::{Description, Document, DocumentCache, Documents, LazyDocuments, ParentPaths, PublishedDocuments};

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
    let all = description(&describe::options_all(api, &uris), published::markdown_all(api, &uris));
    let (parents, parent_uris) = parents(&uris);
    let parent = |uri: &_| description(&describe::options_intermediate(uri), published::markdown_parent(uri));
    let service = |uri| Some(description(&describe::options_service(api, uri), published::markdown_service(uri)));
    Documents {
        visible_methods: None,
        all,
        services: uris.services.iter().map(service).collect(),
        parents,
        parent_descriptions: parent_uris.into_iter().map(parent).collect(),
        published: published::render(api, requested),
    }
}

/// Documents without content. If `visible` is `false`, they hide all methods, too.
fn empty(api: &Api, visible: bool) -> Documents {
    let empty = description(&Json::Object(Map::new()), None);
    Documents {
        visible_methods: (!visible).then(Box::default),
        services: services(api).map(|_| visible.then(|| empty.clone())).collect(),
        all: empty,
        parents: ParentPaths::default(),
        parent_descriptions: Box::default(),
        published: PublishedDocuments::empty(),
    }
}

/// Returns the parent paths, and their URIs in the same order.
fn parents<'u, 'a>(uris: &'u Uris<'a>) -> (ParentPaths, Vec<&'u describe::IntermediateUri<'a>>) {
    let mut parents = ParentPaths::default();
    // All URIs are different, so that no insertion fails.
    let added = uris.intermediate.iter().filter(|uri| parents.insert(uri.path, uri.ignore_case).is_ok()).collect();
    (parents, added)
}

fn description(options: &Json, markdown: Option<Document>) -> Description {
    Description { json: json_document(|writer| options.serialize(writer)), markdown }
}

/// A document of the JSON that `write` writes.
pub(super) fn json_document(
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
