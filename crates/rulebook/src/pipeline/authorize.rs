//! Stage `authorize`: checks the client's permission to call the API method, before any byte of the body is read.
//!
//! A method requires one of several groups of permissions. A permission may contain variables, such as `user[id]`: the
//! values of parameters replace them. Each parameter has a slot with an index, by which variables refer to it.
//!
//! Adds also the header fields of deprecated methods to responses, and refuses requests after the end of a method.

use http::header::{self, HeaderName, HeaderValue, LINK};
use jiff::Timestamp;
use rulebook_model::error::ErrorCode;
use rulebook_model::model::{self, Permission, PermissionPart, date_or_time};

use super::identify::{Client, authenticate};
use super::read::{self, RawValue};
use super::{Reply, representation};
use crate::call::{ApiError, ErrorKind, Head, Identity};
use crate::plan::{MatchedMethod, Plan, PlannedMethod};
use crate::rate_limit::check_limits_of_identity;

/// The proof that a client may call an API method. Only this stage creates values of this type, and
/// [`start_handler`](super::start_handler) runs a handler only with such a value.
pub struct GrantedCall<'r> {
    plan: &'r Plan,
    method: usize,
    identity: Option<&'r Identity>,
}

impl<'r> GrantedCall<'r> {
    pub fn method(&self) -> &'r PlannedMethod {
        &self.plan.methods[self.method]
    }

    pub(super) fn method_index(&self) -> usize {
        self.method
    }

    /// `None` if the caller is anonymous.
    pub(super) fn identity(&self) -> Option<&'r Identity> {
        self.identity
    }
}

/// Fails also if the method is gone.
pub fn authorize<'r>(
    plan: &'r Plan,
    matched: &MatchedMethod,
    client: &'r Client<'_>,
) -> Result<GrantedCall<'r>, ApiError> {
    let (method, identity) = (&plan.methods[matched.method_index], client.identity.as_ref());
    check_request(plan, method, identity, &client.head, matched)?;
    Ok(GrantedCall { plan, method: matched.method_index, identity })
}

/// The arguments in `raw` replace the variables. The program itself may call a method that is gone.
pub(super) fn authorize_code_call<'r>(
    plan: &'r Plan,
    method: usize,
    raw: &[RawValue<'_>],
    identity: Option<&'r Identity>,
) -> Result<GrantedCall<'r>, ApiError> {
    check_permission_groups(plan, &plan.methods[method], identity, None, |slot| raw[slot].clone())?;
    Ok(GrantedCall { plan, method, identity })
}

/// Runs [`identify`](super::identify()) and [`authorize`] before the body is read, without counting: the stages run
/// later.
pub async fn authorize_before_body(plan: &Plan, head: &Head, matched: &MatchedMethod) -> Result<(), ApiError> {
    let method = &plan.methods[matched.method_index];
    let identity = match representation::requested_callback(method.allows_jsonp, head)? {
        Some(_) => None,
        None => authenticate(plan, head).await?,
    };
    check_limits_of_identity(plan.shared_limiter.as_ref(), identity.as_ref())?;
    check_request(plan, method, identity.as_ref(), head, matched)
}

/// Every client learns that the method is gone, unless the documents hide the methods that a caller may not call.
fn check_request(
    plan: &Plan,
    method: &PlannedMethod,
    identity: Option<&Identity>,
    head: &Head,
    matched: &MatchedMethod,
) -> Result<(), ApiError> {
    let permitted = check_permission_groups(plan, method, identity, Some(head), |slot| {
        read::raw_value_in_head(method, slot, head, &matched.segments)
    });
    match method_gone(method) {
        Some(gone) if permitted.is_ok() || !plan.documents.is_limited_to_caller => Err(gone),
        _ => permitted,
    }
}

