//! Fifth stage: every parameter into its slot.
//!
//! All faults are told, in the definition's order, at most [`MOST_FAULTS`].

use super::raw::Raw;
use super::read::{Values, filled_by};
use crate::call::{Details, Fault, FaultKind, Limit, Mismatch, Reason, Refusal, Slot, Value, is_secret_name};
use crate::error::texts::{Catalogue, Text};
use crate::model::Limits;
use crate::plan::{Method, Plan, SlotPlan};
use crate::types::Takes;

/// How many parameters at fault are told at once.
const MOST_FAULTS: usize = 50;

/// Decodes and checks the raw values.
///
/// # Errors
/// A required parameter is missing, a value does not pass or is over a limit, or a parameter is unknown where
/// that is refused.
pub(super) fn check<'a>(plan: &Plan, method: &'a Method, values: Values<'a>) -> Result<Vec<Slot<'a>>, Refusal> {
    let mut slots = Vec::with_capacity(values.raw.len());
    let mut faults = Vec::new();
    let mut truncated = false;
    for (slot, raw) in method.slots.iter().zip(values.raw) {
        match fill(slot, raw, &plan.limits) {
            Ok(filled) => slots.push(filled),
            Err(Wrong::Fault(kind, mismatch)) if faults.len() < MOST_FAULTS => faults.push(fault(slot, kind, mismatch)),
            Err(Wrong::Fault(..)) => truncated = true,
            Err(Wrong::Limit(limit)) => {
                let parameter = Some(slot.shown.to_string());
                return Err(Refusal::new(Reason::TooLarge { limit, parameter }));
            }
        }
    }
    let room = MOST_FAULTS - faults.len();
    truncated |= values.unknown.len() > room;
    faults.extend(values.unknown.into_iter().take(room));
    if faults.is_empty() { Ok(slots) } else { Err(Refusal::new(Reason::Parameters { faults, truncated })) }
}

/// Whether a call is refused whatever comes behind a part of this name that holds these bytes, as far as that can be
/// told before all of them are there.
#[must_use]
pub fn is_refused_by(plan: &Plan, method: &Method, name: &str, bytes: &[u8]) -> bool {
    let last_counts = plan.modules[method.module].last_counts;
    let early = |slot: &&SlotPlan| !last_counts && slot.takes == Takes::One && slot.check.is_early();
    let passes = |slot: &SlotPlan| {
        let text = std::str::from_utf8(bytes);
        text.is_ok_and(|text| fill(slot, Raw::Text(text.into()), &plan.limits).is_ok())
    };
    filled_by(method, name).filter(early).is_some_and(|slot| !passes(slot))
}

/// What is wrong with one raw value.
enum Wrong {
    /// In which way, and what does not pass.
    Fault(FaultKind, Option<Mismatch>),
    /// It is over this limit.
    Limit(Limit),
}

fn fill<'a>(plan: &'a SlotPlan, raw: Raw<'a>, limits: &Limits) -> Result<Slot<'a>, Wrong> {
    let default = || plan.default.as_ref().map(|value| Slot::Value(value.reborrow()));
    let got = |kind, text| {
        let words = Catalogue::english().plain(text).to_string();
        Wrong::Fault(kind, Some(Mismatch::with_got(plan.expected.clone(), words)))
    };
    let value = match raw {
        Raw::Absent => {
            let absent = default().or(plan.optional.then_some(Slot::Absent));
            return absent.ok_or(Wrong::Fault(FaultKind::Missing, None));
        }
        Raw::Json(value) => value,
        Raw::Text(text) => within(plan.check.decode(text), limits)?,
        Raw::Texts(texts) => within(plan.check.decode_many(texts), limits)?,
        Raw::File(upload) if plan.takes == Takes::Files => Value::List(vec![Value::File(upload)]),
        Raw::File(upload) => Value::File(upload),
        Raw::Files(files) => Value::List(files.into_iter().map(Value::File).collect()),
        Raw::Repeated => return Err(got(FaultKind::Repeated, Text::SeveralValues)),
        Raw::NoText => return Err(got(FaultKind::Invalid, Text::NoText)),
    };
    match value {
        // Null for what may be left out is its absence, also where the type takes null.
        Value::Null if plan.optional => Ok(default().unwrap_or(Slot::Null)),
        value => {
            let checked = plan.check.check(value);
            checked.map(Slot::Value).map_err(|mismatch| Wrong::Fault(FaultKind::Invalid, Some(mismatch)))
        }
    }
}

/// The value that a text was decoded to: a list or an object is held to the limits of those in a JSON body.
fn within<'a>(value: Value<'a>, limits: &Limits) -> Result<Value<'a>, Wrong> {
    passed(&value, limits, 1).map_or(Ok(value), |limit| Err(Wrong::Limit(limit)))
}

/// The limit that a value passes. `level`: how deep it stands, the outermost value's being 1.
fn passed(value: &Value<'_>, limits: &Limits, level: u64) -> Option<Limit> {
    let count = match value {
        Value::List(items) => items.len(),
        Value::Map(members) => members.len(),
        _ => return None,
    };
    if level > limits.nesting {
        return Some(Limit::nesting(limits.nesting));
    }
    if count as u64 > limits.items {
        return Some(Limit::items(limits.items));
    }
    match value {
        Value::List(items) => items.iter().find_map(|item| passed(item, limits, level + 1)),
        Value::Map(members) => members.iter().find_map(|(_, member)| passed(member, limits, level + 1)),
        _ => None,
    }
}

fn fault(plan: &SlotPlan, kind: FaultKind, mismatch: Option<Mismatch>) -> Fault {
    let (expected, got, at, broken) = match mismatch.map(Mismatch::into_details) {
        Some(Details { expected, got, at, broken }) => (expected, Some(got), at, broken),
        None => (plan.expected.clone(), None, String::new(), None),
    };
    let secret = plan.secret || is_secret_name(&at);
    Fault {
        kind,
        parameter: format!("{}{at}", plan.shown),
        source: plan.source,
        expected,
        got: got.filter(|_| !secret),
        message: plan.message.clone(),
        broken: broken.filter(|broken| !(secret && broken.tells_value())).map(Box::new),
    }
}
