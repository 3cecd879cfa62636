//! What a method answers that returns a file.

use serde_json::{Value as Json, json};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ContentBuilder, Required, Response};

use super::schemas::Schemas;
use crate::call::Http;
use crate::model::Method;

/// The media type of a file that may be of any.
const ANY: &str = "*/*";

/// The outputs of the answer that links to the file.
pub(super) fn link() -> Json {
    let link = json!({
        "type": "string",
        "format": "uri-reference",
        "description": "Where the file is to be had for a while, by whoever has the link",
    });
    json!({ "type": "object", "properties": { "link": link }, "required": ["link"] })
}

/// What else an answer of the link's media type may be.
pub(super) fn of_same_type() -> Json {
    json!({ "description": "The file, where it is of this media type" })
}

/// Gives a success the file itself, beside what else it may be.
pub(super) fn add(response: &mut Response) {
    // Without a schema: raw bytes (OpenAPI 3.1.1 section 4.14).
    response.content.insert(ANY.to_owned(), ContentBuilder::new().build().into());
}

/// The answers to conditions and ranges, none of which has a body but the part.
pub(super) fn beside(method: &Method) -> Vec<(u16, Response)> {
    if !method.options.download || method.http != Http::Get || method.options.status != 200 {
        return Vec::new();
    }
    let mut part = Response::new("The part of the file that was asked for with `Range`");
    add(&mut part);
    vec![
        (206, part),
        (304, Response::new("The client has the file already, as it says with `If-None-Match` or `If-Modified-Since`")),
        (412, Response::new("The file is not the one that `If-Match` or `If-Unmodified-Since` asks for")),
        (416, Response::new("The file has no such part as `Range` asks for")),
    ]
}

/// The header field that asks for a link.
pub(super) fn wanted(schemas: &mut Schemas) -> Parameter {
    let schema = json!({ "type": "string", "enum": ["XMLHttpRequest"] });
    ParameterBuilder::new()
        .name("X-Requested-With")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("With this the answer is a link to the file instead of the file"))
        .schema(Some(schemas.place(schema)))
        .build()
}
