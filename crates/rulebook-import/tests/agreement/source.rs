//! The schemas of a description as JSON Schemas 2020-12, with which the crate `jsonschema` validates values.

use std::net::IpAddr;

use jsonschema::{Draft, Validator};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rulebook_model::types::SCHEMA_FORMATS;
use serde_json::{Map, Value as Json, json};

/// The characters of a JSON pointer that a reference percent-encodes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'~');

/// Keywords whose value is an object with schemas.
const MAPS: [&str; 5] = ["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"];
/// Keywords whose value is a schema.
const SCHEMAS: [&str; 11] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords that do not limit values, or that are expressed otherwise.
const DROPPED: [&str; 12] = [
    "$anchor",
    "$comment",
    "$id",
    "$schema",
    "default",
    "description",
    "discriminator",
    "example",
    "examples",
    "nullable",
    "title",
    "xml",
];

pub struct Source<'a> {
    pub root: &'a Json,
}

pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn member_place(place: &str, key: &str) -> String {
    format!("{place}/{}", escape(key))
}

impl<'a> Source<'a> {
    pub fn at(&self, place: &str) -> Option<&'a Json> {
        self.root.pointer(place)
    }

    /// Returns the place to which a reference leads.
    pub fn target(reference: &str) -> Option<String> {
        let pointer = reference.strip_prefix('#')?;
        percent_encoding::percent_decode_str(pointer).decode_utf8().ok().map(Into::into)
    }

    /// Follows the references of a value that is not a schema.
    pub fn resolve(&self, place: String) -> Option<String> {
        let mut place = place;
        for _ in 0..20 {
            match self.at(&place)?.get("$ref").and_then(Json::as_str) {
                Some(reference) => place = Self::target(reference)?,
                None => return Some(place),
            }
        }
        None
    }

    /// Returns the validator of the schema at a place; `None` if the schema is not valid.
    pub fn validator(&self, place: &str) -> Option<Validator> {
        let encoded = utf8_percent_encode(place, ENCODED);
        let mut document = json!({ "$ref": format!("#{encoded}") });
        let mut waiting = vec![place.to_owned()];
        while let Some(place) = waiting.pop() {
            if document.pointer(&place).is_some() {
                continue;
            }
            let schema = self.translate(self.at(&place)?);
            collect_references(&schema, &mut waiting);
            insert(&mut document, &place, schema);
        }
        let mut options = jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        for format in SCHEMA_FORMATS {
            options = options.with_format(format.name, format.is_valid);
        }
        options = options.with_format("ip", |text: &str| text.parse::<IpAddr>().is_ok());
        options.build(&document).map_err(|error| eprintln!("{place}: {error}")).ok()
    }

    /// Returns a schema without the keywords of OpenAPI: they are expressed by those of JSON Schema. References keep
    /// their neighbours, as in OpenAPI 3.1.
    fn translate(&self, schema: &Json) -> Json {
        let Json::Object(keywords) = schema else { return schema.clone() };
        let mut translated = Map::new();
        for (key, value) in keywords {
            let value = match (key.as_str(), value) {
                (key, _) if DROPPED.contains(&key) || key.starts_with("x-") => continue,
                (key, Json::Object(members)) if MAPS.contains(&key) => {
                    members.iter().map(|(name, one)| (name.clone(), self.translate(one))).collect::<Map<_, _>>().into()
                }
                (key, value) if SCHEMAS.contains(&key) => self.translate(value),
                (key, Json::Array(items)) if LISTS.contains(&key) => {
                    // OpenAPI 3.0 has no type for null: this is how a branch expresses it.
                    let is_null = |item: &Json| key != "allOf" && *item == json!({ "nullable": true });
                    let translate = |item| if is_null(item) { json!({ "type": "null" }) } else { self.translate(item) };
                    items.iter().map(translate).collect()
                }
                ("exclusiveMinimum" | "exclusiveMaximum", Json::Bool(_)) => continue,
                (key @ ("minimum" | "maximum"), value) => {
                    let exclusive = if key == "minimum" { "exclusiveMinimum" } else { "exclusiveMaximum" };
                    let is_exclusive = keywords.get(exclusive) == Some(&Json::Bool(true));
                    translated.insert(if is_exclusive { exclusive } else { key }.to_owned(), value.clone());
                    continue;
                }
                (_, value) => value.clone(),
            };
            translated.insert(key.clone(), value);
        }
        if let Some(bounds) = integer_bounds(schema) {
            let parts = translated.entry("allOf").or_insert_with(|| json!([]));
            parts.as_array_mut().unwrap().push(bounds);
        }
        self.add_tags(schema, &mut translated);
        if schema.get("nullable") == Some(&Json::Bool(true)) {
            return json!({ "if": { "type": "null" }, "then": true, "else": translated });
        }
        translated.into()
    }

    /// Adds the values of a discriminator to the branches that they select.
    fn add_tags(&self, schema: &Json, translated: &mut Map<String, Json>) {
        let Some(tag) = schema["discriminator"]["propertyName"].as_str() else { return };
        for keyword in ["oneOf", "anyOf"] {
            for branch in translated.get_mut(keyword).and_then(Json::as_array_mut).into_iter().flatten() {
                let Some(reference) = branch.get("$ref").and_then(Json::as_str).map(str::to_owned) else { continue };
                let Some(key) = reference.strip_prefix("#/components/schemas/") else { continue };
                let mapping = schema["discriminator"]["mapping"].as_object().cloned().unwrap_or_default();
                let is_branch = |target: &Json| target == &json!(reference) || target == &json!(key);
                let mut values: Vec<&str> =
                    mapping.iter().filter(|(_, target)| is_branch(target)).map(|(value, _)| value.as_str()).collect();
                if values.is_empty() {
                    values.push(key);
                }
                branch["properties"] = json!({ tag: { "enum": values } });
            }
        }
    }

    /// Returns the places in the description through which a path of the validator leads, from the schema at `place`.
    pub fn places_on_path(&self, place: &str, path: &str) -> Vec<String> {
        let (mut place, mut places) = (place.to_owned(), vec![place.to_owned()]);
        let mut tokens = path.split('/').skip(1).peekable();
        tokens.next_if_eq(&"$ref");
        for token in tokens {
            let Some(value) = self.at(&place) else { break };
            let is_nullable = value.get("nullable") == Some(&Json::Bool(true));
            match (unescape(token).as_str(), value.get("$ref").and_then(Json::as_str)) {
                ("$ref", Some(reference)) => match Self::target(reference) {
                    Some(target) => place = target,
                    None => break,
                },
                ("else", _) if is_nullable => continue,
                ("exclusiveMinimum", _) if value["exclusiveMinimum"].is_boolean() => place += "/minimum",
                ("exclusiveMaximum", _) if value["exclusiveMaximum"].is_boolean() => place += "/maximum",
                (key, _) => {
                    let next = member_place(&place, key);
                    if self.at(&next).is_none() {
                        break;
                    }
                    place = next;
                }
            }
            places.push(place.clone());
        }
        places
    }

    /// Returns the places of all schemas, and of their keywords, that a schema leads to.
    pub fn places_within(&self, place: &str) -> std::collections::HashSet<String> {
        let mut places = std::collections::HashSet::new();
        let mut waiting = vec![place.to_owned()];
        while let Some(place) = waiting.pop() {
            let Some(value) = self.at(&place).filter(|_| places.insert(place.clone())) else { continue };
            match value {
                Json::Object(members) => waiting.extend(members.keys().map(|key| member_place(&place, key))),
                Json::Array(items) => waiting.extend((0..items.len()).map(|index| format!("{place}/{index}"))),
                _ => {}
            }
            let reference = value.get("$ref").and_then(Json::as_str);
            waiting.extend(reference.and_then(Self::target));
        }
        places
    }
}

