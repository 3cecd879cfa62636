//! Finds the service that a request for a URL calls, for searches such as `/article/3/picture`. In an API with the
//! setting `service`, the query of a URL can name a service, such as `/?service=User.Login`.

use std::borrow::Cow;

use url::form_urlencoded;

use crate::call::HttpMethod;
use crate::model::Api;
use crate::routing::{
    NAMESPACE, Routes, ServiceNaming, ServicesByClass, encode_segment, fields_naming_another_service,
};
use crate::uri::percent_decode;

/// The maximum number of segments of a URL in a query. Longer URLs call no service.
const MAX_SEGMENTS: usize = 64;

/// A URL that a reader searches for, and the HTTP method before it, if there is one.
#[derive(Debug)]
pub(super) struct RequestUrl<'q> {
    pub(super) http: Option<HttpMethod>,
    /// The decoded segments of the path.
    segments: Vec<Cow<'q, str>>,
    /// The index of the service that a request for the URL calls, and the number of segments after its path.
    pub(super) called: Option<(usize, usize)>,
}

impl RequestUrl<'_> {
    pub(super) fn to_text(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }
}

/// The services of an API, by path and by name.
#[derive(Debug)]
pub(super) struct ServiceUrls {
    /// The paths of all services. A search ignores their case.
    routes: Routes,
    /// The number of segments in the path of each service.
    path_lengths: Vec<usize>,
    base_path: Vec<String>,
    names: Option<ServiceNames>,
}

/// The names by which URLs can select services.
#[derive(Debug)]
struct ServiceNames {
    by_class: ServicesByClass,
    /// For each service, the query fields that can name another service. Empty if the service has no name.
    name_fields: Vec<Vec<&'static str>>,
    /// The segments of the path of PhalApi's script, below the base path. Empty if there is no such path.
    script_path: Vec<String>,
    /// The service that a request without a service name calls.
    default_service: Option<usize>,
}

impl ServiceUrls {
    pub(super) fn new(api: &Api) -> Self {
        let services: Vec<_> = api.services().collect();
        let (mut by_class, mut routes) = (ServicesByClass::new(api.catalogue.version()), Routes::default());
        for (index, service) in services.iter().enumerate() {
            // The first of several services whose paths differ only in case is found.
            let _ = routes.insert(&service.path, index, true);
            let _ = by_class.insert(&service.path, index);
        }
        let mut name_fields = vec![Vec::new(); services.len()];
        for index in by_class.services() {
            name_fields[index] = fields_naming_another_service(services[index]);
        }
        let path_lengths = services.iter().map(|service| service.path.len()).collect();
        let segments = |path: &str| path.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect();
        let names = api.service.on.then(|| ServiceNames {
            default_service: api.service.default.as_ref().and_then(|name| by_class.find(&name.value).ok()),
            by_class,
            name_fields,
            script_path: segments(&api.service.entry),
        });
        Self { routes, path_lengths, base_path: segments(&api.base), names }
    }

