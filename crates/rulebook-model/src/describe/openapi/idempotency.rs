//! The header field `Idempotency-Key`, with which a client can repeat a request safely.

use serde_json::json;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::schemas::Schemas;
use crate::describe::idempotency::{describe_idempotency, reads_key_as_parameter};
use crate::model::{Api, Idempotency, Method};

/// Returns the description of the header field `Idempotency-Key`; `None` if the method does not read it, or has a
/// parameter in it.
pub(super) fn key_parameter(api: &Api, method: &Method, schemas: &mut Schemas) -> Option<Parameter> {
    let idempotency = method.options.idempotent?;
    if reads_key_as_parameter(method) {
        return None;
    }
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": api.limits.idempotency_key });
    let required = if idempotency == Idempotency::Required { Required::True } else { Required::False };
    let parameter = ParameterBuilder::new()
        .name(Idempotency::HEADER)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(describe_idempotency(api, method))
        .schema(Some(schemas.add_with_placeholder(schema)));
    Some(parameter.build())
}
