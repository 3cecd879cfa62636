//! Generates values of an object type: values at the limits of the type, and examples.

use std::borrow::Cow;

use super::ObjectCheck;
use crate::call::Value;
use crate::types::ObjectField;

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

    pub(super) fn example_object(&self, is_selected: impl Fn(&ObjectField) -> bool) -> Option<Value<'static>> {
        let mut members = Vec::new();
        for field in self.fields().iter().filter(|field| is_selected(field)) {
            match example_of(field) {
                Some(value) => members.push((Cow::Owned(field.name.clone()), value)),
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