    /// Returns the URL that a text consists of, such as `/article/3`, `GET /article/3` or
    /// `https://example.org/article/3?x=1`. Returns `None` if the text is not a URL.
    pub(super) fn parse<'q>(&self, text: &'q str) -> Option<RequestUrl<'q>> {
        let text = text.trim();
        let named = |name: &str| HttpMethod::ALL.into_iter().find(|http| http.as_str().eq_ignore_ascii_case(name));
        let with_http = text.split_once(char::is_whitespace).and_then(|(name, url)| Some((named(name)?, url.trim())));
        let (http, url) = with_http.map_or((None, text), |(http, url)| (Some(http), url));
        if url.contains(char::is_whitespace) {
            return None;
        }
        let url = url.split('#').next().unwrap_or_default();
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = match path.split_once("://") {
            Some((_, behind)) => behind.find('/').map_or("/", |start| &behind[start..]),
            None => path,
        };
        // The server removes a single slash at the end of a path.
        let (path, is_absolute) = path.strip_prefix('/').map_or((path, false), |path| (path, true));
        // Without a slash at its beginning, a path looks like a word.
        if !is_absolute && !path.contains('/') {
            return None;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').filter(|_| !path.is_empty()).take(MAX_SEGMENTS + 1);
        let decode = |segment| percent_decode(segment).unwrap_or(Cow::Borrowed(segment));
        let segments: Vec<_> = segments.map(decode).collect();
        let url = (segments.len() <= MAX_SEGMENTS).then(|| self.resolve(http, segments, query))?;
        (is_absolute || url.called.is_some()).then_some(url)
    }

    /// Returns the URL of a path with corrected segments, or `None` if `correct` corrects no segment. The argument of
    /// `correct` is in lower case.
    pub(super) fn with_corrected_segments<'q>(
        &self,
        url: &RequestUrl<'q>,
        correct: impl Fn(&str) -> Option<String>,
    ) -> Option<RequestUrl<'q>> {
        let corrected: Vec<_> = url.segments.iter().map(|segment| correct(&segment.to_lowercase())).collect();
        let is_changed = corrected.iter().any(Option::is_some);
        let segments = corrected.into_iter().zip(&url.segments);
        let segments = segments.map(|(corrected, segment)| corrected.map_or_else(|| segment.clone(), Cow::Owned));
        is_changed.then(|| self.resolve(url.http, segments.collect(), ""))
    }

    /// Finds the service that a request for a URL calls. Removes the path of PhalApi's script, and PhalApi's namespace,
    /// from the path of the URL. If the query names an unknown service, the segments are those that its path would
    /// have.
    fn resolve<'q>(&self, http: Option<HttpMethod>, mut segments: Vec<Cow<'q, str>>, query: &str) -> RequestUrl<'q> {
        let base = self.base_path.len();
        if !starts_with(&segments, &self.base_path) {
            return RequestUrl { http, segments, called: None };
        }
        let script_path = self.names.as_ref().map_or(&[][..], |names| &names.script_path);
        if starts_with(&segments[base..], script_path) {
            segments.drain(base..base + script_path.len());
        }
        if self.is_below_namespace(&segments[base..]) {
            segments.remove(base);
        }
        let at_path = self.service_at_path(&segments[base..]);
        let names = self.names.as_ref();
        let named = names.and_then(|names| Some((names, names.find(segments.len() == base, at_path, query)?)));
        let called = match named {
            Some((_, Ok(service))) => Some((service, 0)),
            Some((names, Err(name))) => {
                segments.truncate(base);
                let (class, method) = names.by_class.split(&name).unwrap_or_default();
                segments.extend([class, method].map(|part| part.to_owned().into()));
                None
            }
            None => at_path,
        };
        RequestUrl { http, segments, called }
    }

    /// Returns `true` if a path begins with PhalApi's namespace, as in `/App/User/Login`, and the rest leads to a
    /// service that has a name. A service whose own path begins with the namespace has priority.
    fn is_below_namespace(&self, segments: &[Cow<'_, str>]) -> bool {
        let path_length =
            |segments| self.service_at_path(segments).map_or(0, |(service, _)| self.path_lengths[service]);
        self.names.is_some()
            && segments.first().is_some_and(|first| first == NAMESPACE)
            && path_length(segments) == 0
            && path_length(&segments[1..]) == 2
    }

    /// Returns the index of the service at a path below the base path, and the number of segments after its path.
    fn service_at_path(&self, segments: &[Cow<'_, str>]) -> Option<(usize, usize)> {
        let path: String = segments.iter().flat_map(|segment| [Cow::Borrowed("/"), encode_segment(segment)]).collect();
        let service = self.routes.find(&path, segments.len())?;
        Some((service, segments.len() - self.path_lengths[service]))
    }
}

impl ServiceNames {
    /// Returns the service that a query names, or the default service at the base path. Returns the name if no service
    /// has it, and `None` if the path alone selects the service.
    fn find(&self, is_base_path: bool, at_path: Option<(usize, usize)>, query: &str) -> Option<Result<usize, String>> {
        let base_fields @ [_, short_field] = ServiceNaming::Service.fields();
        let fields = match at_path {
            _ if is_base_path => &base_fields[..],
            Some((service, _)) => &self.name_fields[service],
            None => &[],
        };
        // PhalApi uses the last value of a field.
        let value = |field: &str| form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == field).last();
        let Some((field, (_, name))) = fields.iter().find_map(|field| Some((*field, value(field)?))) else {
            return self.default_service.filter(|_| is_base_path).map(Ok);
        };
        match self.by_class.find(&name) {
            // At the path of a service, a field `s` without the name of a service has another meaning.
            Err(_) if !is_base_path && field == short_field => None,
            service => Some(service.map_err(|_| name.into_owned())),
        }
    }
}

fn starts_with(segments: &[Cow<'_, str>], prefix: &[String]) -> bool {
    let is_same = |(segment, prefix): (&Cow<'_, str>, &String)| segment.to_lowercase() == prefix.to_lowercase();
    segments.len() >= prefix.len() && segments.iter().zip(prefix).all(is_same)
}
