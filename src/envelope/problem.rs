//! Problem documents (RFC 9457), for refusals only.

use super::{Envelope, Members, WriteError, faults_json};
use crate::call::{Encode, Reason, Refusal};

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
        to.member("type", &"about:blank".into())?;
        to.member("title", &row.title.into())?;
        to.member("status", &refusal.status().get().into())?;
        to.member("detail", &refusal.to_string().into())?;
        match refusal.reason() {
            Reason::Declared { name, data, .. } => {
                to.member("code", &name.as_ref().into())?;
                for (name, value) in data {
                    to.member(name, value)?;
                }
                return Ok(());
            }
            Reason::Parameters { faults, truncated } => {
                to.member("code", &row.name.into())?;
                to.member("errors", &faults_json(faults))?;
                if *truncated {
                    to.member("truncated", &true.into())?;
                }
                return Ok(());
            }
            Reason::Internal { request_id } => to.member("request_id", &request_id.as_str().into())?,
            _ => {}
        }
        to.member("code", &row.name.into())
    }

    fn refusal_type(&self) -> &'static str {
        "application/problem+json"
    }
}
