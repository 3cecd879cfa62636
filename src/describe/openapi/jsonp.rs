//! JSONP: the parameter that asks for it, and the answer that comes of it.

use serde_json::json;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};

use super::schemas::Schemas;
use super::shown::Shown;
use crate::call::Callback;

const INFO: &str = "In JSONP, the function of the page that the answer is handed to: the answer is a script, always of \
    status 200, with the real status inside. For scripts alone: a request with `Authorization` is refused, and no \
    cookie is read";

/// The parameter that names the function.
pub(super) fn parameter(schemas: &mut Schemas) -> Parameter {
    let schema = json!({ "type": "string", "pattern": Callback::PATTERN, "maxLength": Callback::MOST_LENGTH });
    ParameterBuilder::new()
        .name(Callback::PARAMETER)
        .parameter_in(ParameterIn::Query)
        .description(Some(INFO))
        .required(Required::False)
        .schema(Some(schemas.place(schema)))
        .build()
}

/// The script, whatever it hands over.
pub(super) fn script() -> Shown {
    Shown::one(200, "text/javascript", json!({ "type": "string" }))
}
