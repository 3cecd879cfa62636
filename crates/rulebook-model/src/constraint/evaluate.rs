//! Finds out whether values fulfill a constraint.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Constraint, ConstraintKind, join};
use crate::call::Value;
use crate::types::compare_numbers;

/// Whether a parameter or a field has a value.
#[derive(Debug, Clone, Copy)]
pub enum Given<'v> {
    /// It has no value, or the value null.
    Absent,
    /// It has this value.
    Value(&'v Value<'v>),
    /// It has a value that is invalid, so that it is not compared with others.
    Invalid,
}

/// The error of values that do not fulfill a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenConstraint<'c> {
    /// The name of the parameter or field that the error is about.
    pub name: &'c str,
    /// What the constraint requires of it, which can follow the word "expected".
    pub expected: String,
    /// `true` if the parameter or field should have a value and has none.
    pub is_missing: bool,
}

impl Constraint {
    /// Returns the error if the values do not fulfill the constraint. `display` returns the name that clients use.
    pub fn check<'c, 'v>(
        &'c self,
        given: &dyn Fn(&str) -> Given<'v>,
        display: &dyn Fn(&str) -> String,
    ) -> Option<BrokenConstraint<'c>> {
        // A check can convert a value to null, such as the text `null` of a `numeric`.
        let given = |name: &str| match given(name) {
            Given::Value(Value::Null) => Given::Absent,
            given => given,
        };
        let is_given = |name: &&String| !matches!(given(name), Given::Absent);
        let count = self.names.iter().filter(is_given).count();
        let (first, rest) = (&self.names[0], &self.names[1..]);
        let display_all = |names: &[String]| join(&names.iter().map(|name| display(name)).collect::<Vec<_>>());
        let blame = |name: Option<&'c String>, expected: String| {
            let name = name.unwrap_or(first);
            Some(BrokenConstraint { name, expected, is_missing: !is_given(&name) })
        };
        let second_given = || self.names.iter().filter(is_given).nth(1);
        let first_absent = |names: &'c [String]| names.iter().find(|name| !is_given(name));
        match self.kind {
            ConstraintKind::ExactlyOne if count == 1 => None,
            ConstraintKind::ExactlyOne => {
                let expected = format!("exactly one of {}", display_all(&self.names));
                blame(if count == 0 { Some(first) } else { second_given() }, expected)
            }
            ConstraintKind::OneOrMore if count > 0 => None,
            ConstraintKind::OneOrMore => blame(Some(first), format!("at least one of {}", display_all(&self.names))),
            ConstraintKind::OneOrNone if count <= 1 => None,
            ConstraintKind::OneOrNone => blame(second_given(), format!("at most one of {}", display_all(&self.names))),
            ConstraintKind::Together if count == 0 || count == self.names.len() => None,
            ConstraintKind::Together => {
                let expected = format!("{} together, or none of them", display_all(&self.names));
                blame(first_absent(&self.names), expected)
            }
            ConstraintKind::Requires => {
                let missing = first_absent(rest).filter(|_| is_given(&first))?;
                blame(Some(missing), format!("a value, because {} is given", display(first)))
            }
            ConstraintKind::Less | ConstraintKind::LessOrEqual => {
                let (Given::Value(one), Given::Value(other)) = (given(first), given(&rest[0])) else { return None };
                let order = self.compare(one, other)?;
                let is_less = self.kind == ConstraintKind::Less;
                let is_fulfilled = order == Ordering::Less || !is_less && order == Ordering::Equal;
                let relation = if is_less { "less than" } else { "at most" };
                if is_fulfilled { None } else { blame(Some(first), format!("{relation} {}", display(&rest[0]))) }
            }
            ConstraintKind::Equal => {
                let mut values = self.names.iter().filter_map(|name| match given(name) {
                    Given::Value(value) => Some((name, value)),
                    Given::Absent | Given::Invalid => None,
                });
                let (other, expected) = values.next()?;
                let (name, _) = values.find(|(_, value)| !are_equal(value, expected))?;
                blame(Some(name), format!("the same value as {}", display(other)))
            }
        }
    }
}

/// Returns `true` if two values are equal in JSON Schema (section 4.2.2 of its core): the notation of numbers and the
/// order of members make no difference. The last member with a name counts.
fn are_equal(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_equal(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let [one, other] = [one, other].map(|members| {
                members.iter().map(|(name, value)| (&**name, value)).collect::<BTreeMap<&str, &Value<'_>>>()
            });
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| are_equal(one, other)))
        }
        _ => one == other || compare_numbers(one, other) == Some(Ordering::Equal),
    }
}
