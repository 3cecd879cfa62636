//! The envelope of aicra since version 0.4.3: `{"status": "all right", …outputs}`, and `{"status": "Id: invalid
//! parameter"}` for errors.

use serde_json::{Value as Json, json};

use crate::call::{ApiError, Encode, ErrorKind, ParameterError, ParameterErrorKind};
use crate::envelope::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, object_schema,
    write_details,
};
use crate::error::ErrorCode;
use crate::error::catalogue::Catalogue;
use crate::model::DeclaredError;

/// The value of `status` in success responses.
const SUCCESS: &str = "all right";

/// An envelope whose responses have the member `status` beside the outputs. In an error response, `status` is the
/// message, with the first parameter error.
#[derive(Debug, Clone, Copy)]
pub struct AicraStatus;

impl Envelope for AicraStatus {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("status", SUCCESS.into())?;
        if whole { to.nested("result", outputs) } else { to.spread(outputs) }
    }

    fn reserved_members(&self) -> &[&str] {
        &["status"]
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.member("status", error_status(error).into())?;
        match error.kind() {
            // The members that the handler has added; as in aicra, other errors have no details.
            ErrorKind::Declared { .. } => write_details(error, &["status"], to),
            _ => Ok(()),
        }
    }

    fn success_content_type(&self) -> &'static str {
        "application/json; charset=utf-8"
    }

    fn error_content_type(&self) -> &'static str {
        self.success_content_type()
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Members { except: &["status"], whole: "result" },
            success: &[("status", MemberValue::Text(SUCCESS))],
            hides_errors: false,
            error: ErrorMembers {
                identified_by: &[("status", MemberValue::AnyText)],
                message: &["status"],
                parameters: None,
                ..Decoding::UNKNOWN.error
            },
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let outputs =
            if whole { json!({ "properties": { "result": outputs }, "required": ["result"] }) } else { outputs };
        object_schema(json!({ "status": { "const": SUCCESS } }), outputs)
    }

    fn error_schema(&self) -> Json {
        let status = json!({ "type": "string", "not": { "const": SUCCESS }, "description": "The error message" });
        object_schema(json!({ "status": status }), json!({}))
    }

    fn declared_error_schema(&self, _: &DeclaredError) -> Json {
        self.error_schema()
    }
}

/// Returns the message of an error: the text that aicra has for errors with this code, or else the English message.
fn error_status(error: &ApiError) -> String {
    match error.kind() {
        ErrorKind::Declared { .. } => error.to_string(),
        ErrorKind::Parameters { errors, .. } => match errors.first() {
            Some(first) => parameter_status(first),
            None => error.code().title().to_owned(),
        },
        _ => match Catalogue::AICRA_STATUS.title_without_fallback(error.code()) {
            Some(title) => title.to_owned(),
            None => format!("{}: {error}", error.code().title()),
        },
    }
}

/// Returns the message of a parameter error, which begins with the name of the parameter in code.
fn parameter_status(error: &ParameterError) -> String {
    let code = match error.kind {
        ParameterErrorKind::Missing => ErrorCode::MissingParameter,
        _ => ErrorCode::InvalidParameter,
    };
    let name = error.name_in_code.as_deref().unwrap_or(&error.parameter);
    match (&error.message, error.custom_error()) {
        (Some(message), _) => format!("{name}: {message}"),
        (None, Some(custom)) => format!("{name}: {custom}"),
        (None, None) => format!("{name}: {}", Catalogue::AICRA_STATUS.title(code)),
    }
}
