//! JSONP, a response that is a script: the query parameter with which a client requests such a response, and the
//! content of the response.

use serde_json::json;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::content::ResponseContent;
use super::schemas::Schemas;
use crate::call::Callback;

const CALLBACK_DESCRIPTION: &str = "The name of a JavaScript function, for JSONP: the response is a script that calls \
    this function with the body. Its status is always 200, and the real status is in the body. A request with \
    `Authorization` is refused, and cookies are ignored";

/// Returns the query parameter that requests JSONP. It contains the name of the JavaScript function that the script
/// calls.
pub(super) fn callback_parameter(schemas: &mut Schemas) -> Parameter {
    let schema = json!({ "type": "string", "pattern": Callback::PATTERN, "maxLength": Callback::MAX_LEN });
    ParameterBuilder::new()
        .name(Callback::PARAMETER)
        .parameter_in(ParameterIn::Query)
        .description(Some(CALLBACK_DESCRIPTION))
        .required(Required::False)
        .schema(Some(schemas.add_with_placeholder(schema)))
        .build()
}

/// Returns the content of a JSONP response. The content is a script, so that its schema does not depend on the body
/// that the script contains.
pub(super) fn script_content() -> ResponseContent {
    ResponseContent::new(200, "text/javascript", json!({ "type": "string" }))
}
