//! Stage `identify`, the second: determines the identity of the client from the credential in the request.

use std::borrow::Cow;
use std::sync::Arc;

use super::jsonp;
use crate::call::{ApiError, Authentication, ErrorKind, Head, Identity, Quota};
use crate::plan::Plan;

/// The client of a request, as the stages after `identify` see the client.
pub struct Client<'h> {
    /// The identity of the client; `None` if the client is anonymous.
    pub identity: Option<Identity>,
    /// The head of the request. If the response is JSONP, its cookies have been removed.
    pub head: Cow<'h, Arc<Head>>,
}

/// Identifies the client of a request, and counts the request if the identity has a rate limit. `method` is the index
/// of the API method that the request calls. `quota` is set to the state of the rate limit after this request.
///
/// The client of a JSONP request (the response is a script) is anonymous. Any page can load the script in the browser
/// of any user, so that the user's credentials must not be used.
///
/// # Errors
/// Fails if the request carries an invalid credential, even if the API method requires no permission. Fails if the rate
/// limit is used up, or an authenticator cannot check the credential at the moment.
pub async fn identify<'h>(
    plan: &Plan,
    head: &'h Arc<Head>,
    method: usize,
    quota: &mut Option<Quota>,
) -> Result<Client<'h>, ApiError> {
    if jsonp::requested_callback(plan.methods[method].allows_jsonp, head)?.is_some() {
        return Ok(Client { identity: None, head: jsonp::head_without_cookies(head) });
    }
    let identity = authenticate(plan, head).await?;
    count_request(identity.as_ref(), quota)?;
    Ok(Client { identity, head: Cow::Borrowed(head) })
}

/// Calls the authenticators of the program in order, until one of them finds a credential. Returns `None` if no
/// authenticator finds a credential.
///
/// # Errors
/// Fails if the request carries an invalid credential, or an authenticator cannot check the credential at the moment.
pub(super) async fn authenticate(plan: &Plan, head: &Head) -> Result<Option<Identity>, ApiError> {
    for authenticator in &plan.authenticators {
        let authentication = match authenticator.authenticate_at_once(head) {
            Some(authentication) => authentication,
            None => authenticator.authenticate(head).await,
        };
        match authentication {
            Authentication::Anonymous => {}
            Authentication::Identity(identity) => return Ok(Some(identity)),
            Authentication::Invalid(why) => {
                let challenge = if head.has_bearer_scheme() { &plan.invalid_token_challenge } else { &plan.challenge };
                let challenge = challenge.to_string();
                return Err(ApiError::new(ErrorKind::Unauthenticated { invalid: true, challenge }).with_log(why));
            }
            Authentication::Unavailable(why) => return Err(ApiError::unavailable(why)),
        }
    }
    Ok(None)
}

/// Counts a request if the identity has a rate limit, and sets `quota` to the state of the rate limit after this
/// request.
///
/// # Errors
/// Fails if the rate limit is used up.
pub(super) fn count_request(identity: Option<&Identity>, quota: &mut Option<Quota>) -> Result<(), ApiError> {
    let Some(limiter) = identity.and_then(Identity::rate_limiter) else { return Ok(()) };
    let taken = limiter.take();
    *quota = Some(taken.unwrap_or_else(|spent| spent));
    taken.map(drop).map_err(Quota::error)
}

/// Checks that the identity's rate limit is not used up, without counting a request.
///
/// # Errors
/// Fails if the rate limit is used up.
pub(super) fn check_quota(identity: Option<&Identity>) -> Result<(), ApiError> {
    let Some(limiter) = identity.and_then(Identity::rate_limiter) else { return Ok(()) };
    limiter.check().map_err(|spent| spent.error().with_headers(spent.headers()))
}
