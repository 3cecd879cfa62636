//! The details of an error: the data in an error response that client programs read, besides the message.

use serde_json::{Value as Json, json};

use super::{MemberWriter, WriteError};
use crate::call::{ApiError, ErrorKind, ParameterError};

/// Writes the details of an error as members of the response. These members have the same names in every envelope:
/// `errors`, `truncated`, `similar`, `successor`, `missing`, `parameter`, `limit`, `accepted`, `request_id`. If a
/// handler returned the error, the details are the members that the handler added to it.
///
/// `reserved` contains the names of the members that the envelope itself writes. A member that a handler added is
/// omitted if it has one of these names.
///
/// # Errors
/// Fails if a member cannot be written.
pub fn write_details(error: &ApiError, reserved: &[&str], to: &mut dyn MemberWriter) -> Result<(), WriteError> {
    match error.kind() {
        ErrorKind::Parameters { errors, truncated } => {
            to.member("errors", (&errors.iter().map(parameter_error_json).collect::<Json>()).into())?;
            if *truncated { to.member("truncated", true.into()) } else { Ok(()) }
        }
        ErrorKind::Declared { data, .. } => {
            let mut data = data.iter().filter(|(name, _)| !reserved.contains(&name.as_ref()));
            data.try_for_each(|(name, value)| to.member(name, value.into()))
        }
        ErrorKind::UnknownService { similar } if !similar.is_empty() => {
            to.member("similar", (&similar.iter().map(String::as_str).collect::<Json>()).into())
        }
        ErrorKind::MethodGone { successor: Some(successor), .. } => to.member("successor", successor.as_str().into()),
        ErrorKind::Forbidden { missing } => to.member("missing", (&missing.iter().cloned().collect::<Json>()).into()),
        ErrorKind::TooLarge { limit, parameter } => {
            if let Some(parameter) = parameter {
                to.member("parameter", parameter.as_str().into())?;
            }
            let limit = json!({ "name": limit.name, "max": limit.max, "unit": limit.unit.as_str() });
            to.member("limit", (&limit).into())
        }
        ErrorKind::UnsupportedMediaType { accepted, .. } => {
            to.member("accepted", (&accepted.iter().cloned().collect::<Json>()).into())
        }
        // The error of a call from code has no request id, because the caller receives the cause of the error directly.
        ErrorKind::Internal { request_id } if !request_id.is_empty() => {
            to.member("request_id", request_id.as_str().into())
        }
        _ => Ok(()),
    }
}

/// Returns the members that [`write_details`] writes for errors which the server itself detects, as the `properties` of
/// a JSON Schema. All these members are optional.
#[must_use]
pub fn details_schema() -> Json {
    let parameter_error = json!({
        "type": "object",
        "properties": {
            "parameter": { "type": "string", "description": "The name of the parameter in the request, with the path into its value" },
            "in": { "enum": ["path", "query", "body", "query or body", "header", "cookie"] },
            "expected": { "type": "string", "description": "A description of the expected value" },
            "got": { "type": ["string", "null"], "description": "The received value, shortened; null if the parameter is missing" },
            "similar": { "type": "string", "description": "For an unknown parameter: the name of a parameter with a similar name" },
            "message": { "type": "string", "description": "The message that the definition has for this parameter" },
        },
        "required": ["parameter", "in", "expected", "got"],
    });
    json!({
        "errors": { "type": "array", "items": parameter_error, "description": "The parameter errors" },
        "truncated": { "const": true, "description": "There are more parameter errors than are listed" },
        "similar": { "type": "array", "items": { "type": "string" }, "description": "Services with a similar URI" },
        "successor": { "type": "string", "description": "The HTTP method and the URI that replace the method" },
        "missing": {
            "type": "array",
            "items": { "type": "array", "items": { "type": "string" } },
            "description": "The missing permissions: all permissions of one of these lists are required",
        },
        "parameter": { "type": "string", "description": "The parameter that exceeds the limit, if it is a parameter" },
        "limit": {
            "type": "object",
            "properties": { "name": { "type": "string" }, "max": { "type": "integer" }, "unit": { "type": "string" } },
            "required": ["name", "max", "unit"],
            "description": "The limit that was exceeded",
        },
        "accepted": { "type": "array", "items": { "type": "string" }, "description": "The supported media types" },
        "request_id": { "type": "string", "description": "The id under which the log has the reason" },
    })
}

/// Returns the JSON Schema of an object. `members` are the schemas of the members that the object must have. The schema
/// also gets the `properties` and `required` of the schema `additional`.
pub(super) fn object_schema(members: Json, additional: Json) -> Json {
    let (Json::Object(mut properties), Json::Object(mut additional)) = (members, additional) else { return json!({}) };
    let mut required: Vec<Json> = properties.keys().map(|name| name.as_str().into()).collect();
    if let Some(Json::Object(members)) = additional.remove("properties") {
        properties.extend(members);
    }
    if let Some(Json::Array(names)) = additional.remove("required") {
        required.extend(names);
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// Returns a parameter error as an item of the member `errors`.
fn parameter_error_json(error: &ParameterError) -> Json {
    let mut members = serde_json::Map::new();
    members.insert("parameter".into(), error.parameter.as_str().into());
    members.insert("in".into(), error.source.as_str().into());
    members.insert("expected".into(), error.expected.as_ref().into());
    members.insert("got".into(), error.got.as_deref().into());
    if let Some(similar) = &error.similar {
        members.insert("similar".into(), similar.as_ref().into());
    }
    if let Some(message) = &error.message {
        members.insert("message".into(), message.as_ref().into());
    }
    Json::Object(members)
}
