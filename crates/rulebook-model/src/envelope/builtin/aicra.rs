//! The envelope of aicra: `{"error": 0, "ErrorDescription": "all right", …outputs}`.

use serde_json::{Value as Json, json};

use crate::call::{ApiError, Encode, ErrorKind};
use crate::envelope::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, details_schema,
    object_schema, write_details,
};
use crate::error::ErrorCode;
use crate::model::DeclaredError;

/// An envelope whose responses have the members `error` (a number) and `ErrorDescription` beside the outputs. In an
/// error response, the member `errors` lists the parameter errors.
#[derive(Debug, Clone, Copy)]
pub struct Aicra;

impl Envelope for Aicra {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("error", 0.into())?;
        to.member("ErrorDescription", "all right".into())?;
        if whole { to.nested("result", outputs) } else { to.spread(outputs) }
    }

    fn reserved_members(&self) -> &[&str] {
        // `errors` and `status` are members of error and JSONP responses. Outputs cannot have these names, so that a
        // member name has the same meaning in all responses.
        &["error", "ErrorDescription", "errors", "status"]
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("error", error.number().into())?;
        to.member("ErrorDescription", format!("{}: {error}", error.code().title()).into())?;
        if let ErrorKind::Declared { name, .. } = error.kind() {
            to.member("name", name.as_ref().into())?;
        }
        write_details(error, &["error", "ErrorDescription", "name"], to)
    }

    fn status_member(&self) -> Option<&'static str> {
        Some("status")
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Members { except: &["error", "ErrorDescription"], whole: "result" },
            success: &[("error", MemberValue::Number(0)), ("ErrorDescription", MemberValue::AnyText)],
            hides_errors: false,
            error: ErrorMembers {
                identified_by: &[("error", MemberValue::AnyNumber), ("ErrorDescription", MemberValue::AnyText)],
                code: Some("error"),
                name: Some("name"),
                message: &["ErrorDescription"],
                parameters: Some("errors"),
                status: self.status_member(),
            },
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let members = json!({ "error": { "const": 0 }, "ErrorDescription": { "const": "all right" } });
        let outputs =
            if whole { json!({ "properties": { "result": outputs }, "required": ["result"] }) } else { outputs };
        object_schema(members, outputs)
    }

    fn error_schema(&self) -> Json {
        let members = json!({
            "error": { "type": "integer", "minimum": 1, "description": "A number for the kind of error" },
            "ErrorDescription": { "type": "string" },
        });
        object_schema(members, json!({ "properties": details_schema() }))
    }

    fn declared_error_schema(&self, declared: &DeclaredError) -> Json {
        let number = match declared.number {
            Some(number) => json!({ "const": number }),
            // The handler may set a number.
            None => json!({ "type": "integer", "minimum": 1, "default": ErrorCode::Failed.row().aicra_number }),
        };
        let members =
            json!({ "error": number, "ErrorDescription": { "type": "string" }, "name": { "const": declared.name } });
        object_schema(members, json!({}))
    }
}
