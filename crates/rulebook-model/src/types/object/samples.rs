//! Generates values of an object type: values at the limits of the type, and examples.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Span;
use jiff::civil::{Date, DateTime};

use super::ObjectCheck;
use crate::call::Value;
use crate::types::{Check, ObjectField};

const MAX_ADDED_MEMBERS: u64 = 1000;

impl ObjectCheck {
    /// Returns an object in which each member has its boundary value at `index`, or its last one. `boundary_values` has
    /// those of each known member.
    pub(super) fn boundary_object(
        &self,
        boundary_values: &[Vec<Value<'static>>],
        index: usize,
        includes_optional: bool,
    ) -> Option<Value<'static>> {
        self.fields()
            .iter()
            .zip(boundary_values)
            // An optional member without boundary values, such as one with the type of an object around it, is omitted.
            .filter(|(field, values)| !field.optional || includes_optional && !values.is_empty())
            .map(|(field, boundary_values)| {
                let value = boundary_values.get(index).or(boundary_values.last())?;
                Some((Cow::Owned(field.name.clone()), value.clone()))
            })
            .collect::<Option<_>>()
            .map(Value::Map)
    }

    /// Returns an object with the examples of the selected members. `examples` has those of all known members.
    pub(super) fn example_object(
        &self,
        examples: &[Option<Value<'static>>],
        is_selected: impl Fn(&ObjectField) -> bool,
    ) -> Option<Value<'static>> {
        let mut members = Vec::new();
        for (field, example) in self.fields().iter().zip(examples).filter(|(field, _)| is_selected(field)) {
            match example {
                Some(value) => members.push((Cow::Owned(field.name.clone()), value.clone())),
                None if field.optional => {}
                None => return None,
            }
        }
        Some(Value::Map(members))
    }

    /// Adds generated members to an object that has too few members, or that would be an empty example.
    pub(super) fn with_added_members(&self, object: Value<'static>) -> Value<'static> {
        let Value::Map(mut members) = object else { return object };
        let min = if self.fields.is_none() && self.member_count.max != Some(0) { 1 } else { 0 };
        let min = self.member_count.min.unwrap_or(0).max(min);
        let numbered = (2..=MAX_ADDED_MEMBERS).map(|number| format!("key{number}"));
        let names = std::iter::once("key".to_owned()).chain(numbered);
        let mut names = names.filter(|name| !self.indexes.contains_key(name.as_str()) && !self.is_closed);
        while (members.len() as u64) < min
            && let Some(name) = names.next()
        {
            members.push((Cow::Owned(name), Value::Text(Cow::Borrowed("value"))));
        }
        Value::Map(members)
    }
}

/// Returns the example that the definition gives for a member, or else a generated one.
pub(super) fn example_of(field: &ObjectField) -> Option<Value<'static>> {
    field.example.as_ref().map(Value::from).or_else(|| field.check.example())
}

const MAX_DISTANCE: usize = 8;

#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) value: Value<'static>,
    /// The form of the value that the check of the type returns.
    pub(super) checked: Value<'static>,
}

/// Returns values for each type, beginning with its preferred one. The values near the limits of one type are also
/// those of the others, so that the types can have equal values, and different values in any order.
pub(super) fn candidate_values(checks: &[&dyn Check], preferred: &[Option<Value<'static>>]) -> Vec<Vec<Candidate>> {
    let distance = i64::try_from(checks.len().min(MAX_DISTANCE)).unwrap_or(0);
    let near = |value: &Value<'static>| -> Vec<Value<'static>> {
        let steps = (1..=distance).chain((1..=distance).map(|step| -step));
        std::iter::once(value.clone()).chain(steps.flat_map(|steps| shifted(value, steps))).collect()
    };
    let typical = checks.iter().flat_map(|check| check.example().into_iter().chain(check.boundary_values()));
    let typical: Vec<Value<'static>> = preferred.iter().flatten().cloned().chain(typical).collect();
    let all: Vec<Value<'static>> = typical.iter().cloned().chain(typical.iter().flat_map(near)).collect();
    let of_type = |(check, preferred): (&&dyn Check, &Option<Value<'static>>)| {
        let first = preferred.iter().flat_map(near);
        let mut seen = HashSet::new();
        let values = first.chain(all.iter().cloned()).filter(|value| seen.insert(value.to_json().to_string()));
        let candidate = |value: Value<'static>| Some(Candidate { checked: check.checked(value.clone()).ok()?, value });
        values.filter_map(candidate).collect()
    };
    checks.iter().zip(preferred).map(of_type).collect()
}

/// Returns values that are greater than a number or a date by a number of steps, which can be negative.
fn shifted(value: &Value<'static>, steps: i64) -> Vec<Value<'static>> {
    match value {
        Value::Int(int) => int.checked_add(steps).map(Value::Int).into_iter().collect(),
        Value::Uint(uint) => uint.checked_add_signed(steps).map(Value::Uint).into_iter().collect(),
        Value::Float(float) => {
            let steps = steps as f64;
            [float + steps, (float * 10.0 + steps) / 10.0].map(Value::Float).into()
        }
        Value::Text(text) => {
            let texts = [shifted_by_days(text, steps), shifted_by_seconds(text, steps)];
            texts.into_iter().flatten().map(|text| Value::Text(text.into())).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns a text that begins with a date (`YYYY-MM-DD`) with another date.
fn shifted_by_days(text: &str, days: i64) -> Option<String> {
    let (date, rest) = text.split_at_checked("YYYY-MM-DD".len())?;
    let date: Date = date.parse().ok()?;
    Some(format!("{}{rest}", date.checked_add(Span::new().days(days)).ok()?))
}

/// Returns a text that begins with a date and a time (`YYYY-MM-DDThh:mm:ss`) with another time.
fn shifted_by_seconds(text: &str, seconds: i64) -> Option<String> {
    let (date_and_time, rest) = text.split_at_checked("YYYY-MM-DDThh:mm:ss".len())?;
    let (date, after_date) = date_and_time.split_at_checked("YYYY-MM-DD".len())?;
    let (separator, time) = after_date.split_at_checked(1)?;
    let date_time: DateTime = format!("{date}T{time}").parse().ok()?;
    let shifted = date_time.checked_add(Span::new().seconds(seconds)).ok()?;
    Some(format!("{}{separator}{}{rest}", shifted.date(), shifted.time()))
}