/// Returns the bounds that a format of whole numbers means.
fn integer_bounds(schema: &Json) -> Option<Json> {
    let is_integer = |name: &Json| name == "integer";
    let kind = schema.get("type")?;
    if !is_integer(kind) && !kind.as_array().is_some_and(|names| names.iter().any(is_integer)) {
        return None;
    }
    let bounds = |min: i64, max: u64| Some(json!({ "minimum": min, "maximum": max }));
    match schema.get("format")?.as_str()? {
        "int8" => bounds(-128, 127),
        "int16" => bounds(-32768, 32767),
        "int32" => bounds(i64::from(i32::MIN), 2_147_483_647),
        "int64" => bounds(i64::MIN, 9_223_372_036_854_775_807),
        "uint8" => bounds(0, 255),
        "uint16" => bounds(0, 65535),
        "uint32" => bounds(0, 4_294_967_295),
        "uint64" => bounds(0, u64::MAX),
        _ => None,
    }
}

fn collect_references(schema: &Json, places: &mut Vec<String>) {
    match schema {
        Json::Object(members) => {
            places.extend(members.get("$ref").and_then(Json::as_str).and_then(Source::target));
            members.values().for_each(|member| collect_references(member, places));
        }
        Json::Array(items) => items.iter().for_each(|item| collect_references(item, places)),
        _ => {}
    }
}

fn insert(document: &mut Json, place: &str, schema: Json) {
    let mut value = document;
    for token in place.split('/').skip(1) {
        if !value.is_object() {
            *value = json!({});
        }
        value = &mut value[unescape(token)];
    }
    *value = schema;
}
