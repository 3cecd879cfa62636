//! Stage `identify`: determines the identity of the client from the credential in the request.

use std::borrow::Cow;
use std::sync::Arc;

use http::header::{self, HeaderValue};
use rulebook_model::error::ErrorCode;

use super::act::with_declaration;
use super::body::Body;
use super::cors::is_from_another_site;
use super::read::{decode_text, split_fields};
use super::representation;
use crate::call::{
    ApiError, Authentication, BodyFields, ErrorKind, Head, Identity, JsonLimits, MemberCollector, Value,
    collect_members,
};
use crate::multipart::{BodyPart, BodyPartContent};
use crate::plan::{Plan, PlannedMethod};
use crate::rate_limit::{CountedRequest, RequestCounts};

/// The client, as the stages after `identify` see it.
pub struct Client<'h> {
    /// `None` if the client is anonymous.
    pub identity: Option<Identity>,
    /// For JSONP, its cookies have been removed.
    pub head: Cow<'h, Arc<Head>>,
    /// No authenticator is called for JSONP.
    pub is_jsonp: bool,
}

/// Identifies the client. Counts the request too, if the method or the identity has limits, and adds their states to
/// `counted`.
///
/// The client of a JSONP request is anonymous: any page can load the script in the browser of any user, whose
/// credentials must not be used. An invalid credential is an error even if the method requires no permission.
pub async fn identify<'h>(
    plan: &Plan,
    head: &'h Arc<Head>,
    method: usize,
    counted: &mut CountedRequest,
) -> Result<Client<'h>, ApiError> {
    let is_jsonp = representation::requested_callback(plan.methods[method].allows_jsonp, head)?.is_some();
    let has_limits = !plan.methods[method].rate_limits.is_empty();
    if has_limits {
        Box::pin(count_call(plan, head, method, CountedBy::Address, counted)).await?;
    }
    let identity = if is_jsonp { None } else { authenticate(plan, head).await? };
    if has_limits || identity.as_ref().is_some_and(|identity| !identity.rate_limiters().is_empty()) {
        Box::pin(count_call(plan, head, method, CountedBy::Caller(identity.as_ref()), counted)).await?;
    }
    let head = if is_jsonp { representation::head_without_cookies(head) } else { Cow::Borrowed(head) };
    Ok(Client { identity, head, is_jsonp })
}

/// Limits that are known before the caller, and all others.
#[derive(Clone, Copy)]
enum CountedBy<'a> {
    Address,
    Caller(Option<&'a Identity>),
}

/// The future is boxed where it is awaited: most methods have no limits, and it would enlarge the future of every
/// request.
async fn count_call(
    plan: &Plan,
    head: &Head,
    method: usize,
    by: CountedBy<'_>,
    counted: &mut CountedRequest,
) -> Result<(), ApiError> {
    let PlannedMethod { rate_limits, cost, .. } = &plan.methods[method];
    let (identity, by_identity) = match by {
        CountedBy::Address => (None, false),
        CountedBy::Caller(identity) => (identity, true),
    };
    let counts = counts_for_identity(plan, head, identity);
    RequestCounts { limits: rate_limits, cost: *cost, by_identity, ..counts }.count(counted).await
}

/// Returns the counts for a request that calls no API method.
pub(super) fn counts_for_identity<'a>(
    plan: &'a Plan,
    head: &Head,
    identity: Option<&'a Identity>,
) -> RequestCounts<'a> {
    let shared = plan.shared_limiter.as_ref();
    RequestCounts { shared, limits: &[], cost: 1, identity, client: head.client, by_identity: true }
}

