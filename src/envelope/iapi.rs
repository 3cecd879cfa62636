//! internal-api's shape: the outputs alone, or `{"status": "error", "message": …}`.

use serde_json::{Value as Json, json};

use super::{Envelope, Members, Plain, WriteError, details, details_schema, object_schema};
use crate::call::{Encode, Refusal};
use crate::error::ErrorStatus;

/// The HTTP status of whatever its documents know as an error.
const ERROR: u16 = 400;

/// The outputs alone; `status` and `message` of a refusal, beside what else it tells.
#[derive(Debug, Clone, Copy)]
pub struct Iapi {
    /// Whether faults of parameters, files and the database have their real HTTP status, and not 400.
    pub strict_status: bool,
}

impl Envelope for Iapi {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        Plain.success(outputs, whole, to)
    }

    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
        to.member("status", "error".into())?;
        to.member("message", refusal.to_string().into())?;
        details(refusal, &["status", "message"], to)
    }

    fn status(&self, real: u16) -> u16 {
        match real {
            // Not there, taken or gone, not to be worked with; the database or the disk.
            404 | 409 | 410 | 422 | 503 | 507 if !self.strict_status => ERROR,
            // Who may ask, how much and how, is told by the same status everywhere.
            _ => real,
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        Plain.success_schema(outputs, whole)
    }

    fn refusal_schema(&self) -> Json {
        object_schema(own(), json!({ "properties": details_schema() }))
    }

    fn declared_schema(&self, _: &str, _: ErrorStatus) -> Json {
        object_schema(own(), json!({}))
    }
}

fn own() -> Json {
    json!({
        "status": { "const": "error" },
        "message": { "type": "string", "description": "What is wrong with this request" },
    })
}
