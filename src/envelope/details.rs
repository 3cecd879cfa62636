//! What refusals know beside their words.

use serde_json::{Value as Json, json};

use super::{Members, WriteError};
use crate::call::{Fault, Reason, Refusal};

/// Tells what a refusal knows beside its words: the same members in every envelope that has room for them.
/// `own`: the envelope's members, which a handler's data cannot replace.
///
/// # Errors
/// They cannot be written.
pub fn details(refusal: &Refusal, own: &[&str], to: &mut dyn Members) -> Result<(), WriteError> {
    match refusal.reason() {
        Reason::Parameters { faults, truncated } => {
            to.member("errors", (&faults.iter().map(fault_json).collect::<Json>()).into())?;
            if *truncated { to.member("truncated", true.into()) } else { Ok(()) }
        }
        Reason::Declared { data, .. } => {
            let free = data.iter().filter(|(name, _)| !own.contains(&name.as_ref()));
            free.into_iter().try_for_each(|(name, value)| to.member(name, value.into()))
        }
        Reason::UnknownService { similar } if !similar.is_empty() => {
            to.member("similar", (&similar.iter().map(String::as_str).collect::<Json>()).into())
        }
        Reason::Forbidden { missing } => to.member("missing", (&missing.iter().cloned().collect::<Json>()).into()),
        Reason::TooLarge { limit, parameter } => {
            if let Some(parameter) = parameter {
                to.member("parameter", parameter.as_str().into())?;
            }
            let limit = json!({ "name": limit.name, "max": limit.max, "unit": limit.unit.as_str() });
            to.member("limit", (&limit).into())
        }
        Reason::UnsupportedMediaType { accepted, .. } => {
            to.member("accepted", (&accepted.iter().copied().collect::<Json>()).into())
        }
        // Nothing stands behind a call from code, and its caller has the reason.
        Reason::Internal { request_id } if !request_id.is_empty() => {
            to.member("request_id", request_id.as_str().into())
        }
        _ => Ok(()),
    }
}

/// What [`details`] tells of the engine's own refusals, as JSON Schema: properties of which none is required.
#[must_use]
pub fn details_schema() -> Json {
    let fault = json!({
        "type": "object",
        "properties": {
            "parameter": { "type": "string", "description": "Its name in the request, and where inside of its value" },
            "in": { "enum": ["path", "query", "body", "query or body", "header", "cookie"] },
            "expected": { "type": "string", "description": "What is taken, in words" },
            "got": { "type": ["string", "null"], "description": "What came, shortened; null where nothing did" },
            "message": { "type": "string", "description": "The parameter's own words" },
        },
        "required": ["parameter", "in", "expected", "got"],
    });
    json!({
        "errors": { "type": "array", "items": fault, "description": "The parameters at fault" },
        "truncated": { "const": true, "description": "More parameters are at fault than are listed" },
        "similar": { "type": "array", "items": { "type": "string" }, "description": "Services of a similar URI" },
        "missing": {
            "type": "array",
            "items": { "type": "array", "items": { "type": "string" } },
            "description": "The permissions that are missing: those of one of these lists would do",
        },
        "parameter": { "type": "string", "description": "What is over the limit, where it is a parameter" },
        "limit": {
            "type": "object",
            "properties": { "name": { "type": "string" }, "max": { "type": "integer" }, "unit": { "type": "string" } },
            "required": ["name", "max", "unit"],
            "description": "The limit that was passed",
        },
        "accepted": { "type": "array", "items": { "type": "string" }, "description": "The media types that are read" },
        "request_id": { "type": "string", "description": "Under what the log has the reason" },
    })
}

/// The schema of an object: `own` members, all of them required, beside the `properties` of `others`, of which
/// those in its `required` are.
pub(super) fn object_schema(own: Json, others: Json) -> Json {
    let (Json::Object(mut properties), Json::Object(mut others)) = (own, others) else { return json!({}) };
    let mut required: Vec<Json> = properties.keys().map(|name| name.as_str().into()).collect();
    if let Some(Json::Object(members)) = others.remove("properties") {
        properties.extend(members);
    }
    if let Some(Json::Array(names)) = others.remove("required") {
        required.extend(names);
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// A parameter at fault.
fn fault_json(fault: &Fault) -> Json {
    let mut members = serde_json::Map::new();
    members.insert("parameter".into(), fault.parameter.as_str().into());
    members.insert("in".into(), fault.source.as_str().into());
    members.insert("expected".into(), fault.expected.as_ref().into());
    members.insert("got".into(), fault.got.as_deref().into());
    if let Some(message) = &fault.message {
        members.insert("message".into(), message.as_ref().into());
    }
    Json::Object(members)
}
