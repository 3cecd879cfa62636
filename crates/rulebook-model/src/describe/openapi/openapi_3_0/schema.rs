//! Converts a JSON Schema 2020-12 of an OpenAPI 3.1 document to a Schema Object of OpenAPI 3.0.
//!
//! A keyword that OpenAPI 3.0 does not have is omitted, so that the converted schema can accept more values, but never
//! fewer. Therefore a schema under `not` is omitted unless it is converted exactly, and `oneOf` becomes `anyOf` unless
//! its branches are.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::super::schemas::COMPONENT_PREFIX;
use super::types::{KEYWORDS_OF_TYPES, add_type, merge_null};

/// The keywords that do not restrict the values.
pub(super) const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "default",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "externalDocs",
    "xml",
];

#[derive(Debug, Default)]
pub(super) struct SchemaConverter {
    /// The names of the components whose converted schemas accept more values.
    inexact: HashSet<String>,
}

pub(super) struct Converted {
    pub(super) keywords: Map<String, Json>,
    /// `true` if the converted schema accepts the same values.
    is_exact: bool,
}

impl Converted {
    fn with_keyword(keyword: &str, value: Json) -> Self {
        Self { keywords: Map::from_iter([(keyword.to_owned(), value)]), is_exact: true }
    }

    fn into_json(self) -> Json {
        Json::Object(self.keywords)
    }

    /// Adds a schema that values must also match.
    pub(super) fn add_to_all_of(&mut self, schema: Json) {
        match self.keywords.get_mut("allOf") {
            Some(Json::Array(schemas)) => schemas.push(schema),
            _ => {
                self.keywords.insert("allOf".to_owned(), json!([schema]));
            }
        }
    }

    /// Adds a keyword. If the schema has this keyword, the added one becomes a part of `allOf`.
    pub(super) fn add(&mut self, keyword: &str, value: Json) {
        if self.keywords.contains_key(keyword) {
            self.add_to_all_of(json!({ (keyword): value }));
        } else {
            self.keywords.insert(keyword.to_owned(), value);
        }
    }
}

impl SchemaConverter {
    /// Creates a converter for schemas that refer to these components.
    pub(super) fn new(components: Option<&Json>) -> Self {
        let mut converter = Self::default();
        let components = components.and_then(Json::as_object);
        // A component is also inexact if it refers to one that is.
        loop {
            let known = &converter.inexact;
            let others = components.into_iter().flatten().filter(|(name, _)| !known.contains(*name));
            let inexact = others.filter(|(_, schema)| !converter.convert_schema(schema).is_exact);
            let inexact: Vec<String> = inexact.map(|(name, _)| name.clone()).collect();
            if inexact.is_empty() {
                return converter;
            }
            converter.inexact.extend(inexact);
        }
    }

    pub(super) fn convert(&self, schema: &Json) -> Json {
        self.convert_schema(schema).into_json()
    }

    fn convert_schema(&self, schema: &Json) -> Converted {
        match schema {
            Json::Object(keywords) => self.convert_keywords(keywords),
            Json::Bool(false) => Converted::with_keyword("not", json!({})),
            _ => Converted { keywords: Map::new(), is_exact: true },
        }
    }

    fn convert_keywords(&self, keywords: &Map<String, Json>) -> Converted {
        let mut converted = Converted { keywords: Map::new(), is_exact: true };
        for (keyword, value) in keywords {
            self.convert_keyword(keyword, value, keywords, &mut converted);
        }
        add_type(keywords.get("type"), &mut converted);
        let reference = keywords.get("$ref").and_then(Json::as_str);
        if let Some(reference) = reference {
            let name = reference.strip_prefix(COMPONENT_PREFIX).unwrap_or_default();
            converted.is_exact &= !self.inexact.contains(name);
            if converted.keywords.is_empty() {
                converted.add("$ref", reference.into());
                return converted;
            }
            converted.add_to_all_of(json!({ "$ref": reference }));
        }
        merge_null(&mut converted.keywords);
        converted
    }

