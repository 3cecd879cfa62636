//! aicra's shape: `{"error": 0, "ErrorDescription": "all right", …outputs}`.

use super::{Envelope, Members, WriteError, details};
use crate::call::{Encode, Reason, Refusal};

/// `error` and `ErrorDescription` beside the outputs; `errors` lists the parameters at fault.
#[derive(Debug, Clone, Copy)]
pub struct Aicra;

impl Envelope for Aicra {
    fn success(&self, outputs: &dyn Encode, whole: bool, to: &mut dyn Members) -> Result<(), WriteError> {
        to.member("error", 0.into())?;
        to.member("ErrorDescription", "all right".into())?;
        if whole { to.nested("result", outputs) } else { to.spread(outputs) }
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
}
