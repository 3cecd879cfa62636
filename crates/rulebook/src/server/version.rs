//! Finds the version of the API that a request names, in the first segment of its path or in a header field.

use std::rc::Rc;

use http::Uri;
use http::uri::PathAndQuery;
use rulebook_model::model::ServerPath;

use super::served_plan::ServedPlan;
use crate::call::{ApiError, Head, ParameterError, ParameterErrorKind, Source, shorten_text};
use crate::plan::PlannedVersions;

/// Returns the version that a request names, or `served`, which is the version for requests that name none. The path of
/// the request then begins after the name of the version. Fails if the header field names an unknown version.
pub(super) fn find_version(
    served: &Rc<ServedPlan>,
    versions: &PlannedVersions,
    head: &mut Head,
) -> Result<Rc<ServedPlan>, ApiError> {
    let path = head.uri.path();
    let name = path[1.min(path.len())..].split('/').next().unwrap_or_default();
    if let Some(version) = served.version(name)
        && let Some(uri) = below(&head.uri, 1 + name.len())
    {
        head.ends_with_version = path.len() == 1 + name.len();
        head.version = Some(name.into());
        head.uri = uri;
        return Ok(version);
    }
    if is_server_state(path) {
        return Ok(Rc::clone(served));
    }
    let Some(field) = versions.header.as_ref().filter(|field| head.get_all(field).next().is_some()) else {
        return Ok(Rc::clone(served));
    };
    // Several fields are a list (RFC 9110 section 5.3), and not a version.
    let values: Vec<_> = head.get_all(field).map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let name = values.join(", ");
    served.version(&name).ok_or_else(|| {
        let expected = format!("a version of the API: {}", versions.names.join(", "));
        let error = ParameterError::new(ParameterErrorKind::Invalid, field.as_str(), Source::Header, expected);
        ApiError::parameters(vec![error.with_got(Some(format!("{:?}", shorten_text(&name))))])
    })
}

/// Returns a URI without the first bytes of its path. Returns `None` if the rest is a path of the state of the server:
/// proxies close these paths to clients.
fn below(uri: &Uri, length: usize) -> Option<Uri> {
    let rest = uri.path_and_query()?.as_str().get(length..)?;
    let slash = if rest.starts_with('/') { "" } else { "/" };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(format!("{slash}{rest}").parse::<PathAndQuery>().ok()?);
    let uri = Uri::from_parts(parts).ok()?;
    (!is_server_state(uri.path())).then_some(uri)
}

/// Returns `true` for the paths of the state of the server, which belong to no version.
fn is_server_state(path: &str) -> bool {
    ServerPath::from_request_path(path).is_some_and(ServerPath::is_server_state)
}
