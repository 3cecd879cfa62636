//! Checks the members of an object: which of them are known, missing or repeated, and whether they fulfill constraints.

use std::borrow::Cow;
use std::collections::HashSet;

use super::ObjectCheck;
use crate::call::{TypeMismatch, Value, is_secret_name};
use crate::constraint::Given;
use crate::types::ObjectField;

/// The maximum number of members whose names are compared with each other, which allocates no memory.
const MAX_COMPARED_MEMBERS: usize = 32;

/// Fails if two members of an object have the same name: programs differ in which of them they use.
pub(in crate::types) fn refuse_repeated_members(members: &[(Cow<'_, str>, Value<'_>)]) -> Result<(), TypeMismatch> {
    let repeated = if members.len() <= MAX_COMPARED_MEMBERS {
        members.iter().enumerate().find(|(at, (name, _))| members[..*at].iter().any(|(other, _)| other == name))
    } else {
        let mut seen = HashSet::with_capacity(members.len());
        members.iter().enumerate().find(|(_, (name, _))| !seen.insert(&**name))
    };
    match repeated {
        Some((_, (name, _))) => {
            Err(TypeMismatch::with_got("one member with this name", "several").inside(&format!(".{name}")))
        }
        None => Ok(()),
    }
}

/// Fails if two members of an object have the same name in a value without a type, at any depth.
pub(in crate::types) fn refuse_repeated_members_within(value: &Value<'_>) -> Result<(), TypeMismatch> {
    match value {
        Value::List(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            refuse_repeated_members_within(item).map_err(|mismatch| mismatch.inside(&format!("[{index}]")))
        }),
        Value::Map(members) => {
            refuse_repeated_members(members)?;
            members.iter().try_for_each(|(name, member)| {
                refuse_repeated_members_within(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))
            })
        }
        _ => Ok(()),
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
        for (name, member) in members {
            let Some((index, field)) = self.field(name, next) else {
                if self.is_closed {
                    let mismatch = TypeMismatch::new("no member with this name", member);
                    return Err(mismatch.inside(&format!(".{name}")));
                }
                unknown += 1;
                refuse_repeated_members_within(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))?;
                continue;
            };
            is_in_order &= index >= next;
            next = index + 1;
            required += usize::from(!field.optional);
            if field.optional && matches!(member, Value::Null) && !field.check.refuses_null() {
                continue;
            }
            field.check.check(member).map_err(|mismatch| mismatch.inside(&format!(".{name}")))?;
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
