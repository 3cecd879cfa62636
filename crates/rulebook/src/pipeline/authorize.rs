//! Third stage: checks the permission of the client before any byte of the body is read.

use rulebook_model::model;

use super::identify::{Client, authenticate, check_quota};
use super::jsonp;
use super::raw::{self, RawValue};
use crate::call::{ApiError, ErrorKind, Head, Identity};
use crate::plan::{FoundMethod, Permit, Plan, PlannedMethod, Requirement, RequirementPart};

/// The proof that a call is permitted. Only this stage makes one, and a handler cannot be run without one.
pub struct Granted<'r> {
    plan: &'r Plan,
    method: usize,
    identity: Option<&'r Identity>,
}

impl<'r> Granted<'r> {
    /// Returns the method that may be called.
    #[must_use]
    pub fn method(&self) -> &'r PlannedMethod {
        &self.plan.methods[self.method]
    }

    /// Returns the index of the method in the plan.
    pub(super) fn index(&self) -> usize {
        self.method
    }

    /// Returns the identity of the caller; `None` if the caller is anonymous.
    pub(super) fn identity(&self) -> Option<&'r Identity> {
        self.identity
    }
}

/// Compares the permissions that the method requires with those that the client holds.
///
/// # Errors
/// Fails if the method is not public and the client is anonymous or lacks a permission.
pub fn authorize<'r>(plan: &'r Plan, found: &FoundMethod<'_>, client: &'r Client<'_>) -> Result<Granted<'r>, ApiError> {
    let (method, identity) = (&plan.methods[found.method], client.identity.as_ref());
    check_groups(plan, method, identity, |slot| raw::head_value(method, slot, &client.head, &found.segments))?;
    Ok(Granted { plan, method: found.method, identity })
}

/// Authorizes a call from code, whose scope variables are among its arguments.
///
/// # Errors
/// Fails as [`authorize`] does.
pub(super) fn authorize_call<'r>(
    plan: &'r Plan,
    method: usize,
    raw: &[RawValue<'_>],
    identity: Option<&'r Identity>,
) -> Result<Granted<'r>, ApiError> {
    check_groups(plan, &plan.methods[method], identity, |slot| raw[slot].clone())?;
    Ok(Granted { plan, method, identity })
}

/// Checks the permission to call a method before its body is read, for a request that goes through [`identify`] and
/// [`authorize`] later. The request is not counted here.
///
/// [`identify`]: super::identify()
///
/// # Errors
/// Fails as these two stages do.
pub async fn authorize_early(plan: &Plan, head: &Head, found: &FoundMethod<'_>) -> Result<(), ApiError> {
    let method = &plan.methods[found.method];
    let identity = match jsonp::callback(method.jsonp, head)? {
        Some(_) => None,
        None => authenticate(plan, head).await?,
    };
    check_quota(identity.as_ref())?;
    check_groups(plan, method, identity.as_ref(), |slot| raw::head_value(method, slot, head, &found.segments))
}

/// Checks that the identity holds every permission of at least one group. `value` returns the raw value of a slot that
/// a permission has as a variable.
fn check_groups<'r>(
    plan: &Plan,
    method: &PlannedMethod,
    identity: Option<&Identity>,
    value: impl Fn(usize) -> RawValue<'r>,
) -> Result<(), ApiError> {
    let Permit { groups } = &method.permit;
    if groups.is_empty() {
        return Ok(());
    }
    let Some(identity) = identity else {
        let challenge = plan.challenge.to_string();
        return Err(ApiError::new(ErrorKind::Unauthenticated { invalid: false, challenge }));
    };
    let mut variables = Vec::new();
    for piece in groups.iter().flatten().flat_map(|requirement| &requirement.parts) {
        if let RequirementPart::Slot(slot) = piece
            && !variables.iter().any(|(known, _)| known == slot)
        {
            variables.push((*slot, variable(method, *slot, value(*slot))));
        }
    }
    let holds =
        |requirement: &Requirement| identity.permissions.iter().any(|held| matches(requirement, held, &variables));
    if groups.iter().any(|group| group.iter().all(holds)) {
        return Ok(());
    }
    let missing = groups
        .iter()
        .map(|group| group.iter().filter(|required| !holds(required)).map(|it| it.text.to_string()).collect())
        .collect();
    Err(ApiError::new(ErrorKind::Forbidden { missing }))
}

/// Returns the value of a scope variable as permissions write it; `None` if it is absent or cannot be part of a
/// permission.
fn variable(method: &PlannedMethod, slot: usize, raw: RawValue<'_>) -> Option<String> {
    let check = &*method.slots[slot].check;
    let value = match raw {
        RawValue::Text(text) => check.decode(text),
        RawValue::Json(value) => value,
        _ => return None,
    };
    model::variable_text(check, value)
}

/// Returns `true` if `held` is the required permission with the values of its variables. The pieces are compared one by
/// one and never joined, so a value cannot imitate another piece.
fn matches(required: &Requirement, held: &str, variables: &[(usize, Option<String>)]) -> bool {
    let mut rest = held;
    for piece in &required.parts {
        let part = match piece {
            RequirementPart::Literal(literal) => &**literal,
            RequirementPart::Slot(slot) => match variables.iter().find(|(known, _)| known == slot) {
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
