//! Converts what a description says about the whole API to the settings in `app.json`.

use serde_json::{Map, Value as Json, json};

use super::document::{items, members, text};
use super::losses::{LossKind, Place};
use super::schema::Converter;

/// The keys of a description that are read, or reported, elsewhere.
const ROOT_KEYS: [&str; 10] = [
    "components",
    "externalDocs",
    "info",
    "jsonSchemaDialect",
    "openapi",
    "paths",
    "security",
    "servers",
    "tags",
    "webhooks",
];

/// Returns the settings, without the schemas.
pub(super) fn convert_settings(converter: &mut Converter<'_>) -> Map<String, Json> {
    let root = converter.document.root;
    report_root(converter, root);
    let mut settings = Map::new();
    let info = root.get("info").unwrap_or(&Json::Null);
    let place = Place::new("/info");
    settings.extend(text(info, "title").map(|title| ("title".to_owned(), json!(title))));
    // In YAML, a version without quotes can be a number.
    let number = info.get("version").filter(|version| version.is_number()).map(Json::to_string);
    let version = text(info, "version").map(str::to_owned).or(number);
    settings.extend(version.map(|version| ("version".to_owned(), json!(version))));
    let description = match (text(info, "summary"), text(info, "description")) {
        (Some(summary), Some(description)) => Some(format!("{summary}\n\n{description}")),
        (one, other) => one.or(other).map(str::to_owned),
    };
    settings.extend(description.map(|description| ("info".to_owned(), json!(description))));
    for (object, keys) in [("contact", &["name", "url", "email"][..]), ("license", &["name", "identifier", "url"])] {
        let source = members(info.get(object));
        let known = keys.iter().filter_map(|key| Some(((*key).to_owned(), source.get(*key)?.clone())));
        let known: Map<String, Json> = known.collect();
        if !known.is_empty() {
            settings.insert(object.to_owned(), known.into());
        }
    }
    if info.get("termsOfService").is_some() {
        converter.losses.add(LossKind::Annotation, &place.member("termsOfService"), "there is no such setting");
    }
    let servers = convert_servers(converter, root);
    if !servers.is_empty() {
        settings.insert("servers".to_owned(), servers.into());
    }
    settings.insert("envelope".to_owned(), json!("plain"));
    settings
}

fn convert_servers(converter: &mut Converter<'_>, root: &Json) -> Vec<Json> {
    let mut servers = Vec::new();
    for (index, server) in items(root.get("servers")).iter().enumerate() {
        let place = Place::new("/servers").item(index);
        let Some(url) = text(server, "url") else { continue };
        let mut url = url.to_owned();
        for (name, variable) in members(server.get("variables")) {
            let message = "the variable is replaced by its default";
            converter.losses.add(LossKind::Server, &place.member("variables").member(name), message);
            url = url.replace(&format!("{{{name}}}"), text(variable, "default").unwrap_or_default());
        }
        if url.contains(['{', '}']) || url::Url::parse(&url).is_err() {
            converter.losses.add(LossKind::Server, &place, "the URL of the server is not absolute");
            continue;
        }
        let mut entry = Map::from_iter([("url".to_owned(), Json::String(url))]);
        entry.extend(
            text(server, "description").or_else(|| text(server, "name")).map(|info| ("info".to_owned(), json!(info))),
        );
        servers.push(entry.into());
    }
    servers
}

/// Reports what the description contains beside operations and schemas.
fn report_root(converter: &mut Converter<'_>, root: &Json) {
    for name in members(root.get("webhooks")).keys() {
        let place = Place::new("/webhooks").member(name);
        converter.losses.add(LossKind::Webhook, &place, "a definition has no webhooks");
    }
    if root.get("externalDocs").is_some() {
        converter.losses.add(LossKind::Annotation, &Place::new("/externalDocs"), "the definition has no such note");
    }
    for key in members(Some(root)).keys().filter(|key| !key.starts_with("x-") && !ROOT_KEYS.contains(&key.as_str())) {
        converter.losses.add(LossKind::Annotation, &Place::new("").member(key), "the key is unknown");
    }
    for (index, tag) in items(root.get("tags")).iter().enumerate() {
        for key in members(Some(tag)).keys() {
            if !matches!(key.as_str(), "name" | "description" | "summary") && !key.starts_with("x-") {
                let place = Place::new("/tags").item(index).member(key);
                converter.losses.add(LossKind::Annotation, &place, "the definition has no such note");
            }
        }
    }
}

/// Returns the description of the module for a tag.
pub(super) fn tag_info(root: &Json, tag: &str) -> String {
    let declared = items(root.get("tags")).iter().find(|declared| text(declared, "name") == Some(tag));
    let description = declared.and_then(|tag| text(tag, "description").or_else(|| text(tag, "summary")));
    let fallback = if tag.is_empty() { "All other methods" } else { tag };
    description.unwrap_or(fallback).to_owned()
}
