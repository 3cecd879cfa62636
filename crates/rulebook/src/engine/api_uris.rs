//! The URIs of an API, and the descriptions with which the server responds to OPTIONS at these URIs. A description is
//! rendered when a client requests it, because the descriptions of all services of a large API need much memory.

use std::sync::Arc;

use rulebook_model::describe::{self, IntermediateUri, ServiceUri, Uris};
use rulebook_model::model::Api;

use super::documents::{catch_rendering_panic, empty_description, options_description};
use super::published_documents;
use crate::plan::{OptionsDescription, ParentPaths, RenderedOnDemand};

/// The URIs of the services of an API, and the URIs above them.
pub(super) struct ApiUris {
    /// The parent paths of the services.
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
    /// Finds the URIs of an API.
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

    /// Returns the descriptions of the services of `api`, from which the URIs were found.
    pub(super) fn service_descriptions(&self, api: &Arc<Api>) -> RenderedOnDemand<OptionsDescription> {
        let (api, services) = (Arc::clone(api), Arc::clone(&self.services));
        RenderedOnDemand::without_names(services.len(), OptionsDescription::memory_size, move |index| {
            let describe = || services.get(index)?.describe_service(&api);
            catch_rendering_panic(describe).flatten().unwrap_or_else(empty_description)
        })
    }

    /// Returns the descriptions of the parent paths.
    pub(super) fn parent_descriptions(&self) -> RenderedOnDemand<OptionsDescription> {
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
