//! The header fields of responses, also of those with a file. A header field that several responses have is described
//! once, in a component of the document, and the responses refer to this component.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use utoipa::openapi::{ContentBuilder, Header, HeaderBuilder, Ref, RefOr, Response};

use super::errors::{DEPRECATION_FIELDS, HeaderField, RATE_LIMIT, RATE_LIMIT_POLICY, REPLAYED};
use super::operation::DescribedMethod;
use super::schemas::{SchemaPlace, Schemas};
use crate::call::HttpMethod;
use crate::model::{Api, Method, Module, Unbound};

const REQUEST_ID_COMPONENT: &str = "RequestId";

pub(super) fn header_components(api: &Api, schemas: &mut Schemas) -> BTreeMap<String, RefOr<Header>> {
    let has_rate_limits = api.methods().any(|(module, _, method)| has_rate_limits(api, module, method));
    let limits = [RATE_LIMIT, RATE_LIMIT_POLICY].into_iter().filter(|_| has_rate_limits);
    let has_deprecated = api.methods().any(|(.., method)| method.options.deprecation.is_some());
    let of_deprecated = DEPRECATION_FIELDS.into_iter().filter(|_| has_deprecated);
    let has_idempotent = api.methods().any(|(.., method)| method.options.idempotent.is_some());
    let replayed = [REPLAYED].into_iter().filter(|_| has_idempotent);
    let fields = limits.chain(of_deprecated).chain(replayed).chain(download_header_fields(api));
    let mut components: BTreeMap<String, RefOr<Header>> =
        fields.map(|(name, info)| (header_component_name(name), text_header(info, schemas).into())).collect();
    let id = "The id of the request in the server's log: chosen by the client, otherwise by the server";
    components.insert(REQUEST_ID_COMPONENT.to_owned(), text_header(id, schemas).into());
    components
}

/// Returns `true` if the definition limits the rate of the method, or if the limits of keys do, because it is not
/// public.
pub(super) fn has_rate_limits(api: &Api, module: &Module, method: &Method) -> bool {
    !method.scope.is_public() || !api.rate_limits(module, method).is_empty()
}

/// Returns the name of the component that describes a header field. It is the name of the header field without hyphens.
fn header_component_name(name: &str) -> String {
    name.replace('-', "")
}

pub(super) fn add_header_reference(response: &mut Response, name: &str) {
    let reference = Ref::new(format!("#/components/headers/{}", header_component_name(name)));
    response.headers.insert(name.to_owned(), RefOr::Ref(reference));
}

/// Adds the header field `X-Request-Id` to a response. Every response has this header field.
pub(super) fn with_request_id_header(mut response: Response) -> Response {
    let reference = Ref::new(format!("#/components/headers/{REQUEST_ID_COMPONENT}"));
    response.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(reference));
    response
}

pub(super) fn text_header(info: &str, schemas: &mut Schemas) -> Header {
    let schema = schemas.add_with_placeholder(json!({ "type": "string" }));
    HeaderBuilder::new().schema(Some(schema)).description(Some(info)).build()
}

// The outputs that are header fields of success responses, and the entity tag of the version of a resource.

/// Adds the entity tag of the version of the resource.
fn add_version_tag(response: &mut Response, schemas: &mut Schemas) {
    let info = "The entity tag of the version of the resource, for `If-None-Match` and `If-Match` of later requests";
    response.headers.insert(ETAG.0.to_owned(), text_header(info, schemas).into());
}

/// A server that echoes arguments has no outputs.
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
        add_version_tag(response, schemas);
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
    add_version_tag(&mut response, schemas);
    Some((304, Some("VersionNotModified"), response))
}

// Methods that return a file, which definitions mark with the option `download`.

const ANY_MEDIA_TYPE: &str = "*/*";

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

/// Empty if no method of the API returns a file.
fn download_header_fields(api: &Api) -> impl Iterator<Item = HeaderField> {
    let has_downloads = api.methods().any(|(.., method)| method.options.download);
    let fields = [ETAG, LAST_MODIFIED, CONTENT_DISPOSITION, ACCEPT_RANGES, CONTENT_RANGE];
    fields.into_iter().filter(move |_| has_downloads)
}

fn add_header_fields(response: &mut Response, fields: &[HeaderField]) {
    fields.iter().for_each(|(name, _)| add_header_reference(response, name));
}

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

/// The schema is needed because the file can have the same media type as the response that contains a link.
pub(super) fn file_schema() -> Json {
    json!({ "description": "The file, if it has this media type" })
}

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
