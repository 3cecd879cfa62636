//! Generates values of an object type: values at the limits of the type, and examples.

use std::borrow::Cow;

use super::ObjectCheck;
use super::members::given_member;
use crate::call::Value;
use crate::types::ObjectField;

/// The maximum number of members of a generated object that are changed for each constraint.
const MAX_CHANGES: usize = 4;

/// The maximum number of members with generated names in an example.
const MAX_ADDED_MEMBERS: u64 = 64;

impl ObjectCheck {
    /// Returns an object in which each known member has its boundary value at `index`, or its last boundary value if it
    /// has fewer. Optional members are included only if `includes_optional` is `true`. `boundary_values` has the
    /// boundary values of each known member.
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

    /// Returns an object with an example of each known member for which `is_selected` returns `true`. If the object
    /// then has fewer members than the definition requires, members with generated names are added.
    pub(super) fn example_object(&self, is_selected: impl Fn(&ObjectField) -> bool) -> Option<Value<'static>> {
        let mut members = Vec::new();
        for field in self.fields().iter().filter(|field| is_selected(field)) {
            let declared = field.example.as_ref().map(Value::from);
            match declared.or_else(|| field.check.example()) {
                Some(value) => members.push((Cow::Owned(field.name.clone()), value)),
                None if field.optional => {}
                None => return None,
            }
        }
        let min = if self.fields.is_none() && self.member_count.max != Some(0) { 1 } else { 0 };
        let min = self.member_count.min.unwrap_or(0).max(min);
        let numbered = (2..=MAX_ADDED_MEMBERS).map(|number| format!("key{number}"));
        let names = std::iter::once("key".to_owned()).chain(numbered);
        let mut names = names.filter(|name| !self.field_indexes.contains_key(name));
        while (members.len() as u64) < min {
            members.push((Cow::Owned(names.next()?), Value::Text(Cow::Borrowed("value"))));
        }
        Some(Value::Map(members))
    }

    /// Removes optional members from a generated object, and adds others, until it fulfills the constraints.
    pub(super) fn fulfill_constraints(&self, object: Value<'static>) -> Value<'static> {
        let Value::Map(mut members) = object else { return object };
        for _ in 0..self.constraints.len() * MAX_CHANGES {
            let given = |name: &str| given_member(&members, name);
            let broken = self.constraints.iter().find_map(|constraint| constraint.check(&given, &str::to_owned));
            let Some(broken) = broken else { break };
            let field = self.field_indexes.get(broken.name).map(|index| &self.fields()[*index]);
            match field {
                Some(field) if broken.is_missing => {
                    let Some(value) = field.check.example() else { break };
                    members.retain(|(name, _)| *name != field.name);
                    members.push((Cow::Owned(field.name.clone()), value));
                }
                Some(field) if field.optional => members.retain(|(name, _)| *name != field.name),
                _ => break,
            }
        }
        Value::Map(members)
    }
}
