//! Who may call a method, as security requirements and in words.

use std::fmt::Write;

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use super::super::markdown::code;
use super::super::when;
use crate::model::{Api, Method, Parameter, Permission, Piece};

/// The name of the one scheme.
pub(super) const BEARER: &str = "bearer";

/// The scheme by which clients identify themselves, where any method asks for it.
pub(super) fn scheme(api: &Api) -> Option<SecurityScheme> {
    let services = api.modules.iter().flat_map(|module| &module.services);
    let is_needed = services.flat_map(|service| &service.methods).any(|method| !method.scope.is_public());
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key or a token (RFC 6750). The roles of an operation are the permissions that it needs."));
    is_needed.then(|| SecurityScheme::Http(scheme.build()))
}

/// The method's OR of ANDs: of several requirements one must be met, and one names all of its permissions.
pub(super) fn requirements(method: &Method) -> Vec<SecurityRequirement> {
    let requirement = |group: &Vec<Permission>| {
        SecurityRequirement::new(BEARER, group.iter().map(|permission| permission.text.as_str()))
    };
    method.scope.groups.iter().map(requirement).collect()
}

/// The same in words; none where everybody may.
pub(super) fn words(method: &Method) -> Option<String> {
    if method.scope.is_public() {
        return None;
    }
    let groups = method.scope.groups.iter().map(|group| {
        let texts: Vec<_> = group.iter().map(|own| format!("`{}`", own.text)).collect();
        texts.join(" and ")
    });
    let groups: Vec<_> = groups.collect();
    let mut words = format!("Needs the permission {}.", groups.join(", or "));
    let pieces = method.scope.groups.iter().flatten().flat_map(|own| &own.pieces);
    let mut told: Vec<&str> = Vec::new();
    for name in pieces.filter_map(variable) {
        let known = method.parameters.iter().find(|own| own.name == name);
        if let Some(known) = known.filter(|_| !told.contains(&name)) {
            told.push(name);
            // Writing to a String does not fail.
            let _ = write!(words, " `[{name}]` stands for the value of {}, in brackets.", shown(known));
        }
    }
    if let Some(when) = when::words(method, code) {
        let _ = write!(words, " You may call it {when}.");
    }
    Some(words)
}

fn variable(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Variable(name) => Some(name),
        Piece::Literal(_) => None,
    }
}

/// A parameter as readers of the document know it.
fn shown(own: &Parameter) -> String {
    let name = if own.key.is_empty() { &own.name } else { &own.key };
    format!("`{name}` in the {}", own.from.source())
}
