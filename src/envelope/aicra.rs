//! aicra's shape: `{"error": 0, "ErrorDescription": "all right", …outputs}`.

use serde_json::{Value as Json, json};

use super::{Envelope, Members, WriteError, details, details_schema, object_schema};
use crate::call::{Encode, Reason, Refusal};
use crate::error::{Code, ErrorStatus};

/// `error` and `ErrorDescription` beside the outputs; `errors` lists the parameters at fault.
#[derive(Debug, Clone, Copy)]
pub struct Aicra;

impl Envelope for Aicra {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        to.member("error", 0.into())?;
        to.member("ErrorDescription", "all right".into())?;
        if whole { to.nested("result", outputs) } else { to.spread(outputs) }
    }

    fn members(&self) -> &[&str] {
        // `errors` and `status` are those of other answers; one name means one thing.
        &["error", "ErrorDescription", "errors", "status"]
    }

    fn refusal(&self, refusal: &Refusal, to: &mut dyn Members) -> Result<(), WriteError> {
        let row = refusal.code().row();
        to.member("error", row.number.into())?;
        to.member("ErrorDescription", format!("{}: {refusal}", refusal.code().title()).into())?;
        if let Reason::Declared { name, .. } = refusal.reason() {
            to.member("name", name.as_ref().into())?;
        }
        details(refusal, &["error", "ErrorDescription", "name"], to)
    }

    fn status_member(&self) -> Option<&'static str> {
        Some("status")
    }

    fn success_schema(&self, outputs: Json, whole: bool) -> Json {
        let own = json!({ "error": { "const": 0 }, "ErrorDescription": { "const": "all right" } });
        let others =
            if whole { json!({ "properties": { "result": outputs }, "required": ["result"] }) } else { outputs };
        object_schema(own, others)
    }

    fn refusal_schema(&self) -> Json {
        let own = json!({
            "error": { "type": "integer", "minimum": 1, "description": "A number for the kind of error" },
            "ErrorDescription": { "type": "string" },
        });
        object_schema(own, json!({ "properties": details_schema() }))
    }

    fn declared_schema(&self, name: &str, _: ErrorStatus) -> Json {
        let own = json!({
            "error": { "const": Code::Failed.row().number },
            "ErrorDescription": { "type": "string" },
            "name": { "const": name },
        });
        object_schema(own, json!({}))
    }
}