/// Combines the identities of all authenticators; `None` without a credential. Fails also if a page of another site has
/// sent the request, and the browser may have added the credential.
pub(super) async fn authenticate(plan: &Plan, head: &Head) -> Result<Option<Identity>, ApiError> {
    let mut caller: Option<Identity> = None;
    // The schemes of the authenticators that have accepted a credential, and those that have found an invalid one.
    let mut accepted_schemes = 0;
    let mut invalid_credentials: Vec<(u64, String)> = Vec::new();
    for planned in &plan.authenticators {
        let authenticator = &planned.authenticator;
        let authentication = match authenticator.authenticate_at_once(head) {
            Some(authentication) => authentication,
            None => authenticator.authenticate(head).await,
        };
        match authentication {
            Authentication::Anonymous => {}
            Authentication::Identity(_) if planned.accepts_browser_credentials && is_from_another_site(plan, head) => {
                return Err(ApiError::plain(ErrorCode::CrossSite));
            }
            Authentication::Identity(identity) => {
                accepted_schemes |= planned.schemes;
                caller = Some(match caller {
                    Some(first) => first.combined_with(&identity),
                    None => identity,
                });
                if planned.ends_authentication {
                    break;
                }
            }
            Authentication::Invalid(reason) => invalid_credentials.push((planned.schemes, reason)),
            Authentication::Error(error) => return Err(auth_error(plan, error)),
            Authentication::Unavailable(reason) => return Err(ApiError::unavailable(reason)),
        }
    }
    // A credential that one authenticator does not know may belong to another authenticator with the same scheme.
    invalid_credentials.retain(|(schemes, _)| schemes & accepted_schemes == 0);
    if invalid_credentials.is_empty() {
        return Ok(caller);
    }
    let challenge = if head.has_bearer_scheme() { &plan.invalid_token_challenge } else { &plan.challenge };
    let error = ApiError::new(ErrorKind::Unauthenticated { invalid: true, challenge: challenge.to_string() });
    Err(error.with_log(joined_reasons(invalid_credentials.into_iter().map(|(_, reason)| reason))))
}

/// Joins the different reasons why a credential is invalid. All are logged, because the server cannot know for which
/// authenticator the client got its credential: a token that is not a key can be an expired token of an issuer.
fn joined_reasons(reasons: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for reason in reasons {
        if !different.contains(&reason) {
            different.push(reason);
        }
    }
    different.join("; ")
}

/// Adds what its declaration contains. A response with the status 401 must have a challenge (RFC 9110 section 15.5.2).
fn auth_error(plan: &Plan, error: ApiError) -> ApiError {
    let error = with_declaration(&plan.auth_errors, "authenticator", error, |_| None);
    if error.status() != ErrorCode::Unauthenticated.status() {
        return error;
    }
    let challenge = HeaderValue::try_from(&*plan.challenge).ok();
    error.with_headers(challenge.map(|challenge| (header::WWW_AUTHENTICATE, challenge)).into_iter().collect())
}

/// Lets authenticators check the fields of the body that they read.
pub fn check_auth_fields(plan: &Plan, client: &Client<'_>, body: &Body) -> Result<(), ApiError> {
    if plan.auth_fields.is_empty() || client.is_jsonp {
        return Ok(());
    }
    let fields = read_auth_fields(&plan.auth_fields, body);
    for planned in &plan.authenticators {
        let checked = planned.authenticator.check_body(&client.head, client.identity.as_ref(), &fields);
        checked.map_err(|error| auth_error(plan, error))?;
    }
    Ok(())
}

/// Omits fields that are not texts, and all of a JSON body that cannot be parsed: the next stage reports its error.
fn read_auth_fields(names: &[Box<str>], body: &Body) -> BodyFields {
    let is_read = |name: &str| names.iter().any(|known| **known == *name);
    match body {
        Body::Empty | Body::Other(_) | Body::File(_) => BodyFields::default(),
        Body::Form(bytes) => BodyFields::new(split_fields(bytes).filter_map(|(name, value)| {
            let name = decode_text(name).filter(|name| is_read(name))?;
            Some((name, decode_text(value)?))
        })),
        Body::Json(bytes) => {
            let mut members = TextMembers { names, texts: Vec::new() };
            let limits = JsonLimits::new(JsonLimits::HIGHEST_NESTING_LIMIT, u64::MAX);
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            match collect_members(&mut reader, &limits, u64::MAX, &mut members) {
                Ok(()) => BodyFields::new(members.texts),
                Err(_) => BodyFields::default(),
            }
        }
        Body::Parts(parts) => BodyFields::new(parts.iter().filter_map(|BodyPart { name, content }| match content {
            BodyPartContent::Field(bytes) if is_read(name) => Some((name.as_str(), std::str::from_utf8(bytes).ok()?)),
            _ => None,
        })),
    }
}

/// The members whose values are strings.
struct TextMembers<'n, 'a> {
    names: &'n [Box<str>],
    texts: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> MemberCollector<'a> for TextMembers<'_, 'a> {
    type Key = Cow<'a, str>;

    fn select(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        self.names.iter().any(|known| **known == *name).then_some(name)
    }

    fn add(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        if let Value::Text(text) = value {
            self.texts.push((name, text));
        }
    }
}
