//! Finds the service that a URL names in its query, such as `/?service=User.Login`, for searches in an API with the
//! setting `service`.

use std::fmt::Write;

use url::form_urlencoded;

use super::search_url::{CalledService, RequestUrl};
use crate::model::{Api, Service};
use crate::routing::{
    Routes, ServiceNaming, ServicesByClass, encode_segment, fields_naming_another_service, split_service_name,
};

/// The services of an API with the setting `service`, by name and by path.
#[derive(Debug)]
pub(super) struct ServiceNames {
    by_class: ServicesByClass,
    routes: Routes,
    /// For each service, the query fields that can name another service. Empty if the service has no name.
    name_fields: Vec<Vec<&'static str>>,
    /// The segments of the base path.
    base_path: Vec<String>,
    /// The segments of the path of PhalApi's script, below the base path. Empty if there is no such path.
    script_path: Vec<String>,
    /// The service that a request without a service name calls.
    default_service: Option<usize>,
}

impl ServiceNames {
    /// Returns the names of the services of an API. Returns `None` if requests cannot name a service in the query.
    pub(super) fn new(api: &Api) -> Option<Self> {
        if !api.service.on {
            return None;
        }
        let services = api.modules.iter().flat_map(|module| module.services.iter().map(move |it| (module, it)));
        let services: Vec<_> = services.collect();
        let (mut by_class, mut routes) = (ServicesByClass::default(), Routes::default());
        for (index, (module, service)) in services.iter().enumerate() {
            // The definition has no errors, so that the paths and names are unique.
            let _ = by_class.insert(&service.path, index);
            let _ = routes.insert(&service.path, index, module.ignore_case);
        }
        let mut name_fields = vec![Vec::new(); services.len()];
        for index in by_class.services() {
            let (_, service): (_, &Service) = services[index];
            name_fields[index] = fields_naming_another_service(service);
        }
        let segments = |path: &str| path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        Some(Self {
            default_service: api.service.default.as_ref().and_then(|name| by_class.find(&name.value)),
            by_class,
            routes,
            name_fields,
            base_path: segments(&api.base),
            script_path: segments(&api.service.entry),
        })
    }

    /// Returns the URL with the service that a request for the URL calls, if the query of the URL names this service or
    /// it is the default service. Removes the path of PhalApi's script from the path of the URL.
    pub(super) fn resolve<'q>(&self, mut url: RequestUrl<'q>) -> RequestUrl<'q> {
        if !starts_with(&url.segments, &self.base_path) {
            return url;
        }
        let below = self.base_path.len();
        if starts_with(&url.segments[below..], &self.script_path) {
            url.segments.drain(below..below + self.script_path.len());
        }
        let is_base_path = url.segments.len() == below;
        let [long_field, short_field] = ServiceNaming::Service.fields();
        let base_fields = [long_field, short_field];
        let fields = if is_base_path {
            &base_fields[..]
        } else {
            self.service_at_path(&url.segments[below..]).map_or(&[][..], |service| &self.name_fields[service])
        };
        let Some((field, name)) = fields.iter().find_map(|field| Some((*field, last_value(url.query, field)?))) else {
            if let Some(service) = self.default_service.filter(|_| is_base_path) {
                url.called = CalledService::Named(service);
            }
            return url;
        };
        match self.by_class.find(&name) {
            Some(service) => url.called = CalledService::Named(service),
            // At the path of a service, a field `s` without the name of a service has another meaning.
            None if !is_base_path && field == short_field => {}
            None => {
                url.called = CalledService::Unknown;
                // This would be the path of the service. The search can correct the spelling of its segments.
                url.segments.truncate(below);
                let (class, method) = split_service_name(&name).unwrap_or_default();
                url.segments.extend([class, method].map(|part| part.to_owned().into()));
            }
        }
        url
    }

    /// Returns the index of the service at a path. `segments` are the decoded segments of the path below the base path.
    fn service_at_path(&self, segments: &[impl AsRef<str>]) -> Option<usize> {
        let path = segments.iter().fold(String::new(), |mut path, segment| {
            // Writing to a `String` never fails.
            let _ = write!(path, "/{}", encode_segment(segment.as_ref()));
            path
        });
        self.routes.find(&path, segments.len())
    }
}

fn starts_with(segments: &[impl AsRef<str>], prefix: &[String]) -> bool {
    segments.len() >= prefix.len() && segments.iter().zip(prefix).all(|(segment, prefix)| segment.as_ref() == *prefix)
}

/// Returns the last value of a query field, which is the value that PhalApi uses.
fn last_value(query: &str, field: &str) -> Option<String> {
    let fields = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == field);
    fields.last().map(|(_, value)| value.into_owned())
}
