//! The authentication schemes of the API, and the permissions that methods require. The permissions are written as
//! security requirements and as sentences.

use std::collections::BTreeSet;
use std::fmt::Write;

use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, OpenIdConnect, SecurityRequirement, SecurityScheme,
};

use super::super::in_words;
use super::super::in_words::{CredentialKind, credential_kind};
use super::super::markdown::code_span;
use crate::call::AuthScheme;
use crate::model::{Api, Method, Parameter, Permission, PermissionPart};

/// Returns the authentication schemes of the API, each with its name. The result is empty if no method requires a
/// permission.
pub(super) fn security_schemes(api: &Api) -> Vec<(String, SecurityScheme)> {
    let services = api.services();
    if services.flat_map(|service| &service.methods).all(|method| method.scope.is_public()) {
        return Vec::new();
    }
    let mut schemes: Vec<(String, SecurityScheme)> = Vec::new();
    for scheme in &api.auth_schemes {
        let name = scheme.name();
        if schemes.iter().all(|(known, _)| *known != name) {
            schemes.push((name, self::security_scheme(scheme)));
        }
    }
    schemes
}

/// The end of the description of each authentication scheme.
pub(super) const ROLES_NOTE: &str = " The roles of an operation are the permissions that it requires.";

fn security_scheme(scheme: &AuthScheme) -> SecurityScheme {
    let describe = |what: &str| format!("{what}.{ROLES_NOTE}");
    let key = |name: &str, what: String| ApiKeyValue::with_description(name.to_owned(), describe(&what));
    match scheme {
        AuthScheme::Header(name) => {
            SecurityScheme::ApiKey(ApiKey::Header(key(name, format!("A credential in the header field `{name}`"))))
        }
        AuthScheme::Cookie(name) => {
            SecurityScheme::ApiKey(ApiKey::Cookie(key(name, format!("A credential in the cookie `{name}`"))))
        }
        AuthScheme::Jwt { discovery: Some(url), .. } => SecurityScheme::OpenIdConnect(OpenIdConnect::with_description(
            url,
            &describe("A token from the issuer that this OpenID Connect discovery document describes"),
        )),
        AuthScheme::Jwt { discovery: None, .. } => {
            let http = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
            let what = "A token that an issuer has signed, sent as a bearer token (RFC 6750, RFC 7519)";
            SecurityScheme::Http(http.description(Some(describe(what))).build())
        }
        AuthScheme::Certificate => SecurityScheme::MutualTls {
            description: Some(describe("The certificate of the client, which the server verifies with TLS")),
            deprecated: None,
            extensions: None,
        },
        AuthScheme::Http(_) => {
            let name = scheme.http_scheme().unwrap_or_default();
            let known = match name.as_str() {
                "bearer" => HttpAuthScheme::Bearer,
                "basic" => HttpAuthScheme::Basic,
                "digest" => HttpAuthScheme::Digest,
                "negotiate" => HttpAuthScheme::Negotiate,
                // The type `HttpAuthScheme` of the crate `utoipa` has no variant for other schemes.
                name => {
                    let what = format!("A credential of the HTTP authentication scheme `{name}`");
                    return SecurityScheme::ApiKey(ApiKey::Header(key("Authorization", what)));
                }
            };
            let CredentialKind { noun, standard } = credential_kind(scheme);
            let what = format!("A {noun}{}", standard.map_or_else(String::new, |standard| format!(" ({standard})")));
            SecurityScheme::Http(HttpBuilder::new().scheme(known).description(Some(describe(&what))).build())
        }
    }
}

/// Returns the security requirements of a method, of which a caller must meet one. A requirement is a group of
/// permissions, all of which the caller needs, for one authentication scheme. Each group is repeated for each scheme.
pub(super) fn security_requirements(api: &Api, method: &Method) -> Vec<SecurityRequirement> {
    let mut names: Vec<_> = api.auth_schemes.iter().map(AuthScheme::name).collect();
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    let requirement = |group: &[Permission], name: &String| {
        SecurityRequirement::new(name, group.iter().map(|permission| permission.text.as_str()))
    };
    let groups = method.scope.groups.iter();
    groups.flat_map(|group| names.iter().map(move |name| requirement(group, name))).collect()
}

/// Describes the permissions that a method requires, in sentences. Returns `None` if the method is public.
pub(super) fn describe_required_permissions(method: &Method) -> Option<String> {
    if method.scope.is_public() {
        return None;
    }
    let groups = method.scope.groups.iter().map(|group| {
        let texts: Vec<_> = group.iter().map(|permission| format!("`{}`", permission.text)).collect();
        texts.join(" and ")
    });
    let groups: Vec<_> = groups.collect();
    let mut text = format!("Requires the permission {}.", groups.join(", or "));
    let pieces = method.scope.groups.iter().flatten().flat_map(|permission| &permission.parts);
    let mut explained: Vec<&str> = Vec::new();
    for name in pieces.filter_map(permission_variable) {
        let parameter = method.parameters.iter().find(|parameter| parameter.name == name);
        if let Some(parameter) = parameter.filter(|_| !explained.contains(&name)) {
            explained.push(name);
            // Writing to a `String` cannot fail.
            let _ = write!(text, " `[{name}]` is the value of {}, in brackets.", describe_parameter_source(parameter));
        }
    }
    if let Some(when) = in_words::describe_call_condition(method, code_span) {
        let _ = write!(text, " You may call it {when}.");
    }
    Some(text)
}

fn permission_variable(piece: &PermissionPart) -> Option<&str> {
    match piece {
        PermissionPart::Variable(name) => Some(name),
        PermissionPart::Literal(_) => None,
    }
}

/// Returns the name of a parameter and the part of the request that carries it, such as "`id` in the path".
fn describe_parameter_source(parameter: &Parameter) -> String {
    let name = if parameter.key.is_empty() { &parameter.name } else { &parameter.key };
    format!("`{name}` in the {}", parameter.from.source())
}
