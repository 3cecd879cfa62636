//! The shapes that an outcome takes in a body.
//!
//! In charge of which members an answer has, in each envelope. An envelope
//! tells its members to a [`Members`] writer and so serves every format. Must
//! not know requests or formats.

mod aicra;
mod json;
mod phalapi;
mod plain;
mod problem;

use std::sync::Arc;

use serde_json::{Value as Json, json};

pub use aicra::Aicra;
pub use json::JsonMembers;
pub use phalapi::Phalapi;
pub use plain::Plain;
pub use problem::Problem;

use crate::call::{Encode, Fault, Reason, Refusal, Value};
use crate::model::{Api, DeclaredError, EnvelopeName};

/// A shape of answers.
pub trait Envelope: Send + Sync {
    /// Tells the members of a success. `whole`: the outputs are one value, not members.
    ///
    /// # Errors
    /// The outputs cannot be written.
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError>;

    /// Tells the members of a refusal.
    ///
    /// # Errors
    /// They cannot be written.
    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError>;

    /// The HTTP status of an answer whose outcome has the status `real`.
    fn status(&self, real: u16) -> u16 {
        real
    }

    /// The member in which a body tells the real HTTP status where the answer's own cannot, which in JSONP is always
    /// 200. None: the body tells it anyway, or tells of a success nothing.
    fn status_member(&self) -> Option<&'static str> {
        None
    }

    /// The media type of a success in JSON.
    fn success_type(&self) -> &'static str {
        "application/json"
    }

    /// The media type of a refusal in JSON.
    fn refusal_type(&self) -> &'static str {
        "application/json"
    }

    /// What [`success`](Envelope::success) tells, as JSON Schema 2020-12. `outputs` is the schema of the outputs;
    /// where they are members and not the whole, it has `properties` and `required`.
    fn success_schema(&self, outputs: Json, whole: bool) -> Json;

    /// What [`refusal`](Envelope::refusal) tells of the engine's own refusals, as JSON Schema 2020-12.
    fn refusal_schema(&self) -> Json;

    /// The same of an error that a method declares, to which a handler may add members.
    fn declared_schema(&self, error: &DeclaredError) -> Json;
}

/// Writes the members of an answer's outermost object, in the order in which they are told.
pub trait Members {
    /// A member with a value of the envelope's own.
    ///
    /// # Errors
    /// It cannot be written.
    fn member(&mut self, name: &str, value: Value<'_>) -> Result<(), WriteError>;

    /// A member that holds the outputs.
    ///
    /// # Errors
    /// They cannot be written.
    fn nested(&mut self, name: &str, outputs: &dyn Encode) -> Result<(), WriteError>;

    /// A member that holds the outputs, which are members themselves; where there are none it holds `empty`.
    ///
    /// # Errors
    /// They cannot be written, or are no object.
    fn object(&mut self, name: &str, outputs: &dyn Encode, empty: Value<'_>) -> Result<(), WriteError>;

    /// The outputs' own members, beside those of the envelope.
    ///
    /// # Errors
    /// They cannot be written, or are no object.
    fn spread(&mut self, outputs: &dyn Encode) -> Result<(), WriteError>;

    /// The outputs instead of an object; nothing else may be told.
    ///
    /// # Errors
    /// They cannot be written.
    fn whole(&mut self, outputs: &dyn Encode) -> Result<(), WriteError>;
}

/// Why an answer cannot be written: always the program's fault.
#[derive(Debug)]
pub enum WriteError {
    /// The outputs' own `Serialize` failed.
    Outputs(serde_json::Error),
    /// The outputs are no object, where they should be members.
    NotAnObject,
}

impl std::fmt::Display for WriteError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Outputs(error) => write!(f, "the outputs cannot be written: {error}"),
            Self::NotAnObject => f.write_str("the outputs are no object, so they cannot stand beside other members"),
        }
    }
}

impl From<serde_json::Error> for WriteError {
    fn from(error: serde_json::Error) -> Self {
        Self::Outputs(error)
    }
}

/// The envelope of this name, as the API has set it up.
#[must_use]
pub fn of(api: &Api, name: EnvelopeName) -> Arc<dyn Envelope> {
    match name {
        EnvelopeName::Aicra => Arc::new(Aicra),
        EnvelopeName::Plain => Arc::new(Plain),
        EnvelopeName::Phalapi => Arc::new(Phalapi { catalogue: api.catalogue, real_status: api.real_status }),
    }
}

/// Tells what a refusal knows beside its words: the same members in every envelope that has room for them.
/// `own`: the envelope's members, which a handler's data cannot replace.
fn details(refusal: &Refusal, own: &[&str], to: &mut dyn Members) -> Result<(), WriteError> {
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

/// What [`details`] tells of the engine's own refusals: properties of which none is required.
fn details_schema() -> Json {
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
fn object_schema(own: Json, others: Json) -> Json {
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
