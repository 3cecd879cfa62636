//! The header fields of success responses that outputs are, and the entity tag of the version of a resource.

use serde_json::json;
use utoipa::openapi::{HeaderBuilder, Response};

use super::headers::text_header;
use super::operation::DescribedMethod;
use super::schemas::{SchemaPlace, Schemas};
use crate::call::HttpMethod;
use crate::model::{Method, Unbound};

const ETAG: &str = "ETag";
const ETAG_DESCRIPTION: &str =
    "The entity tag of the version of the resource, for `If-None-Match` and `If-Match` of later requests";

/// Adds the header fields that contain outputs, and the entity tag, to a success response. A server that echoes
/// arguments has no outputs.
pub(super) fn add_response_fields(
    response: &mut Response,
    DescribedMethod { method, name, .. }: DescribedMethod<'_>,
    unbound: Unbound,
    schemas: &mut Schemas,
) {
    if unbound == Unbound::Echo {
        return;
    }
    for (output, field) in method.header_outputs() {
        let check = &*output.r#type.check;
        let place = SchemaPlace { method: name, part: "result", key: &output.name };
        let mut schema = check.schema();
        if field.has_http_date() && schema["type"] == "string" {
            schema = json!({ "type": "string" });
        }
        let schema = schemas.add_referenced(schema, check, place);
        let schema = schemas.type_schema_or_reference(place, schema);
        let schema = schemas.add_with_placeholder(schema);
        let header = HeaderBuilder::new().schema(Some(schema)).description(Some(&output.info)).build();
        response.headers.insert(field.name.clone(), header.into());
    }
    if method.options.version.is_some() {
        response.headers.insert(ETAG.to_owned(), text_header(ETAG_DESCRIPTION, schemas).into());
    }
}

/// Returns the response to a GET request whose `If-None-Match` contains the entity tag of the current version, with its
/// status and the name of its component.
pub(super) fn not_modified_response(
    method: &Method,
    unbound: Unbound,
    schemas: &mut Schemas,
) -> Option<(u16, Option<&'static str>, Response)> {
    if method.options.version.is_none() || method.http != HttpMethod::Get || unbound == Unbound::Echo {
        return None;
    }
    let mut response = Response::new("The client has the current version of the resource (`If-None-Match`)");
    response.headers.insert(ETAG.to_owned(), text_header(ETAG_DESCRIPTION, schemas).into());
    Some((304, Some("VersionNotModified"), response))
}
