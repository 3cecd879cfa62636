//! Converts an OpenAPI 3.1 document to another version of OpenAPI. For OpenAPI 3.0, removes what 3.0 does not have, and
//! converts the schemas.

use std::collections::HashSet;

use serde_json::{Map, Value as Json, json};

use super::ROLES_NOTE;
use super::schemas::COMPONENT_PREFIX;
use crate::distinct_names::is_one_of;
use crate::types::kinds;

/// A version of the OpenAPI Specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenapiVersion {
    /// OpenAPI 3.0. Its schemas have fewer keywords, so that they can accept more values than the server.
    V3_0,
    /// OpenAPI 3.1, for which the document is generated.
    #[default]
    V3_1,
    /// OpenAPI 3.2.
    V3_2,
}

/// Converts an OpenAPI document that [`openapi`](super::openapi) or [`openapi_part`](super::openapi_part) has returned
/// to another version of OpenAPI.
#[must_use]
pub fn convert_openapi(mut document: Json, version: OpenapiVersion) -> Json {
    let text = match version {
        OpenapiVersion::V3_0 => {
            convert_to_3_0(&mut document);
            // Some programs know only the patch versions up to this one.
            "3.0.3"
        }
        OpenapiVersion::V3_1 => return document,
        // Every document for 3.1 is also a document for 3.2.
        OpenapiVersion::V3_2 => "3.2.0",
    };
    if let Json::Object(members) = &mut document {
        members.insert("openapi".to_owned(), text.into());
    }
    document
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Document,
    Info,
    License,
    Components,
    PathItem,
    Operation,
    /// A parameter or a header field.
    Parameter,
    RequestBody,
    Response,
    MediaType,
    Encoding,
    SecurityScheme,
    SecurityRequirements,
    Schema,
}

enum Content {
    One(Part),
    List(Part),
    /// An object with a part for each name.
    ByName(Part),
    /// OpenAPI 3.0 does not have this member.
    Removed,
}

impl Part {
    /// Returns the content of a member; `None` if it is the same in OpenAPI 3.0.
    fn content(self, member: &str) -> Option<Content> {
        use Content::{ByName, List, One, Removed};
        Some(match (self, member) {
            (Self::Document, "info") => One(Self::Info),
            (Self::Document, "paths") => ByName(Self::PathItem),
            (Self::Document, "components") => One(Self::Components),
            (Self::Info, "license") => One(Self::License),
            (Self::Components, "schemas") => ByName(Self::Schema),
            (Self::Components, "responses") | (Self::Operation, "responses") => ByName(Self::Response),
            (Self::Components, "parameters") | (Self::Components | Self::Response | Self::Encoding, "headers") => {
                ByName(Self::Parameter)
            }
            (Self::Components, "requestBodies") => ByName(Self::RequestBody),
            (Self::Components, "securitySchemes") => ByName(Self::SecurityScheme),
            (Self::PathItem | Self::Operation, "parameters") => List(Self::Parameter),
            (Self::PathItem, "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace") => {
                One(Self::Operation)
            }
            (Self::Operation, "requestBody") => One(Self::RequestBody),
            (Self::Document | Self::Operation, "security") => One(Self::SecurityRequirements),
            (Self::Parameter | Self::RequestBody | Self::Response, "content") => ByName(Self::MediaType),
            (Self::Parameter | Self::MediaType, "schema") => One(Self::Schema),
            (Self::MediaType, "encoding") => ByName(Self::Encoding),
            (Self::Document, "jsonSchemaDialect" | "webhooks")
            | (Self::Info, "summary")
            | (Self::License, "identifier")
            | (Self::Components, "pathItems") => Removed,
            _ => return None,
        })
    }
}

/// Converts a document of OpenAPI 3.1, except its version.
fn convert_to_3_0(document: &mut Json) {
    let schemas = SchemaConverter::new(document.pointer("/components/schemas"));
    convert_part(document, Part::Document, &schemas);
}

