//! Second stage: who makes the request.

use http::header;

use crate::call::{Head, Identity, Inspection, Reason, Refusal, is_bearer};
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
                let challenge = if brings_token(head) { &plan.invalid_token } else { &plan.challenge };
                let challenge = challenge.to_string();
                return Err(Refusal::new(Reason::Unauthenticated { invalid: true, challenge }).logging(why));
            }
            Inspection::Unavailable(why) => return Err(Refusal::unavailable(why)),
        }
    }
    Ok(None)
}

/// Whether the credential is a bearer token.
fn brings_token(head: &Head) -> bool {
    let field = head.header_values(&header::AUTHORIZATION).next();
    let scheme = field.and_then(|value| value.as_bytes().split(|byte| *byte == b' ').next());
    scheme.and_then(|scheme| std::str::from_utf8(scheme).ok()).is_some_and(is_bearer)
}
