//! The responses of methods that return a file, which definitions mark with the option `download`.

use serde_json::{Value as Json, json};
use utoipa::openapi::{ContentBuilder, Response};

use super::error_classes::HeaderField;
use super::headers;
use super::schemas::Schemas;
use crate::call::HttpMethod;
use crate::model::{Api, Method};

/// The media range that includes every media type. The documents use it for the content of files.
const ANY_MEDIA_TYPE: &str = "*/*";

/// The media type of files with unknown content.
const FILE_MEDIA_TYPE: &str = "application/octet-stream";

const ETAG: HeaderField =
    ("ETag", "The entity tag of the file's content, for `If-None-Match`, `If-Match` and `If-Range` of later requests");
const LAST_MODIFIED: HeaderField = ("Last-Modified", "When the file was last changed, if that is known");
const CONTENT_DISPOSITION: HeaderField =
    ("Content-Disposition", "The name of the file, and whether a browser shows the file or saves it");
const ACCEPT_RANGES: HeaderField =
    ("Accept-Ranges", "`bytes` if a client can request a part of the file with `Range`, otherwise `none`");
const CONTENT_RANGE: HeaderField = (
    "Content-Range",
    "The position of this part and the size of the file, in bytes: `bytes 0-99/1234`. With status 416 only the size: \
     `bytes */1234`",
);

/// Returns the header fields that responses with files have. The result is empty if no method of the API returns a
/// file.
pub(super) fn download_header_fields(api: &Api) -> impl Iterator<Item = HeaderField> {
    let mut methods = api.services().flat_map(|service| &service.methods);
    let has_downloads = methods.any(|method| method.options.download);
    let fields = [ETAG, LAST_MODIFIED, CONTENT_DISPOSITION, ACCEPT_RANGES, CONTENT_RANGE];
    fields.into_iter().filter(move |_| has_downloads)
}

fn add_header_fields(response: &mut Response, fields: &[HeaderField]) {
    fields.iter().for_each(|(name, _)| headers::add_header_reference(response, name));
}

/// Returns a response that has these header fields and no body.
fn response_without_body(description: &str, fields: &[HeaderField]) -> Response {
    let mut response = Response::new(description);
    add_header_fields(&mut response, fields);
    response
}

/// Returns the schema of the outputs in a response that contains a link to a file instead of the file.
pub(super) fn link_schema() -> Json {
    let link = json!({
        "type": "string",
        "format": "uri-reference",
        "description": "A link to the file that works for a limited time and needs no key",
    });
    json!({ "type": "object", "properties": { "link": link }, "required": ["link"] })
}

/// Returns a schema for a file that is sent directly. It is needed because the file can have the same media type as the
/// response that contains a link.
pub(super) fn file_schema() -> Json {
    json!({ "description": "The file, if it has this media type" })
}

/// Adds the file to the possible contents of a success response.
pub(super) fn add_file_content(response: &mut Response, schemas: &mut Schemas) {
    // Binary content is described without a schema (OpenAPI 3.1.1 section 4.14). But some generators of code know only
    // the second one of these media types, with a schema.
    response.content.insert(ANY_MEDIA_TYPE.to_owned(), ContentBuilder::new().build().into());
    let bytes = schemas.add_with_placeholder(json!({ "type": "string", "format": "binary" }));
    response.content.insert(FILE_MEDIA_TYPE.to_owned(), ContentBuilder::new().schema(Some(bytes)).build().into());
    add_header_fields(response, &[ETAG, LAST_MODIFIED, CONTENT_DISPOSITION, ACCEPT_RANGES]);
}

/// Returns the responses that only conditional requests and range requests receive, each with its status and the name
/// of its component.
pub(super) fn conditional_responses(method: &Method, schemas: &mut Schemas) -> Vec<(u16, &'static str, Response)> {
    if !method.options.download || method.http != HttpMethod::Get || method.options.status != 200 {
        return Vec::new();
    }
    let mut part = Response::new("The part of the file that `Range` requests");
    add_file_content(&mut part, schemas);
    add_header_fields(&mut part, &[CONTENT_RANGE]);
    let not_modified = "The file has not changed since the client received it (`If-None-Match` or `If-Modified-Since`)";
    let changed = "The file does not meet the condition in `If-Match` or `If-Unmodified-Since`";
    let no_such_part = "The file does not have the part that `Range` requests";
    vec![
        (206, "PartialContent", part),
        (304, "NotModified", response_without_body(not_modified, &[ETAG, LAST_MODIFIED])),
        (412, "PreconditionFailed", response_without_body(changed, &[ETAG, LAST_MODIFIED])),
        (416, "RangeNotSatisfiable", response_without_body(no_such_part, &[ETAG, LAST_MODIFIED, CONTENT_RANGE])),
    ]
}