fn convert_part(value: &mut Json, part: Part, schemas: &SchemaConverter) {
    if part == Part::Schema {
        *value = schemas.convert(value);
        return;
    }
    if part == Part::SecurityRequirements {
        remove_roles(value);
        return;
    }
    let Json::Object(members) = value else { return };
    if let Some(reference) = members.get("$ref").filter(|_| part != Part::PathItem).cloned() {
        // Other members next to a reference are ignored in OpenAPI 3.0.
        *members = Map::from_iter([("$ref".to_owned(), reference)]);
        return;
    }
    members.retain(|name, _| !matches!(part.content(name), Some(Content::Removed)));
    for (name, member) in members.iter_mut() {
        match part.content(name) {
            Some(Content::One(inner)) => convert_part(member, inner, schemas),
            Some(Content::List(inner)) => {
                member.as_array_mut().into_iter().flatten().for_each(|item| convert_part(item, inner, schemas));
            }
            Some(Content::ByName(inner)) => {
                let named = member.as_object_mut().into_iter().flatten();
                named.for_each(|(_, value)| convert_part(value, inner, schemas));
            }
            Some(Content::Removed) | None => {}
        }
    }
    if part == Part::SecurityScheme
        && let Some(Json::String(description)) = members.get_mut("description")
    {
        *description = description.replace(ROLES_NOTE, "");
    }
}

/// In OpenAPI 3.0, only schemes with scopes have roles. Requirements that are then equal are removed too.
fn remove_roles(requirements: &mut Json) {
    let Json::Array(requirements) = requirements else { return };
    let mut different: Vec<Json> = Vec::new();
    for mut requirement in requirements.drain(..) {
        if let Json::Object(schemes) = &mut requirement {
            schemes.values_mut().for_each(|roles| *roles = Json::Array(Vec::new()));
        }
        if !different.contains(&requirement) {
            different.push(requirement);
        }
    }
    *requirements = different;
}

// A JSON Schema 2020-12 becomes a Schema Object of OpenAPI 3.0. A keyword that OpenAPI 3.0 does not have is omitted, so
// that the converted schema can accept more values, but never fewer. Therefore a schema under `not` is omitted unless
// it is converted exactly, and `oneOf` becomes `anyOf` unless its branches are.

/// The keywords that do not restrict the values.
const ANNOTATIONS: &str =
    "title description default example deprecated readOnly writeOnly discriminator externalDocs xml";

#[derive(Debug, Default)]
struct SchemaConverter {
    /// The names of the components whose converted schemas accept more values.
    inexact: HashSet<String>,
}

struct Converted {
    keywords: Map<String, Json>,
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

    fn add_to_all_of(&mut self, schema: Json) {
        match self.keywords.get_mut("allOf") {
            Some(Json::Array(schemas)) => schemas.push(schema),
            _ => {
                self.keywords.insert("allOf".to_owned(), json!([schema]));
            }
        }
    }

    /// Adds a keyword. If the schema has this keyword, the added one becomes a part of `allOf`.
    fn add(&mut self, keyword: &str, value: Json) {
        if self.keywords.contains_key(keyword) {
            self.add_to_all_of(json!({ (keyword): value }));
        } else {
            self.keywords.insert(keyword.to_owned(), value);
        }
    }
}

impl SchemaConverter {
    fn new(components: Option<&Json>) -> Self {
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

    fn convert(&self, schema: &Json) -> Json {
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
                let inner = self.convert_part(value, to);
                to.add(keyword, inner);
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
                to.add(keyword, properties);
            }
            "allOf" => {
                for schema in value.as_array().into_iter().flatten() {
                    let schema = self.convert_part(schema, to);
                    to.add_to_all_of(schema);
                }
            }
            "anyOf" | "oneOf" => {
                let branches = value.as_array().into_iter().flatten();
                let branches: Vec<_> = branches.map(|schema| self.convert_schema(schema)).collect();
                let is_exact = branches.iter().all(|branch| branch.is_exact);
                to.is_exact &= is_exact;
                let keyword = if is_exact { keyword } else { "anyOf" };
                to.add(keyword, branches.into_iter().map(Converted::into_json).collect());
            }
            _ if is_of_types(keyword) || is_annotation(keyword) => to.add(keyword, value.clone()),
            _ => to.is_exact = false,
        }
    }

    fn convert_part(&self, schema: &Json, whole: &mut Converted) -> Json {
        let part = self.convert_schema(schema);
        whole.is_exact &= part.is_exact;
        part.into_json()
    }
}

fn is_annotation(keyword: &str) -> bool {
    is_one_of(ANNOTATIONS, keyword) || keyword.starts_with("x-")
}

