//! The API as an OpenAPI 3.1 document.

use serde_json::{Value as Json, json};

use crate::model::Api;

/// The OpenAPI document of an API.
#[must_use]
pub fn openapi(api: &Api) -> Json {
    json!({ "openapi": "3.1.0", "info": { "title": api.title, "version": api.version }, "paths": {} })
}
