//! Converts the security requirements of operations to scopes.

use serde_json::{Value as Json, json};

use super::document::{items, members, text};
use super::losses::{LossKind, Place};
use super::schema::Converter;

/// Reads the security schemes. Reports those that are not bearer tokens.
pub(super) fn read_schemes(converter: &mut Converter<'_>) {
    let document = converter.document;
    let schemes = members(document.root.pointer("/components/securitySchemes"));
    for (name, scheme) in schemes {
        let place = Place::new("/components/securitySchemes").member(name);
        let message = match document.find_target(scheme, &place) {
            Err(why) => {
                converter.losses.add(LossKind::REFERENCE, &place, why);
                continue;
            }
            Ok((target, _)) => match (text(target, "type"), text(target, "scheme")) {
                (Some("http"), Some(scheme)) if scheme.eq_ignore_ascii_case("bearer") => None,
                (Some("oauth2" | "openIdConnect"), _) => {
                    Some("the scopes become permissions, but the flows are not described")
                }
                _ => Some("callers send bearer keys: the scheme becomes a permission"),
            },
        };
        match message {
            // The loss names the whole scheme.
            Some(message) => converter.losses.add(LossKind::SECURITY, &place, message),
            None => {
                if let Ok((scheme, _)) = document.resolve(scheme, &place) {
                    document.read(scheme, "type");
                    document.read(scheme, "scheme");
                }
            }
        }
    }
}

/// Returns the scope of an operation: the groups of permissions of which a caller needs one group.
pub(super) fn scope(converter: &mut Converter<'_>, operation: &Json, place: &Place) -> Vec<Json> {
    let document = converter.document;
    let of_operation = document.read_whole(operation, "security").and_then(Json::as_array);
    let of_operation = of_operation.map(|list| (list, place.member("security")));
    let global = || document.root.get("security").and_then(Json::as_array).map(|list| (list, Place::new("/security")));
    let Some((requirements, place)) = of_operation.or_else(global) else { return Vec::new() };
    if requirements.len() > 1 && requirements.iter().any(|requirement| members(Some(requirement)).is_empty()) {
        let message = "everyone may call the method; that some callers identify themselves is not described";
        converter.losses.add(LossKind::SECURITY, &place, message);
        return Vec::new();
    }
    let mut groups: Vec<Json> = Vec::new();
    for requirement in requirements {
        let mut permissions: Vec<String> = Vec::new();
        for (scheme, scopes) in members(Some(requirement)) {
            let scopes = items(Some(scopes)).iter().filter_map(Json::as_str).map(permission).collect::<Vec<_>>();
            let names = if scopes.is_empty() { vec![permission(scheme)] } else { scopes };
            for name in names {
                if !permissions.contains(&name) {
                    permissions.push(name);
                }
            }
        }
        let group = json!(permissions);
        if !permissions.is_empty() && !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// Returns the permission for a scope. Brackets would contain the name of a parameter.
fn permission(scope: &str) -> String {
    let scope = scope.trim();
    let name = if scope.is_empty() { "scope" } else { scope };
    name.chars().map(|char| if matches!(char, '[' | ']') || char.is_control() { '_' } else { char }).collect()
}
