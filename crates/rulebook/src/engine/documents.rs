//! Renders the documents that describe an API. This file renders the descriptions for OPTIONS, each when a client
//! requests it, because those of all services of a large API need much memory; the Rust module [`published_documents`]
//! renders all other documents.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use rulebook_model::describe::{self, IntermediateUri, ServiceUri, Uris};
use rulebook_model::model::{Api, Audience, CallableMethods, Service};
use serde::Serialize;
use serde_json::{Map, Serializer, Value as Json};

use super::published_documents;
use crate::plan::{
    Document, DocumentCache, Documents, LazyDescription, LazyDocuments, OptionsDescription, ParentPaths,
    PublishedDocuments, RenderedOnDemand,
};

/// The documents are rendered when they are first needed.
pub(super) fn create_document_cache(api: &Arc<Api>) -> DocumentCache {
    let [whole, part, routed, searched] = [(); 4].map(|()| Arc::clone(api));
    // The documents and the routing of OPTIONS use the same URIs of the API.
    let uris = Arc::new(OnceLock::new());
    let shared_uris = Arc::clone(&uris);
    let listening_url = Arc::new(OnceLock::new());
    let [whole_url, part_url] = [(); 2].map(|()| Arc::clone(&listening_url));
    let all = LazyDocuments::new(move || {
        catch_rendering_panic(|| render_all(&whole, uris.get_or_init(|| ApiUris::new(&whole)), false, &whole_url))
            .unwrap_or_else(|| empty_documents(&whole, true))
    });
    let parents = move || Arc::clone(&shared_uris.get_or_init(|| ApiUris::new(&routed)).parent_paths);
    let find_callable_methods = move |permissions: &[Box<str>]| searched.callable_methods(permissions);
    let for_callers = move |callable: &CallableMethods| {
        catch_rendering_panic(|| render_for_callers(&part, callable, &part_url))
            .unwrap_or_else(|| empty_documents(&part, false))
    };
    DocumentCache::new(all, api.options == Audience::Own, listening_url, parents, find_callable_methods, for_callers)
}

/// Returns `None` if rendering panics: the JSON Schema of a type may come from code of the program. The documents are
/// then not available, but calls of API methods still work.
pub(super) fn catch_rendering_panic<T>(render: impl FnOnce() -> T) -> Option<T> {
    let documents = catch_unwind(AssertUnwindSafe(render));
    documents.inspect_err(|_| log::error!("the documents cannot be rendered: the schema of a type panics")).ok()
}

fn render_for_callers(api: &Api, callable: &CallableMethods, listening_url: &Arc<OnceLock<String>>) -> Documents {
    let part = Arc::new(api.limited_to(callable));
    let mut documents = render_all(&part, &ApiUris::new(&part), api.options != Audience::Own, listening_url);
    // The services that the caller can see have the same order as all services of the API.
    let mut described = services_with_modules(&part).enumerate().peekable();
    let (mut indices, mut visible_methods) = (Vec::new(), Vec::new());
    for (module, service) in services_with_modules(api) {
        let is_same = |(_, (name, other)): &(usize, (&str, &Service))| *name == module && other.path == service.path;
        let described = described.next_if(is_same);
        let visible = described.map_or(&[][..], |(_, (_, service))| &service.methods);
        let is_visible = |http| visible.iter().any(|method| method.http == http);
        visible_methods.extend(service.methods.iter().map(|method| is_visible(method.http)));
        indices.push(described.map(|(index, _)| index));
    }
    documents.service_indices = Some(indices.into());
    documents.visible_methods = Some(visible_methods.into());
    documents
}

fn services_with_modules(api: &Api) -> impl Iterator<Item = (&str, &Service)> {
    api.modules.iter().flat_map(|module| module.services.iter().map(|service| (&*module.name, service)))
}

/// `requested` is `true` if `api` contains only what one caller may call, and the caller has requested this with
/// `as=me`. `listening_url` is the URL of the address on which the server listens.
fn render_all(api: &Arc<Api>, uris: &ApiUris, requested: bool, listening_url: &Arc<OnceLock<String>>) -> Documents {
    let published = published_documents::render_published(api, requested, listening_url);
    let described = Arc::clone(api);
    let whole_api = LazyDescription::new(move || {
        catch_rendering_panic(|| describe_whole_api(&described)).unwrap_or_else(empty_description)
    });
    Documents {
        visible_methods: None,
        whole_api,
        service_indices: None,
        services: uris.service_descriptions(api),
        parent_paths: Arc::clone(&uris.parent_paths),
        parents: uris.parent_descriptions(),
        published,
    }
}

