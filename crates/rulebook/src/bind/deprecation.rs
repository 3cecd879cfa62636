//! Compiles the deprecation of a method to the header fields of its responses.

use http::{HeaderName, HeaderValue, header};
use rulebook_model::model::{self, Api, Audience, Deprecation, Segment, Versions};
use rulebook_model::uri::percent_encode;

use crate::call::HttpMethod;
use crate::plan::PlannedDeprecation;

/// Returns the compiled deprecation of a method, with the header fields of RFC 9745 and RFC 8594; `None` if the method
/// is not deprecated.
pub(super) fn plan_deprecation(api: &Api, method: &model::Method) -> Option<Box<PlannedDeprecation>> {
    let deprecation = method.options.deprecation.as_deref()?;
    let Deprecation { since, sunset, .. } = deprecation;
    let is_shown = |is_public: bool| api.options == Audience::Public || is_public;
    let successor = find_successor(api, deprecation).filter(|successor| is_shown(successor.is_public));
    let version = api.versions.as_ref().map(prefix_of_current).unwrap_or_default();
    let fields = [
        (HeaderName::from_static("deprecation"), since.map(|since| format!("@{}", since.as_second()))),
        (HeaderName::from_static("sunset"), sunset.map(|sunset| httpdate::fmt_http_date(sunset.into()))),
        (header::LINK, documentation_link(&version, method, sunset.is_some())),
        (header::LINK, successor.as_ref().and_then(Successor::link)),
    ];
    Some(Box::new(PlannedDeprecation {
        fields: fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::try_from(value?).ok()?)))
            .collect(),
        sunset: *sunset,
        successor: successor.map(|Successor { http, base, uri, .. }| format!("{} {base}{uri}", http.as_str()).into()),
    }))
}

/// The method that replaces a deprecated one, in the same version of the API or in another one.
struct Successor<'a> {
    http: HttpMethod,
    /// The prefix of the version, and the base path, without a slash at the end.
    base: String,
    path: &'a [Segment],
    uri: String,
    is_public: bool,
}

fn find_successor<'a>(api: &'a Api, deprecation: &'a Deprecation) -> Option<Successor<'a>> {
    let base = api.base.trim_end_matches('/');
    let versions = api.versions.as_ref();
    if let (Some(other), Some(versions)) = (&deprecation.other_successor, versions) {
        let base = versions.path_prefix(&other.version) + base;
        let (path, is_public) = (&*other.path, other.is_public);
        return Some(Successor { http: other.http, base, path, uri: other.uri(), is_public });
    }
    let (service, method) = deprecation.find_successor(api)?;
    let base = versions.map(prefix_of_current).unwrap_or_default() + base;
    let is_public = method.scope.is_public();
    Some(Successor { http: method.http, base, path: &service.path, uri: service.uri(), is_public })
}

/// Returns what the paths of the version that is described begin with.
fn prefix_of_current(versions: &Versions) -> String {
    versions.current.as_ref().map(|current| versions.path_prefix(current)).unwrap_or_default()
}

fn static_text(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Static(text) => Some(text),
        Segment::Capture(_) => None,
    }
}

impl Successor<'_> {
    /// Returns the link to the resource that replaces a deprecated one (RFC 5829); `None` if its path has captures,
    /// because a link cannot contain a template.
    fn link(&self) -> Option<String> {
        let segments = self.path.iter().map(static_text).collect::<Option<Vec<_>>>()?;
        let path = self.base.split('/').skip(1).chain(segments);
        let path: String = path.map(|segment| format!("/{}", percent_encode(segment))).collect();
        Some(format!("<{}>; rel=\"successor-version\"", if path.is_empty() { "/" } else { &path }))
    }
}

/// Returns the link to the page of a method, which says since when it is deprecated and when it ends.
#[cfg(feature = "documents")]
fn documentation_link(version: &str, method: &model::Method, has_sunset: bool) -> Option<String> {
    let page = rulebook_model::describe::method_page_url(&method.id);
    let relation = if has_sunset { "deprecation sunset" } else { "deprecation" };
    Some(format!("<{version}{page}>; rel=\"{relation}\"; type=\"text/html\""))
}

/// Returns `None`, because this program has no pages.
#[cfg(not(feature = "documents"))]
fn documentation_link(_: &str, _: &model::Method, _: bool) -> Option<String> {
    None
}
