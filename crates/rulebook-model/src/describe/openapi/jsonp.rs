//! JSONP: the query parameter that requests it, and the content of the response.

use serde_json::json;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::content::ResponseContent;
use super::schemas::Schemas;
use crate::call::Callback;

const INFO: &str = "The name of a JavaScript function, for JSONP: the response is a script that calls this function with \
    the body. Its status is always 200, and the real status is in the body. A request with `Authorization` is refused, \
    and cookies are ignored";

/// Returns the query parameter that contains the name of the function.
pub(super) fn parameter(schemas: &mut Schemas) -> Parameter {
    let schema = json!({ "type": "string", "pattern": Callback::PATTERN, "maxLength": Callback::MAX_LEN });
    ParameterBuilder::new()
        .name(Callback::PARAMETER)
        .parameter_in(ParameterIn::Query)
        .description(Some(INFO))
        .required(Required::False)
        .schema(Some(schemas.add(schema)))
        .build()
}

/// Returns the content of a JSONP response, a script whose schema does not depend on the body.
pub(super) fn script() -> ResponseContent {
    ResponseContent::new(200, "text/javascript", json!({ "type": "string" }))
}
