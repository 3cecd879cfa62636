//! Error responses as problem documents (RFC 9457).

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::{
    Decoding, Envelope, ErrorMembers, MemberValue, MemberWriter, OutputsLocation, WriteError, details_schema,
    object_schema, write_details,
};
use crate::call::{ApiError, Encode, ErrorKind};
use crate::model::DeclaredError;

/// An envelope whose error responses are problem documents, with the members `type`, `title`, `status` and `detail` of
/// RFC 9457, the member `code`, and the [details](write_details) of the error.
///
/// `type` is always `about:blank` (RFC 9457 section 4.2.1); `code` identifies the kind of error.
#[derive(Debug, Clone, Copy)]
pub struct Problem;

/// Returns the recommended phrase of the HTTP status, as RFC 9457 section 4.2.1 requires for the type `about:blank`.
/// For a status without such a phrase, returns the title of the kind of error.
fn title(error: &ApiError) -> &'static str {
    let status = StatusCode::from_u16(error.status().get()).ok();
    status.and_then(|status| status.canonical_reason()).unwrap_or_else(|| error.code().title())
}

impl Envelope for Problem {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn MemberWriter) -> Result<(), WriteError> {
        to.whole(outputs)
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

    fn success_schema(&self, outputs: Json, _: bool) -> Json {
        outputs
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
