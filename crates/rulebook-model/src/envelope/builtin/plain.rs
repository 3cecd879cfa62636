//! The envelope `plain`: success responses consist of the outputs only, and error responses are problem documents (RFC
//! 9457).

use http::StatusCode;
use serde_json::{Value as Json, json};

use crate::call::{ApiError, Encode, ErrorKind};
use crate::envelope::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, details_schema,
    object_schema, write_details,
};
use crate::model::DeclaredError;

/// An envelope whose success responses consist of the outputs only. Error responses are problem documents, with the members `type`, `title`, `status` and `detail` of
/// RFC 9457, the member `code`, and the [details](write_details) of the error.
///
/// `type` is always `about:blank` (RFC 9457 section 4.2.1); `code` identifies the kind of error.
#[derive(Debug, Clone, Copy)]
pub struct Plain;

/// Returns the recommended phrase of the HTTP status, as RFC 9457 section 4.2.1 requires for the type `about:blank`.
/// For a status without such a phrase, returns the title of the kind of error.
fn title(error: &ApiError) -> &'static str {
    let status = StatusCode::from_u16(error.status().get()).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_else(|| error.code().title())
}

impl Envelope for Plain {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        if whole { to.whole(outputs) } else { to.spread(outputs) }
    }

    fn error(&self, error: &ApiError, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        let row = error.code().row();
        to.member("type", "about:blank".into())?;
        to.member("title", title(error).into())?;
        to.member("status", u32::from(error.status().get()).into())?;
        to.member("detail", error.to_string().into())?;
        let code = match error.kind() {
            ErrorKind::Declared { name, .. } => name.as_ref(),
            _ => row.name,
        };
        to.member("code", code.into())?;
        write_details(error, &["type", "title", "status", "detail", "code"], to)
    }

    fn error_content_type(&self) -> &'static str {
        "application/problem+json"
    }

    fn decoding(&self) -> Decoding {
        Decoding {
            outputs: OutputsLocation::Body,
            error: ErrorMembers {
                identified_by: &[
                    ("type", MemberValue::Text("about:blank")),
                    ("title", MemberValue::AnyText),
                    ("status", MemberValue::AnyNumber),
                ],
                code: Some("code"),
                name: Some("code"),
                message: &["detail", "title"],
                parameters: Some("errors"),
                status: Some("status"),
            },
            ..Decoding::UNKNOWN
        }
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        if whole { outputs } else { object_schema(json!({}), outputs) }
    }

    fn error_schema(&self) -> Json {
        let members = json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string", "description": "The phrase of the HTTP status" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status" },
            "detail": { "type": "string", "description": "What is wrong with this request" },
            "code": { "type": "string", "description": "The kind of error, as a name for programs" },
        });
        object_schema(members, json!({ "properties": details_schema() }))
    }

    fn declared_error_schema(&self, error: &DeclaredError) -> Json {
        let members = json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "const": error.status.get() },
            "detail": { "type": "string" },
            "code": { "const": error.name },
        });
        object_schema(members, json!({}))
    }
}
