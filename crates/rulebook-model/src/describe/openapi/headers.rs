//! The header fields of responses. A header field that several responses have is described once, in a component of the
//! document, and the responses refer to this component.

use std::collections::BTreeMap;

use serde_json::json;
use utoipa::openapi::{Header, HeaderBuilder, Ref, RefOr, Response};

use super::downloads;
use super::error_classes::{DEPRECATION_FIELDS, RATE_LIMIT, RATE_LIMIT_POLICY, REPLAYED};
use super::schemas::Schemas;
use crate::model::{Api, Method, Module, Service};

/// The name of the component for the header field `X-Request-Id`.
const REQUEST_ID_COMPONENT: &str = "RequestId";

/// Returns the components that describe header fields, by component name.
pub(super) fn header_components(api: &Api, schemas: &mut Schemas) -> BTreeMap<String, RefOr<Header>> {
    let mut methods =
        api.modules.iter().flat_map(|module| module.services.iter().map(move |service| (module, service)));
    let has_rate_limits =
        methods.any(|(module, service)| service.methods.iter().any(|method| has_rate_limits(api, module, method)));
    let limits = [RATE_LIMIT, RATE_LIMIT_POLICY].into_iter().filter(|_| has_rate_limits);
    let is_deprecated = |service: &Service| service.methods.iter().any(|method| method.options.deprecation.is_some());
    let has_deprecated = api.modules.iter().any(|module| module.services.iter().any(is_deprecated));
    let of_deprecated = DEPRECATION_FIELDS.into_iter().filter(|_| has_deprecated);
    let is_idempotent = |service: &Service| service.methods.iter().any(|method| method.options.idempotent.is_some());
    let has_idempotent = api.modules.iter().any(|module| module.services.iter().any(is_idempotent));
    let replayed = [REPLAYED].into_iter().filter(|_| has_idempotent);
    let fields = limits.chain(of_deprecated).chain(replayed).chain(downloads::download_header_fields(api));
    let mut components: BTreeMap<String, RefOr<Header>> =
        fields.map(|(name, info)| (header_component_name(name), text_header(info, schemas).into())).collect();
    let id = "The id of the request in the server's log: chosen by the client, otherwise by the server";
    components.insert(REQUEST_ID_COMPONENT.to_owned(), text_header(id, schemas).into());
    components
}

/// Returns `true` if the number of requests to a method can be limited: by the definition, or by the limits of keys, if
/// the method is not public.
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

/// Returns the description of a header field whose value is a text.
pub(super) fn text_header(info: &str, schemas: &mut Schemas) -> Header {
    let schema = schemas.add_with_placeholder(json!({ "type": "string" }));
    HeaderBuilder::new().schema(Some(schema)).description(Some(info)).build()
}
