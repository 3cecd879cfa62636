//! Converts what a description says about the whole API to the settings in `app.json`, and its security requirements
//! to scopes.

use indexmap::IndexSet;
use rulebook_model::variables;
use serde_json::{Map, Value as Json, json};

use super::document::{Extent, items, members, text, version};
use super::losses::{LossKind, Place};
use super::schema::Converter;

/// The values of `jsonSchemaDialect` that mean the dialect of OpenAPI, or of JSON Schema without additions.
const DIALECTS: [&str; 4] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://spec.openapis.org/oas/3.1/dialect/base",
    "https://spec.openapis.org/oas/3.1/dialect/2024-11-10",
    "https://spec.openapis.org/oas/3.2/dialect/2025-09-17",
];

const COMPONENTS: [&str; 11] = [
    "callbacks",
    "examples",
    "headers",
    "links",
    "mediaTypes",
    "parameters",
    "pathItems",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
];

pub(super) fn convert_settings(converter: &mut Converter<'_>) -> Map<String, Json> {
    let document = converter.document;
    let root = document.root;
    read_root(converter);
    let mut settings = Map::new();
    let info = document.read_object(root, "info");
    settings.extend(document.read_text(info, "title").map(|title| ("title".to_owned(), json!(title))));
    if let Some(version) = version(info, "version") {
        document.read(info, "version");
        settings.insert("version".to_owned(), json!(version));
    }
    let description = match (document.read_text(info, "summary"), document.read_text(info, "description")) {
        (Some(summary), Some(description)) => Some(format!("{summary}\n\n{description}")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    settings.extend(description.map(|description| ("info".to_owned(), json!(description))));
    for (object, keys) in [("contact", &["name", "url", "email"][..]), ("license", &["name", "identifier", "url"])] {
        let source = document.read_object(info, object);
        let known = keys.iter().filter_map(|key| Some(((*key).to_owned(), document.read_whole(source, key)?.clone())));
        let known: Map<String, Json> = known.collect();
        if !known.is_empty() {
            settings.insert(object.to_owned(), known.into());
        }
    }
    let servers = convert_servers(converter);
    if !servers.is_empty() {
        settings.insert("servers".to_owned(), servers.into());
    }
    settings.insert("envelope".to_owned(), json!("plain"));
    settings.values_mut().for_each(variables::escape);
    settings
}

/// Reads what the description contains beside operations and schemas.
fn read_root(converter: &mut Converter<'_>) {
    let document = converter.document;
    let root = document.root;
    document.read(root, "openapi");
    document.read_whole(root, "security");
    document.read_items(root, "tags");
    let components = document.read_object(root, "components");
    for key in COMPONENTS {
        document.read_members(components, key);
    }
    if text(root, "jsonSchemaDialect").is_some_and(|dialect| DIALECTS.contains(&dialect)) {
        document.read(root, "jsonSchemaDialect");
    }
    for name in document.read_members(root, "webhooks").keys() {
        let place = Place::new("/webhooks").member(name);
        converter.losses.add(LossKind::WEBHOOK, &place, "a definition has no webhooks");
    }
}

fn convert_servers(converter: &mut Converter<'_>) -> Vec<Json> {
    let document = converter.document;
    let mut servers = Vec::new();
    for (index, server) in document.read_items(document.root, "servers").iter().enumerate() {
        let place = Place::new("/servers").item(index);
        let Some(url) = text(server, "url") else { continue };
        // The server of the definition needs no mention.
        if matches!(url, "/" | "." | "./") {
            document.record_whole(server);
            continue;
        }
        let mut replaced = url.to_owned();
        let variables = server.get("variables").and_then(Json::as_object);
        for (name, variable) in variables.into_iter().flatten() {
            replaced = replaced.replace(&format!("{{{name}}}"), text(variable, "default").unwrap_or_default());
        }
        if replaced.contains(['{', '}']) || url::Url::parse(&replaced).is_err() {
            converter.losses.add(LossKind::SERVER, &place, "the URL of the server is not absolute");
            continue;
        }
        document.record(server);
        document.read(server, "url");
        for name in document.read_members(server, "variables").keys() {
            let place = place.member("variables").member(name);
            converter.losses.add(LossKind::SERVER, &place, "the variable is replaced by its default");
        }
        let mut entry = Map::from_iter([("url".to_owned(), Json::String(replaced))]);
        let info = document.read_text(server, "description").or_else(|| document.read_text(server, "name"));
        entry.extend(info.map(|info| ("info".to_owned(), json!(info))));
        servers.push(entry.into());
    }
    servers
}

/// Returns the description of the module for a tag. `module` is the name of the module.
pub(super) fn tag_info(converter: &mut Converter<'_>, tag: &str, module: &str) -> String {
    let fallback = if tag.is_empty() { "All other methods" } else { tag };
    let document = converter.document;
    let mut tags = items(document.root.get("tags")).iter().enumerate();
    let Some((index, declared)) = tags.find(|(_, declared)| text(declared, "name") == Some(tag)) else {
        return fallback.to_owned();
    };
    document.record(declared);
    document.read(declared, "name");
    let info = document.read_text(declared, "description").or_else(|| document.read_text(declared, "summary"));
    if info.is_some() && tag != module {
        let place = Place::new("/tags").item(index).member("name");
        converter.losses.add(LossKind::NAME, &place, format!("the module is called `{module}`"));
    }
    info.unwrap_or(fallback).to_owned()
}

/// Reports the tags and components that nothing in the definition uses.
pub(super) fn report_unused(converter: &mut Converter<'_>) {
    let document = converter.document;
    let unused = |value: &Json| document.extent(value) == Extent::None;
    for (index, tag) in items(document.root.get("tags")).iter().enumerate().filter(|(_, tag)| unused(tag)) {
        let name = text(tag, "name").unwrap_or_default().escape_debug();
        let message = format!("no module is made of the tag `{name}`");
        converter.losses.add(LossKind::UNUSED, &Place::new("/tags").item(index), message);
    }
    for key in COMPONENTS {
        let components = Place::new("/components").member(key);
        let members = document.root.pointer(components.as_str()).and_then(Json::as_object);
        for (name, component) in members.into_iter().flatten() {
            let place = components.member(name);
            if unused(component) && !converter.losses.has(&place) {
                converter.losses.add(LossKind::UNUSED, &place, "no part of the definition uses the component");
            }
        }
    }
}

/// Reads the security schemes. Reports those that are not bearer tokens.
pub(super) fn read_schemes(converter: &mut Converter<'_>) {
    let document = converter.document;
    let schemes = members(document.root.pointer("/components/securitySchemes"));
    for (name, scheme) in schemes {
        let place = Place::new("/components/securitySchemes").member(name);
        let target = match document.find_target(scheme, &place) {
            Ok((target, _)) => target,
            Err(why) => {
                converter.losses.add(LossKind::REFERENCE, &place, why);
                continue;
            }
        };
        let message = match (text(target, "type"), text(target, "scheme")) {
            (Some("http"), Some(kind)) if kind.eq_ignore_ascii_case("bearer") => {
                let _ = document.resolve(scheme, &place);
                document.read(target, "type");
                document.read(target, "scheme");
                continue;
            }
            (Some("oauth2" | "openIdConnect"), _) => "the scopes become permissions, but the flows are not described",
            _ => "callers send bearer keys: the scheme becomes a permission",
        };
        // The loss names the whole scheme.
        converter.losses.add(LossKind::SECURITY, &place, message);
    }
}

/// Returns the scope of an operation: groups of permissions. A caller needs one of the groups.
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
    let group = |requirement: &Json| -> Vec<String> {
        let names = members(Some(requirement)).iter().flat_map(|(scheme, scopes)| {
            let scopes: Vec<String> = items(Some(scopes)).iter().filter_map(Json::as_str).map(permission).collect();
            if scopes.is_empty() { vec![permission(scheme)] } else { scopes }
        });
        names.collect::<IndexSet<String>>().into_iter().collect()
    };
    let groups: IndexSet<Vec<String>> = requirements.iter().map(group).filter(|group| !group.is_empty()).collect();
    groups.into_iter().map(Json::from).collect()
}

/// Returns the permission for a scope. Brackets would contain the name of a parameter.
fn permission(scope: &str) -> String {
    let scope = scope.trim();
    let name = if scope.is_empty() { "scope" } else { scope };
    name.chars().map(|char| if matches!(char, '[' | ']') || char.is_control() { '_' } else { char }).collect()
}
