//! The versions of OpenAPI. The writer generates a document for OpenAPI 3.1; this Rust module converts it to another
//! version.

use serde_json::Value as Json;

use super::openapi_3_0;

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
            openapi_3_0::convert_document(&mut document);
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
