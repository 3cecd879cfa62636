//! The header fields of responses. Fields that several responses have become components of the document.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::{Header, HeaderBuilder, Ref, RefOr, Response};

use super::downloads;
use super::error_classes::{RATE_LIMIT, RATE_LIMIT_POLICY};
use super::schemas::Schemas;
use crate::model::Api;

/// The name of the component for the header field `X-Request-Id`.
const REQUEST_ID: &str = "RequestId";

/// Returns the components for header fields, by name.
pub(super) fn components(api: &Api, schemas: &mut Schemas) -> BTreeMap<String, RefOr<Header>> {
    let mut methods = api.modules.iter().flat_map(|module| &module.services).flat_map(|service| &service.methods);
    let is_limited = methods.any(|method| !method.scope.is_public());
    let limits = [RATE_LIMIT, RATE_LIMIT_POLICY].into_iter().filter(|_| is_limited);
    let fields = limits.chain(downloads::header_fields(api));
    let mut components: BTreeMap<String, RefOr<Header>> =
        fields.map(|(name, info)| (component_name(name), header(info, schemas).into())).collect();
    let id = "The id of the request in the server's log: chosen by the client, otherwise by the server";
    components.insert(REQUEST_ID.to_owned(), header(id, schemas).into());
    components
}

/// Returns the name of the component for a header field: the field name without hyphens.
fn component_name(name: &str) -> String {
    name.replace('-', "")
}

/// Adds a header field to a response, as a reference to the component.
pub(super) fn add_to(response: &mut Response, name: &str) {
    let reference = Ref::new(format!("#/components/headers/{}", component_name(name)));
    response.headers.insert(name.to_owned(), RefOr::Ref(reference));
}

/// Adds the header field `X-Request-Id`, which every response has.
pub(super) fn with_request_id(mut response: Response) -> Response {
    let reference = Ref::new(format!("#/components/headers/{REQUEST_ID}"));
    response.headers.insert("X-Request-Id".to_owned(), RefOr::Ref(reference));
    response
}

/// Returns a header field whose value is a text.
pub(super) fn header(info: &str, schemas: &mut Schemas) -> Header {
    let schema = schemas.add(json!({ "type": "string" }));
    HeaderBuilder::new().schema(Some(schema)).description(Some(info)).build()
}