fn describe_whole_api(api: &Api) -> OptionsDescription {
    let uris = describe::uris(api);
    OptionsDescription {
        json: json_document(|writer| describe::write_options_for_api(api, &uris, writer)),
        markdown: published_documents::markdown_for_api(api, &uris),
    }
}

/// If `visible` is `false`, the documents also hide all API methods.
fn empty_documents(api: &Api, visible: bool) -> Documents {
    let services = if visible { services_with_modules(api).count() } else { 0 };
    Documents {
        visible_methods: (!visible).then(Box::default),
        service_indices: None,
        services: RenderedOnDemand::without_names(services, OptionsDescription::memory_size, |_| empty_description()),
        whole_api: LazyDescription::new(empty_description),
        parent_paths: Arc::default(),
        parents: RenderedOnDemand::default(),
        published: PublishedDocuments::empty(),
    }
}

fn empty_description() -> OptionsDescription {
    options_description(&Json::Object(Map::new()), None)
}

fn options_description(options: &Json, markdown: Option<Document>) -> OptionsDescription {
    OptionsDescription { json: json_document(|writer| options.serialize(writer)), markdown }
}

/// The maximum size in bytes of a document that is indented. Larger documents are read by programs, and indentation
/// would double their size.
const MAX_INDENTED_DOCUMENT_LENGTH: usize = 512 << 10;

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

fn indent_json(text: &[u8]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec_pretty(&serde_json::from_slice::<Json>(text)?)
}

struct ApiUris {
    pub(super) parent_paths: Arc<ParentPaths>,
    services: Arc<[LinkedUri]>,
    /// The URIs of the parent paths, in the same order.
    parents: Arc<[LinkedUri]>,
}

/// A URI template, and the URIs directly below it.
struct LinkedUri {
    /// The index of the API module, and the index of the URI's service in this module; 0 for parent paths.
    service: (usize, usize),
    uri: Box<str>,
    uris_below: Box<[String]>,
}

impl ApiUris {
    pub(super) fn new(api: &Api) -> Self {
        let Uris { services, intermediate_uris, .. } = describe::uris(api);
        let mut parent_paths = ParentPaths::default();
        // The URIs of an API are all different, so that no insertion fails.
        let parents = intermediate_uris
            .into_iter()
            .filter(|uri| parent_paths.insert_parent_path(uri.path, uri.ignore_case).is_ok())
            .map(|uri| LinkedUri::new((0, 0), uri.uri, uri.uris_below))
            .collect();
        let modules = api.modules.iter().enumerate();
        let indices = modules.flat_map(|(module, all)| (0..all.services.len()).map(move |service| (module, service)));
        let services = indices.zip(services).map(|(index, uri)| LinkedUri::new(index, uri.uri, uri.uris_below));
        Self { services: services.collect(), parents, parent_paths: Arc::new(parent_paths) }
    }

    fn service_descriptions(&self, api: &Arc<Api>) -> RenderedOnDemand<OptionsDescription> {
        let (api, services) = (Arc::clone(api), Arc::clone(&self.services));
        RenderedOnDemand::without_names(services.len(), OptionsDescription::memory_size, move |index| {
            let describe = || services.get(index)?.describe_service(&api);
            catch_rendering_panic(describe).flatten().unwrap_or_else(empty_description)
        })
    }

    fn parent_descriptions(&self) -> RenderedOnDemand<OptionsDescription> {
        let parents = Arc::clone(&self.parents);
        RenderedOnDemand::without_names(parents.len(), OptionsDescription::memory_size, move |index| {
            parents.get(index).map_or_else(empty_description, LinkedUri::describe_parent)
        })
    }
}

impl LinkedUri {
    fn new(service: (usize, usize), uri: String, uris_below: Vec<String>) -> Self {
        Self { service, uri: uri.into(), uris_below: uris_below.into() }
    }

    fn describe_service(&self, api: &Api) -> Option<OptionsDescription> {
        let (module, service) = self.service;
        let module = api.modules.get(module)?;
        let service = module.services.get(service)?;
        let uri = ServiceUri { module, service, uri: self.uri.to_string(), uris_below: self.uris_below.to_vec() };
        let markdown = published_documents::markdown_for_service(api, &uri);
        Some(options_description(&describe::options_for_service(api, &uri), markdown))
    }

    fn describe_parent(&self) -> OptionsDescription {
        // The path is not part of the description.
        let (uri, uris_below) = (self.uri.to_string(), self.uris_below.to_vec());
        let uri = IntermediateUri { path: &[], ignore_case: false, uri, uris_below };
        options_description(&describe::options_for_intermediate_uri(&uri), published_documents::markdown_parent(&uri))
    }
}
