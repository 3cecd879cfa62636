//! Compares the limits of requests, such as the maximum size of a body.

use rulebook_model::model::Api;
use serde_json::Value as Json;

use crate::change::{Change, ChangeKind};

/// Returns a change for each limit that has another value.
pub(crate) fn compare(old: &Api, new: &Api) -> Vec<Change> {
    let limits = |api: &Api| match serde_json::to_value(&api.limits) {
        Ok(Json::Object(limits)) => limits,
        _ => serde_json::Map::new(),
    };
    let (before, after) = (limits(old), limits(new));
    let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let to_change = |(name, value): (&String, &Json)| {
        let previous = before.get(name).unwrap_or(&Json::Null);
        let is_raised = value.as_f64() > previous.as_f64();
        let kind = if is_raised { ChangeKind::LimitRaised } else { ChangeKind::LimitLowered };
        Change::new(kind, format!("the limit `{name}` is {value}, and was {previous}")).at(old.span, new.span)
    };
    changed.map(to_change).collect()
}
