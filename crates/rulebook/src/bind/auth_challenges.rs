//! Creates the challenges in `WWW-Authenticate`, and the metadata that clients of tokens need.

use bytes::Bytes;
use rulebook_model::model::{Api, Method, ServerPath};
use serde_json::json;
use url::Url;

use crate::auth::ProtectedResource;
use crate::call::AuthScheme;
use crate::plan::ScopeChallenges;

/// Returns the value of `WWW-Authenticate` for a request with an invalid bearer token (RFC 6750 section 3.1).
/// `challenge` is the value for a request without a credential.
pub(super) fn invalid_token_challenge(challenge: &str) -> String {
    if is_bearer(challenge) { with_parameter(challenge, "error", "invalid_token") } else { challenge.to_owned() }
}

/// Returns the challenges of a method that name its permissions. Returns `None` for a public method, and for an API
/// without signed tokens: clients can request a token with certain permissions, but not a key.
pub(super) fn scope_challenges(schemes: &[AuthScheme], method: &Method) -> Option<Box<ScopeChallenges>> {
    if !schemes.iter().any(|scheme| matches!(scheme, AuthScheme::Jwt { .. })) {
        return None;
    }
    let texts = method.scope.groups.first()?.iter().map(|permission| permission.text.as_str());
    let scope = texts.filter(|text| is_scope_token(text)).collect::<Vec<_>>().join(" ");
    let challenges = AuthScheme::challenges(schemes);
    let with_scope = |challenge: &str| match is_bearer(challenge) && !scope.is_empty() {
        true => with_parameter(challenge, "scope", &scope),
        false => challenge.to_owned(),
    };
    let bearer = challenges.iter().find(|challenge| is_bearer(challenge)).copied().unwrap_or("Bearer");
    let all: Vec<_> = challenges.iter().map(|challenge| with_scope(challenge)).collect();
    Some(Box::new(ScopeChallenges {
        without_credential: all.join(", ").into(),
        insufficient_scope: with_scope(&with_parameter(bearer, "error", "insufficient_scope")).into(),
    }))
}

/// Returns `true` if a permission can be part of `scope` (RFC 6750 section 3).
fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
}

fn is_bearer(challenge: &str) -> bool {
    challenge.split(' ').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("Bearer"))
}

fn with_parameter(challenge: &str, name: &str, value: &str) -> String {
    match challenge.split_once(' ').filter(|(_, parameters)| !parameters.trim().is_empty()) {
        Some(_) => format!("{challenge}, {name}=\"{value}\""),
        None => format!("{} {name}=\"{value}\"", challenge.trim()),
    }
}

/// Returns the request path and the metadata of each protected resource (RFC 9728 sections 2 and 3). Resources with the
/// same address have one document.
pub(super) fn resource_metadata(api: &Api, resources: &[ProtectedResource]) -> Box<[(Box<str>, Bytes)]> {
    let mut merged: Vec<ProtectedResource> = Vec::new();
    for ProtectedResource { resource, authorization_servers } in resources {
        match merged.iter_mut().find(|known| known.resource == *resource) {
            Some(known) => known.authorization_servers.extend(authorization_servers.iter().cloned()),
            None => merged.push(ProtectedResource {
                resource: resource.clone(),
                authorization_servers: authorization_servers.clone(),
            }),
        }
    }
    let document = |resource: ProtectedResource| {
        let path = metadata_path(&resource.resource).into();
        let document = json!({
            "resource": resource.resource,
            "resource_name": api.title,
            "authorization_servers": resource.authorization_servers,
            "bearer_methods_supported": ["header"],
        });
        (path, document.to_string().into())
    };
    merged.into_iter().map(document).collect()
}

/// Returns the path of the metadata of a resource: the well-known path comes before the path of the resource.
fn metadata_path(resource: &str) -> String {
    let reserved = ServerPath::ALL.into_iter().find(|(path, ..)| *path == ServerPath::ProtectedResource);
    let well_known = reserved.map_or("", |(_, path, _)| path);
    let path = Url::parse(resource).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    format!("{well_known}{path}")
}
