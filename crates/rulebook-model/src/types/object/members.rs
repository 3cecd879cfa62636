//! Checks the members of an object: which of them are known, missing or repeated, and whether they fulfill constraints.

use std::borrow::Cow;
use std::collections::HashSet;

use super::ObjectCheck;
use crate::call::{TypeMismatch, Value, is_secret_name};
use crate::constraint::Given;
use crate::types::ObjectField;

/// The maximum number of members whose names are compared with each other, which allocates no memory.
const MAX_COMPARED_MEMBERS: usize = 32;

/// Removes each member of an object whose name occurs again later in the object.
pub(in crate::types) fn keep_last_member_of_each_name(members: &mut Vec<(Cow<'_, str>, Value<'_>)>) {
    if members.len() <= MAX_COMPARED_MEMBERS {
        for at in (0..members.len()).rev() {
            if members[at + 1..].iter().any(|(name, _)| *name == members[at].0) {
                members.remove(at);
            }
        }
        return;
    }
    let mut seen = HashSet::with_capacity(members.len());
    let is_last: Vec<bool> = members.iter().rev().map(|(name, _)| seen.insert(&**name)).collect();
    let mut is_last = is_last.into_iter().rev();
    members.retain(|_| is_last.next().unwrap_or(true));
}

/// Removes repeated members from values without a type, so that they mean the same to every program.
pub(in crate::types) fn keep_last_members_within(value: &mut Value<'_>) {
    match value {
        Value::List(items) => items.iter_mut().for_each(keep_last_members_within),
        Value::Map(members) => {
            keep_last_member_of_each_name(members);
            members.iter_mut().for_each(|(_, member)| keep_last_members_within(member));
        }
        _ => {}
    }
}

impl ObjectCheck {
    /// Returns the known member with this name, and its index. `next` is the index at which clients usually send it.
    #[inline]
    fn field(&self, name: &str, next: usize) -> Option<(usize, &ObjectField)> {
        match self.fields().get(next) {
            Some(field) if field.name == name => Some((next, field)),
            _ => self.field_in_any_order(name),
        }
    }

    #[cold]
    fn field_in_any_order(&self, name: &str) -> Option<(usize, &ObjectField)> {
        self.indexes.get(name).map(|index| (*index, &self.fields()[*index]))
    }

    /// Checks each member. Returns the number of required members; `None` if a name may occur twice, because the
    /// members are not in the order of the definition, or because several members are unknown.
    pub(super) fn check_members(
        &self,
        members: &mut [(Cow<'_, str>, Value<'_>)],
    ) -> Result<Option<usize>, TypeMismatch> {
        let (mut required, mut unknown, mut next, mut is_in_order) = (0, 0, 0, true);
        for at in 0..members.len() {
            let (name, member) = &mut members[at];
            let Some((index, field)) = self.field(name, next) else {
                if self.is_closed {
                    let mismatch = TypeMismatch::new("no member with this name", member);
                    return Err(mismatch.inside(&format!(".{name}")));
                }
                unknown += 1;
                keep_last_members_within(member);
                continue;
            };
            is_in_order &= index >= next;
            next = index + 1;
            required += usize::from(!field.optional);
            if field.optional && matches!(member, Value::Null) {
                continue;
            }
            if let Err(mismatch) = field.check.check(member) {
                let name = &members[at].0;
                // If the name occurs again, only the last value counts.
                if members[at + 1..].iter().all(|(other, _)| other != name) {
                    return Err(mismatch.inside(&format!(".{name}")));
                }
            }
        }
        Ok((is_in_order && unknown <= 1).then_some(required))
    }

    pub(super) fn count_required(&self, members: &[(Cow<'_, str>, Value<'_>)]) -> usize {
        let known = members.iter().filter_map(|(name, _)| self.indexes.get(&**name));
        known.filter(|index| !self.fields()[**index].optional).count()
    }

    pub(super) fn missing_member(&self, members: &[(Cow<'_, str>, Value<'_>)]) -> Option<&ObjectField> {
        let is_missing = |name: &str| members.iter().all(|(member, _)| member != name);
        self.fields().iter().find(|field| !field.optional && is_missing(&field.name))
    }

    /// Returns the error of the first constraint that the members do not fulfill.
    pub(super) fn broken_constraint(&self, members: &[(Cow<'_, str>, Value<'_>)]) -> Option<TypeMismatch> {
        let given = |name: &str| given_member(members, name);
        self.constraints.iter().find_map(|constraint| {
            let broken = constraint.check(&given, &str::to_owned)?;
            let mut mismatch = match given(broken.name) {
                // The value can be the same as the secret value with which it is compared.
                Given::Value(_) if constraint.names.iter().any(|name| is_secret_name(name)) => {
                    TypeMismatch::with_got(broken.expected, "a hidden value")
                }
                Given::Value(value) => TypeMismatch::new(broken.expected, value),
                Given::Absent | Given::Invalid => TypeMismatch::with_got(broken.expected, "nothing"),
            };
            mismatch.message.clone_from(&constraint.message);
            Some(mismatch.inside(&format!(".{}", broken.name)))
        })
    }
}

/// Returns whether an object has a member with this name, and its value. A member that is null is not given.
pub(super) fn given_member<'v>(members: &'v [(Cow<'_, str>, Value<'v>)], name: &str) -> Given<'v> {
    match members.iter().find(|(member, _)| *member == name) {
        None | Some((_, Value::Null)) => Given::Absent,
        Some((_, value)) => Given::Value(value),
    }
}
