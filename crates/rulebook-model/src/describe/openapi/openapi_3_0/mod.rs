//! Converts an OpenAPI 3.1 document to another version of OpenAPI. For OpenAPI 3.0, removes what 3.0 does not have, and
//! converts the schemas.

mod schema;
mod types;

use serde_json::{Map, Value as Json};

use schema::SchemaConverter;

use super::security::ROLES_NOTE;

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

/// An object of the document whose members have a meaning of their own.
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

/// What a member of a part contains.
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

/// Removes the roles from security requirements, which only schemes with scopes have in OpenAPI 3.0, and requirements
/// that are then equal.
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
