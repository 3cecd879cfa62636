//! Compiles the deprecation of a method to the header fields of its responses.

use http::{HeaderName, HeaderValue, header};
use rulebook_model::model::{self, Api, Audience, Deprecation, Segment};
use rulebook_model::uri::percent_encode;

use crate::plan::PlannedDeprecation;

/// Returns the compiled deprecation of a method, with the header fields of RFC 9745 and RFC 8594; `None` if the method
/// is not deprecated.
pub(super) fn plan_deprecation(api: &Api, method: &model::Method) -> Option<Box<PlannedDeprecation>> {
    let deprecation = method.options.deprecation.as_deref()?;
    let Deprecation { since, sunset, .. } = deprecation;
    let is_shown = |method: &model::Method| api.options == Audience::Public || method.scope.is_public();
    let successor = deprecation.find_successor(api).filter(|(_, successor)| is_shown(successor));
    let base = api.base.trim_end_matches('/');
    let fields = [
        (HeaderName::from_static("deprecation"), since.map(|since| format!("@{}", since.as_second()))),
        (HeaderName::from_static("sunset"), sunset.map(|sunset| httpdate::fmt_http_date(sunset.into()))),
        (header::LINK, documentation_link(method, sunset.is_some())),
        (header::LINK, successor.and_then(|(service, _)| successor_link(base, service))),
    ];
    Some(Box::new(PlannedDeprecation {
        fields: fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::try_from(value?).ok()?)))
            .collect(),
        sunset: *sunset,
        successor: successor
            .map(|(service, method)| format!("{} {base}{}", method.http.as_str(), service.uri()).into()),
    }))
}

fn static_text(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Static(text) => Some(text),
        Segment::Capture(_) => None,
    }
}

/// Returns the link to the resource that replaces a deprecated one (RFC 5829); `None` if its path has captures, because
/// a link cannot contain a template.
fn successor_link(base: &str, service: &model::Service) -> Option<String> {
    let segments = service.path.iter().map(static_text).collect::<Option<Vec<_>>>()?;
    let path = base.split('/').skip(1).chain(segments);
    let path: String = path.map(|segment| format!("/{}", percent_encode(segment))).collect();
    Some(format!("<{}>; rel=\"successor-version\"", if path.is_empty() { "/" } else { &path }))
}

/// Returns the link to the page of a method, which says since when it is deprecated and when it ends.
#[cfg(feature = "documents")]
fn documentation_link(method: &model::Method, has_sunset: bool) -> Option<String> {
    let page = rulebook_model::describe::method_page_url(&method.id);
    let relation = if has_sunset { "deprecation sunset" } else { "deprecation" };
    Some(format!("<{page}>; rel=\"{relation}\"; type=\"text/html\""))
}

/// Returns `None`, because this program has no pages.
#[cfg(not(feature = "documents"))]
fn documentation_link(_: &model::Method, _: bool) -> Option<String> {
    None
}
