//! The parameters that the server itself reads, whatever the definition of a method says: the header fields with which
//! a client requests a link to a file and repeats a request safely, and the query parameter for JSONP.

use serde_json::{Value as Json, json};
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::OpenapiDetail;
use super::parameters::PlacedParameter;
use super::schemas::Schemas;
use crate::call::Callback;
use crate::describe::in_words::{describe_idempotency, reads_key_as_parameter};
use crate::model::{Api, Idempotency, Method};

/// The request header field with which a client requests a link to a file.
const LINK_REQUEST_HEADER: &str = "X-Requested-With";

const LINK_REQUEST_DESCRIPTION: &str =
    "With the value `XMLHttpRequest` the response is a link to the file instead of the file itself";
const CALLBACK_DESCRIPTION: &str = "The name of a JavaScript function, for JSONP: the response is a script that calls \
    this function with the body. Its status is always 200, and the real status is in the body. A request with \
    `Authorization` is refused, and cookies are ignored";

/// Returns the parameters that the server reads for a method, each with its name. A parameter is omitted if the method
/// has declared it: `declared` are the parameters of the operation.
pub(super) fn server_parameters(
    api: &Api,
    detail: OpenapiDetail,
    method: &Method,
    declared: &[PlacedParameter<'_>],
    schemas: &mut Schemas,
) -> Vec<(&'static str, Parameter)> {
    let mut parameters = Vec::new();
    let mut add = |name, from, required, description: String, schema: Json| {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(from)
            .required(required)
            .description(Some(description))
            .schema(Some(schemas.add_with_placeholder(schema)));
        parameters.push((name, parameter.build()));
    };
    if method.options.download && !declared.iter().any(|it| it.name.eq_ignore_ascii_case(LINK_REQUEST_HEADER)) {
        // The server ignores other values.
        let schema = json!({ "type": "string" });
        add(LINK_REQUEST_HEADER, ParameterIn::Header, Required::False, LINK_REQUEST_DESCRIPTION.to_owned(), schema);
    }
    if let Some(description) = describe_idempotency(api, method).filter(|_| !reads_key_as_parameter(method)) {
        let is_required = method.options.idempotent == Some(Idempotency::Required);
        let required = if is_required { Required::True } else { Required::False };
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": api.limits.idempotency_key });
        add(Idempotency::HEADER, ParameterIn::Header, required, description, schema);
    }
    if method.allows_jsonp(api.jsonp) && detail == OpenapiDetail::Full {
        let schema = json!({ "type": "string", "pattern": Callback::PATTERN, "maxLength": Callback::MAX_LEN });
        add(Callback::PARAMETER, ParameterIn::Query, Required::False, CALLBACK_DESCRIPTION.to_owned(), schema);
    }
    parameters
}
