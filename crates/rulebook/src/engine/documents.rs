//! Renders the documents that describe an API. This file renders the descriptions for OPTIONS; the Rust module
//! [`published_documents`] renders all other documents.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rulebook_model::describe::{self, Uris};
use rulebook_model::model::{Api, Audience, Service};
use serde::Serialize;
use serde_json::{Map, Serializer, Value as Json};

use super::published_documents;
use crate::plan::{
    Document, DocumentCache, Documents, LazyDocuments, OptionsDescription, ParentPaths, PublishedDocuments,
};

/// Creates the document cache of an API. The documents are rendered when they are first needed.
pub(super) fn create_document_cache(api: &Arc<Api>) -> DocumentCache {
    let (whole, part, routed) = (Arc::clone(api), Arc::clone(api), Arc::clone(api));
    let all = LazyDocuments::new(move || {
        catch_rendering_panic(|| render_all(&whole, false)).unwrap_or_else(|| empty_documents(&whole, true))
    });
    let parents = move || parent_paths(&describe::uris(&routed)).0;
    DocumentCache::new(all, api.options == Audience::Own, parents, move |permissions| {
        catch_rendering_panic(|| render_for_permissions(&part, permissions))
            .unwrap_or_else(|| empty_documents(&part, false))
    })
}

/// Renders documents, and returns `None` if rendering panics. Rendering may panic because the JSON Schema of a type may
/// come from code of the program. The documents are then not available, but calls of API methods still work.
fn catch_rendering_panic(render: impl FnOnce() -> Documents) -> Option<Documents> {
    let documents = catch_unwind(AssertUnwindSafe(render));
    documents.inspect_err(|_| log::error!("the documents cannot be rendered: the schema of a type panics")).ok()
}

/// Renders the documents for callers with these permissions. These documents omit the API methods that such callers may
/// not call.
fn render_for_permissions(api: &Api, permissions: &[Box<str>]) -> Documents {
    let part = Arc::new(api.for_permissions(permissions));
    let mut documents = render_all(&part, api.options != Audience::Own);
    // The services that the caller can see have the same order as all services of the API.
    let mut described = services_with_modules(&part).zip(documents.services).peekable();
    let (mut descriptions, mut visible_methods) = (Vec::new(), Vec::new());
    for (module, service) in services_with_modules(api) {
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

/// Returns all services of an API, each with the name of its API module.
fn services_with_modules(api: &Api) -> impl Iterator<Item = (&str, &Service)> {
    api.modules.iter().flat_map(|module| module.services.iter().map(|service| (&*module.name, service)))
}

/// Renders all documents of an API. `requested` is `true` if `api` contains only what one caller may call, and the
/// caller has requested this with `as=me`.
fn render_all(api: &Arc<Api>, requested: bool) -> Documents {
    let uris = describe::uris(api);
    let all =
        options_description(&describe::options_for_api(api, &uris), published_documents::markdown_for_api(api, &uris));
    let (parents, parent_uris) = parent_paths(&uris);
    let parent = |uri: &_| {
        options_description(&describe::options_for_intermediate_uri(uri), published_documents::markdown_parent(uri))
    };
    let service = |uri| {
        Some(options_description(
            &describe::options_for_service(api, uri),
            published_documents::markdown_for_service(uri),
        ))
    };
    Documents {
        visible_methods: None,
        whole_api: all,
        services: uris.services.iter().map(service).collect(),
        parent_paths: parents,
        parent_descriptions: parent_uris.into_iter().map(parent).collect(),
        published: published_documents::render_published(api, requested),
    }
}

/// Returns documents without content. If `visible` is `false`, the documents also hide all API methods.
fn empty_documents(api: &Api, visible: bool) -> Documents {
    let empty = options_description(&Json::Object(Map::new()), None);
    Documents {
        visible_methods: (!visible).then(Box::default),
        services: services_with_modules(api).map(|_| visible.then(|| empty.clone())).collect(),
        whole_api: empty,
        parent_paths: ParentPaths::default(),
        parent_descriptions: Box::default(),
        published: PublishedDocuments::empty(),
    }
}

/// Returns the parent paths of an API (paths that are not paths of services, but have services below them), and their
/// URIs in the same order.
fn parent_paths<'u, 'a>(uris: &'u Uris<'a>) -> (ParentPaths, Vec<&'u describe::IntermediateUri<'a>>) {
    let mut parents = ParentPaths::default();
    // The URIs of an API are all different, so that no insertion fails.
    let added = uris
        .intermediate_uris
        .iter()
        .filter(|uri| parents.insert_parent_path(uri.path, uri.ignore_case).is_ok())
        .collect();
    (parents, added)
}

fn options_description(options: &Json, markdown: Option<Document>) -> OptionsDescription {
    OptionsDescription { json: json_document(|writer| options.serialize(writer)), markdown }
}

/// The maximum size in bytes of a document that is indented. Larger documents are read by programs, and indentation
/// would double their size.
const MAX_INDENTED_DOCUMENT_LENGTH: usize = 512 << 10;

/// Creates a document with the JSON text that `write` produces.
pub(super) fn json_document(write: impl FnOnce(&mut Serializer<&mut Vec<u8>>) -> serde_json::Result<()>) -> Document {
    let mut text = Vec::new();
    // Serializing a document never fails, and neither does writing to a Vec.
    let _ = write(&mut Serializer::new(&mut text));
    if text.len() <= MAX_INDENTED_DOCUMENT_LENGTH {
        text = indent_json(&text).unwrap_or(text);
    }
    text.push(b'\n');
    // The document stays in memory for a long time, so that unused capacity would waste memory.
    text.shrink_to_fit();
    Document::new("application/json", text)
}

/// Returns a JSON text with line breaks and indentation.
fn indent_json(text: &[u8]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec_pretty(&serde_json::from_slice::<Json>(text)?)
}
