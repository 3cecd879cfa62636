//! Second stage: who makes the request.

use crate::call::{Head, Identity, Inspection, Reason, Refusal};
use crate::plan::Plan;

/// Asks the inspectors in turn; the first that knows decides.
///
/// # Errors
/// The request carries a credential that is not valid, whatever it asks for.
pub(super) async fn identify(plan: &Plan, head: &Head) -> Result<Option<Identity>, Refusal> {
    for inspector in &plan.inspectors {
        match inspector.inspect(head).await {
            Inspection::Nobody => {}
            Inspection::Identity(identity) => return Ok(Some(identity)),
            Inspection::Invalid(why) => {
                let challenge = plan.challenge.to_string();
                return Err(Refusal::new(Reason::Unauthenticated { invalid: true, challenge }).logging(why));
            }
            Inspection::Unavailable(why) => return Err(Refusal::unavailable(why)),
        }
    }
    Ok(None)
}
