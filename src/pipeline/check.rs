//! Fifth stage: every parameter into its slot.
//!
//! All faults are told, in the definition's order, at most [`MOST_FAULTS`].

use super::read::Raw;
use crate::call::{Fault, FaultKind, Mismatch, Reason, Refusal, Slot, Value};
use crate::plan::{Method, SlotPlan};
use crate::types::Takes;

/// How many parameters at fault are told at once.
const MOST_FAULTS: usize = 50;

/// Decodes and checks the raw values.
///
/// # Errors
/// A required parameter is missing, or a value does not pass.
pub(super) fn check<'a>(method: &'a Method, raw: Vec<Raw<'a>>) -> Result<Vec<Slot<'a>>, Refusal> {
    let mut slots = Vec::with_capacity(raw.len());
    let mut faults = Vec::new();
    let mut truncated = false;
    for (plan, raw) in method.slots.iter().zip(raw) {
        match fill(plan, raw) {
            Ok(slot) => slots.push(slot),
            Err(wrong) if faults.len() < MOST_FAULTS => faults.push(fault(plan, wrong)),
            Err(_) => truncated = true,
        }
    }
    if faults.is_empty() { Ok(slots) } else { Err(Refusal::new(Reason::Parameters { faults, truncated })) }
}

/// What is wrong with one raw value.
enum Wrong {
    Missing,
    Repeated,
    Mismatch(Mismatch),
}

fn fill<'a>(plan: &'a SlotPlan, raw: Raw<'a>) -> Result<Slot<'a>, Wrong> {
    let default = || plan.default.as_ref().map(|value| Slot::Value(value.reborrow()));
    let value = match raw {
        Raw::Absent => {
            return default().or(plan.optional.then_some(Slot::Absent)).ok_or(Wrong::Missing);
        }
        Raw::Json(Value::Null) if !plan.takes_null && plan.optional => return Ok(default().unwrap_or(Slot::Null)),
        Raw::Json(value) => value,
        Raw::Text(text) => plan.check.decode(text),
        Raw::Texts(texts) => plan.check.decode_many(texts),
        Raw::File(upload) if plan.takes == Takes::Files => Value::List(vec![Value::File(upload)]),
        Raw::File(upload) => Value::File(upload),
        Raw::Files(files) => Value::List(files.into_iter().map(Value::File).collect()),
        Raw::Repeated => return Err(Wrong::Repeated),
        Raw::NoText => {
            return Err(Wrong::Mismatch(Mismatch::with_got(plan.expected.clone(), "bytes that are not UTF-8")));
        }
    };
    plan.check.check(value).map(Slot::Value).map_err(Wrong::Mismatch)
}

fn fault(plan: &SlotPlan, wrong: Wrong) -> Fault {
    let (kind, expected, got, at) = match wrong {
        Wrong::Missing => (FaultKind::Missing, plan.expected.clone(), None, String::new()),
        Wrong::Repeated => {
            (FaultKind::Repeated, plan.expected.clone(), Some("several values".to_owned()), String::new())
        }
        Wrong::Mismatch(Mismatch { expected, got, at }) => (FaultKind::Invalid, expected, Some(got), at),
    };
    Fault {
        kind,
        parameter: format!("{}{at}", plan.shown),
        source: plan.source,
        expected,
        got: got.filter(|_| !plan.secret),
        message: plan.message.clone(),
    }
}
