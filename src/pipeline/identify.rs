//! Second stage: who makes the request.

use http::header;

use crate::call::{Head, Identity, Inspection, Quota, Reason, Refusal, is_bearer};
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

/// Counts the request, where those of its maker are counted; `quota` becomes what is left.
///
/// # Errors
/// It is one too many.
pub(super) fn count(identity: Option<&Identity>, quota: &mut Option<Quota>) -> Result<(), Refusal> {
    let Some(meter) = identity.and_then(|identity| identity.meter.as_ref()) else { return Ok(()) };
    let taken = meter.take();
    *quota = Some(taken.unwrap_or_else(|spent| spent));
    taken.map(drop).map_err(Quota::refusal)
}

/// Looks whether the request would be one too many, and does not count it.
///
/// # Errors
/// It would.
pub(super) fn look(identity: Option<&Identity>) -> Result<(), Refusal> {
    let Some(meter) = identity.and_then(|identity| identity.meter.as_ref()) else { return Ok(()) };
    meter.look().map_err(|spent| spent.refusal().with_headers(spent.fields()))
}

/// Whether the credential is a bearer token.
fn brings_token(head: &Head) -> bool {
    let field = head.header_values(&header::AUTHORIZATION).next();
    let scheme = field.and_then(|value| value.as_bytes().split(|byte| *byte == b' ').next());
    scheme.and_then(|scheme| std::str::from_utf8(scheme).ok()).is_some_and(is_bearer)
}