    /// Converts a keyword of a schema with the keywords `all`, except `$ref` and `type`.
    fn convert_keyword(&self, keyword: &str, value: &Json, all: &Map<String, Json>, to: &mut Converted) {
        match keyword {
            "$ref" | "type" | "$comment" | "$schema" | "$id" | "$anchor" | "$defs" => {}
            "required" if value.as_array().is_some_and(Vec::is_empty) => {}
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => convert_bound(keyword, all, to),
            "enum" if value.as_array().is_some_and(Vec::is_empty) => to.add("not", json!({})),
            "enum" => to.add("enum", value.clone()),
            "const" => to.add("enum", json!([value])),
            "examples" => {
                let first = value.as_array().and_then(|examples| examples.first());
                if let Some(first) = first.filter(|_| !all.contains_key("example")) {
                    to.add("example", first.clone());
                }
            }
            "contentEncoding" | "contentMediaType" => {
                if let Some(format) = content_format(all).filter(|_| !to.keywords.contains_key("format")) {
                    to.keywords.insert("format".to_owned(), format.into());
                }
            }
            // `items` applies to the items after those of `prefixItems`, and `additionalProperties` to the members that
            // `patternProperties` does not describe.
            "items" if all.contains_key("prefixItems") => to.is_exact = false,
            "additionalProperties" if all.contains_key("patternProperties") => to.is_exact = false,
            "additionalProperties" if value.is_boolean() => to.add(keyword, value.clone()),
            "items" | "additionalProperties" => {
                let inner = self.convert_schema(value);
                to.is_exact &= inner.is_exact;
                to.add(keyword, inner.into_json());
            }
            "not" => {
                let inner = self.convert_schema(value);
                to.is_exact &= inner.is_exact;
                if inner.is_exact {
                    to.add(keyword, inner.into_json());
                }
            }
            "properties" => {
                let properties = value.as_object().into_iter().flatten();
                let properties = properties.map(|(name, schema)| (name.clone(), self.convert_part(schema, to)));
                let properties = properties.collect();
                to.add(keyword, Json::Object(properties));
            }
            "allOf" => {
                for schema in value.as_array().into_iter().flatten() {
                    let schema = self.convert_part(schema, to);
                    to.add_to_all_of(schema);
                }
            }
            "anyOf" | "oneOf" => {
                let branches: Vec<_> = value.as_array().into_iter().flatten().collect();
                let branches: Vec<_> = branches.into_iter().map(|schema| self.convert_schema(schema)).collect();
                let is_exact = branches.iter().all(|branch| branch.is_exact);
                to.is_exact &= is_exact;
                let keyword = if is_exact { keyword } else { "anyOf" };
                to.add(keyword, branches.into_iter().map(Converted::into_json).collect());
            }
            _ if is_known(keyword) => to.add(keyword, value.clone()),
            _ => to.is_exact = false,
        }
    }

    fn convert_part(&self, schema: &Json, whole: &mut Converted) -> Json {
        let part = self.convert_schema(schema);
        whole.is_exact &= part.is_exact;
        part.into_json()
    }
}

fn is_known(keyword: &str) -> bool {
    let of_types = KEYWORDS_OF_TYPES.iter().any(|(_, keywords)| keywords.contains(&keyword));
    of_types || ANNOTATIONS.contains(&keyword) || keyword.starts_with("x-")
}

/// Adds a bound. In OpenAPI 3.0, `exclusiveMinimum` says of `minimum` that it is not a valid value itself.
fn convert_bound(keyword: &str, all: &Map<String, Json>, to: &mut Converted) {
    let (inclusive, exclusive) = match keyword {
        "minimum" | "exclusiveMinimum" => ("minimum", "exclusiveMinimum"),
        _ => ("maximum", "exclusiveMaximum"),
    };
    if to.keywords.contains_key(inclusive) {
        return;
    }
    let (bound, outer) = (all.get(inclusive), all.get(exclusive).filter(|value| value.is_number()));
    let is_stricter = |outer: &Json| {
        let numbers = (bound.and_then(Json::as_f64), outer.as_f64());
        let (Some(bound), Some(outer)) = numbers else { return true };
        if inclusive == "minimum" { outer >= bound } else { outer <= bound }
    };
    match (bound, outer.filter(|outer| is_stricter(outer))) {
        (_, Some(outer)) => {
            to.keywords.insert(inclusive.to_owned(), outer.clone());
            to.keywords.insert(exclusive.to_owned(), true.into());
        }
        (Some(bound), None) => {
            to.keywords.insert(inclusive.to_owned(), bound.clone());
        }
        (None, None) => {}
    }
}

/// Returns the format of strings with a `contentEncoding` or a `contentMediaType`.
fn content_format(all: &Map<String, Json>) -> Option<&'static str> {
    if all.contains_key("format") {
        return None;
    }
    match all.get("contentEncoding").and_then(Json::as_str) {
        Some("base64") => Some("byte"),
        Some(_) => None,
        None => {
            let media_type = all.get("contentMediaType").and_then(Json::as_str)?;
            let is_text =
                media_type.starts_with("text/") || media_type.ends_with("json") || media_type.ends_with("xml");
            (!is_text).then_some("binary")
        }
    }
}
