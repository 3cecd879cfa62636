//! The envelope of internal-api, a predecessor of rulebook: success responses consist of the outputs only, and error
//! responses are `{"status": "error", "message": …}`.

use serde_json::{Value as Json, json};

use crate::call::{ApiError, Encode};
use crate::envelope::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, Plain, WriteError, details_schema,
    object_schema, write_details,
};
use crate::model::DeclaredError;

/// The HTTP status of all error responses in the documentation of internal-api.
const DOCUMENTED_ERROR_STATUS: u16 = 400;

/// An envelope whose success responses consist of the outputs only. Error responses have the members `status` and
/// `message`, and the [details](write_details) of the error.
#[derive(Debug, Clone, Copy)]
pub struct Iapi {
    /// If `true`, all error responses have their actual HTTP status. If `false`, some errors about parameters, files
    /// and the database have the status 400 instead, as in internal-api.
    pub strict_status: bool,
}

impl Envelope for Iapi {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        Plain.success(outputs, whole, to)
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("status", "error".into())?;
        to.member("message", error.to_string().into())?;
        write_details(error, &["status", "message"], to)
    }

    fn status(&self, real: u16) -> u16 {
        match real {
            // Client errors (not found, conflict, gone, unprocessable) and failures of the database or the disk.
            404 | 409 | 410 | 422 | 503 | 507 if !self.strict_status => DOCUMENTED_ERROR_STATUS,
            // Errors about authentication, limits and syntax keep their status, as in the other envelopes.
            _ => real,
        }
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Body,
            error: ErrorMembers {
                identified_by: &[("status", MemberValue::Text("error")), ("message", MemberValue::AnyText)],
                ..Decoding::UNKNOWN.error
            },
            ..Decoding::UNKNOWN
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        Plain.success_schema(outputs, whole)
    }

    fn error_schema(&self) -> Json {
        object_schema(error_member_schemas(), json!({ "properties": details_schema() }))
    }

    fn declared_error_schema(&self, _: &DeclaredError) -> Json {
        object_schema(error_member_schemas(), json!({}))
    }
}

/// Returns the JSON Schemas of the members `status` and `message`.
fn error_member_schemas() -> Json {
    json!({
        "status": { "const": "error" },
        "message": { "type": "string", "description": "What is wrong with this request" },
    })
}
