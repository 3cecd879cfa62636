//! Problem documents (RFC 9457), for refusals only.

use serde_json::{Value as Json, json};

use super::{Envelope, Members, WriteError, details, details_schema, object_schema};
use crate::call::{Encode, Reason, Refusal};
use crate::error::ErrorStatus;

/// `type`, `title`, `status`, `detail`, and `errors` for the parameters at fault.
///
/// `type` is `about:blank` (RFC 9457 section 4.2.1) until there are pages about
/// the codes; `code` tells them apart.
#[derive(Debug, Clone, Copy)]
pub struct Problem;

impl Envelope for Problem {
    fn success(&self, outputs: &dyn Encode, _: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        to.whole(outputs)
    }

    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
        let row = refusal.code().row();
        to.member("type", "about:blank".into())?;
        to.member("title", refusal.code().title().into())?;
        to.member("status", u32::from(refusal.status().get()).into())?;
        to.member("detail", refusal.to_string().into())?;
        let code = match refusal.reason() {
            Reason::Declared { name, .. } => name.as_ref(),
            _ => row.name,
        };
        to.member("code", code.into())?;
        details(refusal, &["type", "title", "status", "detail", "code"], to)
    }

    fn refusal_type(&self) -> &'static str {
        "application/problem+json"
    }

    fn success_schema(&self, outputs: Json, _: bool) -> Json {
        outputs
    }

    fn refusal_schema(&self) -> Json {
        let own = json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string", "description": "The kind of error in a few words" },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status" },
            "detail": { "type": "string", "description": "What is wrong with this request" },
            "code": { "type": "string", "description": "The kind of error, for programs" },
        });
        object_schema(own, json!({ "properties": details_schema() }))
    }

    fn declared_schema(&self, name: &str, status: ErrorStatus) -> Json {
        let own = json!({
            "type": { "type": "string", "format": "uri-reference" },
            "title": { "type": "string" },
            "status": { "const": status.get() },
            "detail": { "type": "string" },
            "code": { "const": name },
        });
        object_schema(own, json!({}))
    }
}