fn is_of_types(keyword: &str) -> bool {
    KEYWORDS_OF_TYPES.iter().any(|(_, keywords)| keywords.contains(&keyword))
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

// In OpenAPI 3.0, a schema has one type, which can be nullable.

/// The keywords that apply only to values of certain types.
const KEYWORDS_OF_TYPES: [(&[&str], &[&str]); 4] = [
    (&["string"], &["minLength", "maxLength", "pattern", "format"]),
    (&["integer", "number"], &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
    (&["array"], &["items", "minItems", "maxItems", "uniqueItems"]),
    (&["object"], &["properties", "required", "additionalProperties", "minProperties", "maxProperties"]),
];

/// Returns the schema of the value null. In OpenAPI 3.0, null is a value of another type that is nullable.
fn null_schema() -> Json {
    json!({ "type": "string", "nullable": true, "enum": [null] })
}

/// Adds the keyword `type`. In OpenAPI 3.0, it is the name of one type other than `null`.
fn add_type(names: Option<&Json>, to: &mut Converted) {
    if names.is_none() {
        return;
    }
    let mut kinds = kinds(names);
    let accepts_null = kinds.contains(&"null");
    kinds.retain(|kind| *kind != "null");
    match kinds.as_slice() {
        [] if accepts_null => {
            let Json::Object(null) = null_schema() else { return };
            let is_free = null.keys().all(|keyword| !to.keywords.contains_key(keyword));
            if is_free { to.keywords.extend(null) } else { to.add_to_all_of(Json::Object(null)) }
        }
        [] => to.add("not", json!({})),
        [kind] => {
            let others = std::mem::replace(&mut to.keywords, schema_of_kind(kind, accepts_null));
            to.keywords.extend(others);
        }
        kinds => {
            let branches = kinds.iter().enumerate().map(|(index, kind)| {
                let mut branch = schema_of_kind(kind, accepts_null && index == 0);
                branch.extend(keywords_of_kind(kind, &to.keywords));
                Json::Object(branch)
            });
            let branches: Vec<Json> = branches.collect();
            to.keywords.retain(|keyword, _| !is_of_types(keyword));
            to.add("anyOf", branches.into());
        }
    }
}

fn schema_of_kind(kind: &str, accepts_null: bool) -> Map<String, Json> {
    let mut keywords = Map::from_iter([("type".to_owned(), kind.into())]);
    if accepts_null {
        keywords.insert("nullable".to_owned(), true.into());
    }
    // An array needs this keyword in OpenAPI 3.0.
    if kind == "array" {
        keywords.insert("items".to_owned(), json!({}));
    }
    keywords
}

fn keywords_of_kind<'k>(kind: &str, all: &'k Map<String, Json>) -> impl Iterator<Item = (String, Json)> + use<'k> {
    let row = KEYWORDS_OF_TYPES.iter().find(|(kinds, _)| kinds.contains(&kind));
    let keywords = row.map_or(&[][..], |(_, keywords)| keywords);
    let of_kind = all.iter().filter(move |(keyword, _)| keywords.contains(&keyword.as_str()));
    of_kind.map(|(keyword, value)| (keyword.clone(), value.clone()))
}

/// Makes the only other branch of an `anyOf` with null nullable, if that is exact. If the schema consists of it and of
/// annotations, it replaces the schema.
fn merge_null(keywords: &mut Map<String, Json>) {
    let Some(Json::Array(branches)) = keywords.get_mut("anyOf") else { return };
    let null = null_schema();
    let Some(index) = branches.iter().position(|branch| *branch == null).filter(|_| branches.len() == 2) else {
        return;
    };
    let Some(Json::Object(other)) = branches.get_mut(1 - index) else { return };
    let is_simple = !["allOf", "anyOf", "oneOf", "not", "$ref"].iter().any(|keyword| other.contains_key(*keyword));
    if !is_simple || !other.contains_key("type") {
        return;
    }
    other.insert("nullable".to_owned(), true.into());
    if let Some(Json::Array(values)) = other.get_mut("enum")
        && !values.contains(&Json::Null)
    {
        values.push(Json::Null);
    }
    let mut merged = std::mem::take(other);
    branches.remove(index);
    if keywords.keys().all(|keyword| keyword == "anyOf" || is_annotation(keyword)) {
        keywords.shift_remove("anyOf");
        merged.extend(std::mem::take(keywords));
        *keywords = merged;
    } else {
        keywords.insert("anyOf".to_owned(), json!([merged]));
    }
}