/// `value` returns the raw value of a slot, for a variable. `head` is `None` for a call from code.
fn check_permission_groups<'r>(
    plan: &Plan,
    method: &PlannedMethod,
    identity: Option<&Identity>,
    head: Option<&Head>,
    value: impl Fn(usize) -> RawValue<'r>,
) -> Result<(), ApiError> {
    let groups = &method.scope.groups;
    if groups.is_empty() {
        return Ok(());
    }
    let Some(identity) = identity else {
        let of_method = method.scope_challenges.as_ref().map(|challenges| &challenges.without_credential);
        let challenge = of_method.unwrap_or(&plan.challenge).to_string();
        return Err(ApiError::new(ErrorKind::Unauthenticated { invalid: false, challenge }));
    };
    let mut variables = Vec::new();
    for part in groups.iter().flatten().flat_map(|requirement| &requirement.parts) {
        if let PermissionPart::Variable(name) = part
            && !variables.iter().any(|(known, _)| known == name)
        {
            let slot = method.parameter_names.iter().position(|known| **known == **name);
            variables.push((&**name, slot.and_then(|slot| permission_variable_value(method, slot, value(slot)))));
        }
    }
    let holds =
        |requirement: &Permission| identity.permissions().any(|held| is_same_permission(requirement, held, &variables));
    if groups.iter().any(|group| group.iter().all(holds)) {
        return Ok(());
    }
    let missing = groups
        .iter()
        .map(|group| group.iter().filter(|required| !holds(required)).map(|it| it.text.clone()).collect())
        .collect();
    let error = ApiError::new(ErrorKind::Forbidden { missing });
    let challenges = method.scope_challenges.as_ref().filter(|_| head.is_some_and(Head::has_bearer_scheme));
    let challenge = challenges.and_then(|challenges| HeaderValue::try_from(&*challenges.insufficient_scope).ok());
    Err(match challenge {
        Some(challenge) => error.with_headers(vec![(header::WWW_AUTHENTICATE, challenge)]),
        None => error,
    })
}

/// `None` if the value is absent or cannot be part of a permission.
fn permission_variable_value(method: &PlannedMethod, slot: usize, raw: RawValue<'_>) -> Option<String> {
    let check = &*method.parameters[slot].check;
    let value = match raw {
        RawValue::Text(text) => check.decode(text),
        RawValue::Json(value) => value,
        _ => return None,
    };
    model::variable_text(check, value)
}

/// The parts are compared one after the other and never joined, so that a value cannot imitate the text around it.
fn is_same_permission(required: &Permission, held: &str, variables: &[(&str, Option<String>)]) -> bool {
    let mut rest = held;
    for piece in &required.parts {
        let part = match piece {
            PermissionPart::Literal(literal) => literal,
            PermissionPart::Variable(name) => match variables.iter().find(|(known, _)| known == name) {
                Some((_, Some(value))) => value,
                _ => return false,
            },
        };
        match rest.strip_prefix(part) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty() && !required.parts.is_empty()
}

/// Methods without a `sunset` do not read the clock.
fn method_gone(method: &PlannedMethod) -> Option<ApiError> {
    let deprecation = method.deprecation.as_ref()?;
    let sunset = deprecation.sunset.filter(|sunset| *sunset <= Timestamp::now())?;
    let successor = deprecation.successor.as_deref().map(str::to_owned);
    Some(ApiError::new(ErrorKind::MethodGone { sunset: date_or_time(sunset), successor }))
}

/// Adds the header fields, unless the caller may not call the method, which may be hidden.
pub fn add_deprecation_fields(method: &PlannedMethod, reply: &mut Reply) {
    let Some(deprecation) = &method.deprecation else { return };
    if !matches!(reply.code.map(|code| code.code), Some(ErrorCode::Unauthenticated | ErrorCode::Forbidden)) {
        // The method itself can have returned one of the fields. A response can have several fields `Link`.
        let is_missing = |name: &HeaderName| *name == LINK || reply.headers.iter().all(|(other, _)| other != name);
        let missing: Vec<_> = deprecation.fields.iter().filter(|(name, _)| is_missing(name)).cloned().collect();
        reply.headers.extend(missing);
    }
}
