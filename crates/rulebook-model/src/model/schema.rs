//! The schemas of an API: types with a name.

use serde_json::Value as Json;

use super::ParameterType;
use crate::span::Span;

/// A type with a name, which parameters, outputs and other schemas can use.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Schema {
    /// The name that types in the definition use.
    pub name: String,
    /// The name in JSON Schemas, which is unique in the API: the name or, if several API modules have a schema with
    /// this name, the name after the name of the API module.
    pub key: String,
    /// The description of the schema for documents.
    pub info: String,
    /// The type. Its notation is the content of the schema, and its check is a reference to the schema.
    pub r#type: ParameterType,
    /// An example of a value, for documents.
    pub example: Option<Json>,
    /// The keys of the schemas that the definition names under `extends`, for documents. The type already contains
    /// their fields and constraints.
    pub extends: Vec<String>,
    /// The position of the schema's name in the definition.
    pub span: Span,
}
