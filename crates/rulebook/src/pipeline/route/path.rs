//! Decodes the raw path of a request, and finds the service for the path.

use std::borrow::Cow;
use std::fmt::Write;

use http::Uri;
use memchr::memchr;
use rulebook_model::routing::NAMESPACE;
use rulebook_model::uri::percent_decode;

use crate::call::{ApiError, Head};
use crate::plan::{ParentPaths, Plan, Segments, encode_segment};

/// Returns the URIs of services whose paths are similar to the unknown path of a request. If no service has a similar
/// path, the search is repeated with the base path in front of the request path.
pub(in crate::pipeline) fn similar_service_uris(plan: &Plan, head: &Head) -> Vec<String> {
    let path = head.uri.path();
    let segments = path.strip_suffix('/').unwrap_or(path).split('/').skip(1);
    if !plan.similar_paths.can_be_similar(segments.clone().count()) {
        return Vec::new();
    }
    let Ok(segments) = segments.map(percent_decode).collect::<Result<Vec<_>, _>>() else {
        return Vec::new();
    };
    let request_segments: Vec<_> = segments.iter().map(AsRef::as_ref).collect();
    let uris = plan.similar_paths.find_similar(&request_segments);
    if !uris.is_empty() || plan.base_path.is_empty() {
        return uris;
    }
    let below_base: Vec<_> = plan.base_path.split('/').skip(1).chain(request_segments).collect();
    plan.similar_paths.find_similar(&below_base)
}

/// Returns the part of `path` after the base path, beginning with `/`; `None` if `path` is not below the base path.
///
/// `base` contains no percent-encoding. In `path`, any character may be percent-encoded.
pub(super) fn path_below_base<'p>(base: &str, path: &'p str) -> Option<&'p str> {
    let rest = if is_percent_encoded(path) {
        base.split('/').skip(1).try_fold(path, |path, expected| {
            let inner = path.strip_prefix('/')?;
            let (segment, _) = inner.split_once('/').unwrap_or((inner, ""));
            percent_decode(segment).is_ok_and(|decoded| decoded == expected).then(|| &inner[segment.len()..])
        })
    } else {
        path.strip_prefix(base)
    };
    match rest? {
        "" => Some("/"),
        rest if rest.starts_with('/') => Some(rest),
        _ => None,
    }
}

/// Returns the part of a request's path after the base path, beginning with `/`; `None` if the path is not below the
/// base path. If the path continues with that of the script through which clients of PhalApi call the API, such as
/// `/index.php`, or with PhalApi's namespace, as in `/App/User/Login`, this part is omitted.
pub(super) fn path_of_request<'h>(plan: &Plan, head: &'h Head) -> Option<&'h str> {
    let below = path_below_base(&plan.base_path, head.uri.path())?;
    let Some(named) = &plan.named_services else { return Some(below) };
    let below_script = |entry: &str| match below.strip_prefix('/')?.strip_prefix(entry)? {
        "" => Some("/"),
        rest => rest.starts_with('/').then_some(rest),
    };
    let entry = Some(&*named.entry).filter(|entry| !entry.is_empty());
    let below = entry.and_then(below_script).unwrap_or(below);
    Some(below_namespace(plan, head, below).unwrap_or(below))
}

/// Returns the part of a path after PhalApi's namespace if this part leads to a service that has a name. A service
/// whose own path begins with the namespace has priority.
fn below_namespace<'h>(plan: &Plan, head: &'h Head, below: &'h str) -> Option<&'h str> {
    let rest = below.strip_prefix('/')?.strip_prefix(NAMESPACE).filter(|rest| rest.starts_with('/'))?;
    let path_length = |path| {
        let (_, service) = find_service(plan, &head.uri, path).ok()?;
        service.map(|service| plan.services[service].path_length)
    };
    // The service at the base path, whose length is 0, takes any path.
    (path_length(below).unwrap_or_default() == 0 && path_length(rest) == Some(2)).then_some(rest)
}

/// Returns `true` if `path` consists of the first segments of the base path.
pub(super) fn is_parent_of_base(base: &str, path: &str) -> bool {
    let Some(inner) = path.strip_suffix('/').unwrap_or(path).strip_prefix('/') else {
        return path == "/";
    };
    let mut base = base.split('/').skip(1);
    inner.split('/').all(|segment| {
        base.next().is_some_and(|expected| percent_decode(segment).is_ok_and(|decoded| decoded == expected))
    })
}

/// Decodes the segments of a request path, and finds the service whose path is the longest prefix of these segments.
/// `below` is the end of the path of `target`, after the base path, or `/`. Returns the segments and the index of the
/// service. Fails if the percent-encoding of a segment is invalid.
pub(super) fn find_service(plan: &Plan, target: &Uri, below: &str) -> Result<(Segments, Option<usize>), ApiError> {
    let path = below.strip_suffix('/').unwrap_or(below);
    let Some(inner) = path.strip_prefix('/') else {
        return Ok((Segments::none(), plan.routes.find("", 0)));
    };
    if !is_percent_encoded(inner) {
        let end = target.path().len() - (below.len() - path.len());
        let segments = Segments::of_plain_path(target.path(), end - inner.len()..end);
        let service = plan.routes.find(path, segments.len());
        return Ok((segments, service));
    }
    let segments = inner.split('/').map(|segment| percent_decode(segment).map(Cow::into_owned));
    let segments = Segments::from(segments.collect::<Result<Vec<_>, _>>().map_err(ApiError::malformed)?);
    let service = plan.routes.find(&join_segments(target, &segments), segments.len());
    Ok((segments, service))
}

/// Returns the index of the parent path (a path with services below it) that consists of these segments.
pub(super) fn find_parent_path(parents: &ParentPaths, target: &Uri, segments: &Segments) -> Option<usize> {
    parents.find_parent_path(&join_segments(target, segments), segments.len())
}

fn is_percent_encoded(path: &str) -> bool {
    memchr(b'%', path.as_bytes()).is_some()
}

/// Joins decoded segments to a path in the form that [`Routes::find`](crate::plan::Routes::find) expects.
fn join_segments(target: &Uri, segments: &Segments) -> String {
    segments.iter(target.path()).fold(String::new(), |mut joined, segment| {
        // Writing to a `String` never fails.
        let _ = write!(joined, "/{}", encode_segment(segment));
        joined
    })
}
