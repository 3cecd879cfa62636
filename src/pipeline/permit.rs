//! Third stage: whether the identity may call the method, before any byte of the body is read.

use std::borrow::Cow;

use crate::call::{Head, Identity, Reason, Refusal};
use crate::model;
use crate::plan::{ByName, Found, Method, Permit, Piece, Plan, Requirement};

use super::raw::{self, Raw};

/// A permitted call. Only this stage makes one, and only with one can a handler be run.
pub struct Granted<'p> {
    method: usize,
    plan: &'p Plan,
    segments: Vec<Cow<'p, str>>,
    by_name: Option<Box<ByName>>,
    identity: Option<Identity>,
}

impl<'p> Granted<'p> {
    /// The method that may be called.
    #[must_use]
    pub fn method(&self) -> &'p Method {
        &self.plan.methods[self.method]
    }

    /// The method's index in the plan.
    pub(super) fn index(&self) -> usize {
        self.method
    }

    /// The decoded segments of the path.
    pub(super) fn segments(&self) -> &[Cow<'p, str>] {
        &self.segments
    }

    /// How the method was found where it was not by its path.
    pub(super) fn by_name(&self) -> Option<&ByName> {
        self.by_name.as_deref()
    }

    /// Who calls.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }
}

/// Compares what the method asks for with what the identity holds.
///
/// # Errors
/// Nobody was identified, or a permission is missing.
pub(super) fn permit<'p>(
    plan: &'p Plan,
    head: &Head,
    found: Found<'p>,
    identity: Option<Identity>,
) -> Result<Granted<'p>, Refusal> {
    let method = &plan.methods[found.method];
    judge(plan, method, identity.as_ref(), |slot| raw::head_value(method, slot, head, &found.segments))?;
    let Found { method, segments, by_name } = found;
    Ok(Granted { method, plan, segments, by_name, identity })
}

/// The same for a call from code, whose variables are among its arguments.
///
/// # Errors
/// As for [`permit`].
pub(super) fn permit_call<'p>(
    plan: &'p Plan,
    method: usize,
    raw: &[Raw<'_>],
    identity: Option<Identity>,
) -> Result<Granted<'p>, Refusal> {
    judge(plan, &plan.methods[method], identity.as_ref(), |slot| raw[slot].clone())?;
    Ok(Granted { method, plan, segments: Vec::new(), by_name: None, identity })
}

fn judge<'r>(
    plan: &Plan,
    method: &Method,
    identity: Option<&Identity>,
    value: impl Fn(usize) -> Raw<'r>,
) -> Result<(), Refusal> {
    let Permit { groups } = &method.permit;
    if groups.is_empty() {
        return Ok(());
    }
    let Some(identity) = identity else {
        let challenge = plan.challenge.to_string();
        return Err(Refusal::new(Reason::Unauthenticated { invalid: false, challenge }));
    };
    let mut variables = Vec::new();
    for piece in groups.iter().flatten().flat_map(|requirement| &requirement.pieces) {
        if let Piece::Slot(slot) = piece
            && !variables.iter().any(|(known, _)| known == slot)
        {
            variables.push((*slot, variable(method, *slot, value(*slot))));
        }
    }
    let holds = |requirement: &Requirement| identity.scope.iter().any(|held| fits(requirement, held, &variables));
    if groups.iter().any(|group| group.iter().all(holds)) {
        return Ok(());
    }
    let missing = groups
        .iter()
        .map(|group| group.iter().filter(|own| !holds(own)).map(|own| own.text.to_string()).collect())
        .collect();
    Err(Refusal::new(Reason::Forbidden { missing }))
}

/// The value of a variable as permissions write it; none where there is none, or none that a permission can have.
fn variable(method: &Method, slot: usize, raw: Raw<'_>) -> Option<String> {
    let check = &*method.slots[slot].check;
    let value = match raw {
        Raw::Text(text) => check.decode(text),
        Raw::Json(value) => value,
        _ => return None,
    };
    model::variable(check, value)
}

/// Whether `held` is the requirement with its variables' values, compared piece by piece.
fn fits(requirement: &Requirement, held: &str, variables: &[(usize, Option<String>)]) -> bool {
    let mut rest = held;
    for piece in &requirement.pieces {
        let part = match piece {
            Piece::Literal(literal) => &**literal,
            Piece::Slot(slot) => match variables.iter().find(|(known, _)| known == slot) {
                Some((_, Some(value))) => value,
                _ => return false,
            },
        };
        match rest.strip_prefix(part) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty() && !requirement.pieces.is_empty()
}
