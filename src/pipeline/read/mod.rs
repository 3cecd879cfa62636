//! Fourth stage: the raw value of every parameter, from wherever in the request it stands.
//!
//! In charge of path, query, body, header fields and cookies, each in a file
//! of its own; values borrow from the request where they can. Must not judge
//! values: that is the next stage's.

mod cookie;
mod fields;
mod json;
mod parts;

use std::borrow::Cow;

use super::body::{Body, Part, PartContent};
use super::permit::Granted;
use super::raw::{Raw, header_value, segment_value};
use crate::call::{Callback, Fault, FaultKind, Head, Limit, Reason, Refusal, Source, shortened};
use crate::error::texts::{Catalogue, Text};
use crate::model::UnknownParameters;
use crate::plan::{ByName, Method, Plan, SlotPlan, Unfit};
use crate::types::Takes;

/// What a request says of its method's parameters.
pub(super) struct Values<'a> {
    /// One raw value a slot.
    pub(super) raw: Vec<Raw<'a>>,
    /// Names that are no parameters, where they are refused.
    pub(super) unknown: Vec<Fault>,
}

/// The raw values of a method's parameters while they are being read.
struct Reading<'a, 'p> {
    plan: &'p Plan,
    method: &'p Method,
    head: &'a Head,
    /// How the method was found where it was not by its path.
    by_name: Option<&'p ByName>,
    raw: Vec<Raw<'a>>,
    /// Names that are no parameters, where they are refused.
    unknown: Vec<Fault>,
}

/// Reads every parameter of the method.
///
/// # Errors
/// The body cannot be read, or a limit is passed.
pub(super) fn read<'a>(
    plan: &Plan,
    head: &'a Head,
    granted: &'a Granted<'_>,
    body: &'a Body,
) -> Result<Values<'a>, Refusal> {
    let method = granted.method();
    let raw = vec![Raw::Absent; method.slots.len()];
    let mut reading = Reading { plan, method, head, by_name: granted.by_name(), raw, unknown: Vec::new() };
    reading.segments(granted.segments());
    reading.head_fields();
    if !method.query.is_empty() || plan.unknown != UnknownParameters::Ignore {
        fields::read(&mut reading, head.query().as_bytes(), Source::Query)?;
    }
    match body {
        Body::Empty => {}
        Body::Form(bytes) => fields::read(&mut reading, bytes, Source::Body)?,
        Body::Json(bytes) => json::read(&mut reading, bytes)?,
        Body::Parts(parts) => parts::read(&mut reading, parts)?,
    }
    Ok(Values { raw: reading.raw, unknown: reading.unknown })
}

impl<'a> Reading<'a, '_> {
    fn segments(&mut self, segments: &'a [Cow<'_, str>]) {
        for (segment, slot) in &self.method.segments {
            self.raw[*slot] = segment_value(segments, *segment);
        }
        for (slot, unfit) in self.by_name.iter().flat_map(|by_name| &by_name.unfit) {
            self.raw[*slot] = match unfit {
                Unfit::Several => Raw::Repeated,
                Unfit::NoText => Raw::NoText,
            };
        }
    }

    fn head_fields(&mut self) {
        let head = self.head;
        for (name, slot) in &self.method.headers {
            self.raw[*slot] = header_value(head, name, self.method.slots[*slot].takes);
        }
        if !self.method.cookies.is_empty() {
            cookie::read(self, head);
        }
    }

    /// What happens to a field that no parameter has.
    fn unknown(&mut self, name: &str, source: Source) {
        // It is not the method's, but it is known.
        if self.method.jsonp && source == Source::Query && name == Callback::PARAMETER {
            return;
        }
        match self.plan.unknown {
            UnknownParameters::Ignore => {}
            _ if self.names_the_call(name) => {}
            UnknownParameters::Warn => {
                let (id, request_id, name) = (&*self.method.id, &self.head.id, shortened(name));
                log::warn!(id, request_id:%; "{id}: {request_id}: unknown parameter {name:?} in the {source}");
            }
            UnknownParameters::Refuse => {
                let parameter = shortened(name);
                if self.unknown.iter().any(|told| told.parameter == parameter && told.source == source) {
                    return;
                }
                self.unknown.push(Fault {
                    kind: FaultKind::Unknown,
                    parameter,
                    source,
                    expected: Catalogue::english().plain(Text::NoParameter).to_string().into(),
                    got: None,
                    message: None,
                    broken: None,
                });
            }
        }
    }

    /// Whether a field of this name says which method is called, or one of its positions.
    fn names_the_call(&self, name: &str) -> bool {
        let Some(ByName { naming, .. }) = self.by_name else { return false };
        let mut positions = self.method.segments.iter();
        naming.fields().contains(&name) || positions.any(|(_, slot)| *self.method.names[*slot] == *name)
    }

    fn last_counts(&self) -> bool {
        self.plan.modules[self.method.module].last_counts
    }
}

/// The parameter that a part of this name fills.
#[must_use]
pub fn filled_by<'p>(method: &'p Method, name: &str) -> Option<&'p SlotPlan> {
    slot(method, &method.body, name, &mut 0).map(|slot| &method.slots[slot])
}

/// The slot, of `slots`, that a field of this name fills. `next` is where it was expected, and is moved on.
pub(super) fn slot(method: &Method, slots: &[usize], name: &str, next: &mut usize) -> Option<usize> {
    let found = match slots.get(*next) {
        Some(slot) if *method.slots[*slot].key == *name => Some(*next),
        _ => slots.iter().position(|slot| *method.slots[*slot].key == *name),
    };
    if let Some(found) = found {
        *next = found + 1;
        return Some(slots[found]);
    }
    // `x[]` is another way to write a field that takes many values.
    let name = name.strip_suffix("[]")?;
    slots.iter().copied().find(|slot| {
        let slot = &method.slots[*slot];
        matches!(slot.takes, Takes::Many | Takes::Files) && *slot.key == *name
    })
}

/// The refusal for a limit of `limits` that was passed.
fn over(limit: Limit, parameter: Option<&str>) -> Refusal {
    Refusal::new(Reason::TooLarge { limit, parameter: parameter.map(str::to_owned) })
}
