//! Changes generated objects so that they fulfill the constraints between their members, and have an allowed number of
//! members.
//!
//! The search first chooses which members the object has, and then the values of the members that constraints compare.
//! It prefers the members and values of the generated object.

use std::borrow::Cow;

use super::ObjectCheck;
use super::samples::{Candidate, candidate_values, example_of};
use crate::call::Value;
use crate::constraint::Given;

/// The maximum number of choices that are tried for one object.
const MAX_STEPS: u32 = 20_000;
/// The maximum number of known members of an object for which the search is made. It is recursive.
const MAX_MEMBERS: usize = 500;

impl ObjectCheck {
    /// Returns an object with other members or values that fulfills the constraints, or else the object itself.
    pub(super) fn fulfill_constraints(&self, object: Value<'static>) -> Value<'static> {
        let Value::Map(members) = object else { return object };
        if self.broken_constraint(&members).is_none() && self.member_count.contains_count(members.len()) {
            return Value::Map(members);
        }
        let is_searched = self.fields().len() <= MAX_MEMBERS;
        match is_searched.then(|| Search::new(self, &members).choose_members(0)).flatten() {
            None => Value::Map(members),
            Some(values) => {
                let named = self.fields().iter().zip(values);
                Value::Map(named.filter_map(|(field, value)| Some((Cow::Owned(field.name.clone()), value?))).collect())
            }
        }
    }
}

/// The values of an object's known members, in the order of the definition. `None` stands for an omitted member.
type MemberValues = Vec<Option<Value<'static>>>;

struct Search<'o> {
    object: &'o ObjectCheck,
    /// The value that each known member has if it is given.
    values: MemberValues,
    /// Whether each known member is in the generated object.
    was_given: Vec<bool>,
    /// The indexes of the known members in the order in which the search decides whether they are given.
    order: Vec<usize>,
    /// Whether each known member is given; `None` if this is not decided.
    given: Vec<Option<bool>>,
    /// The index of each compared member, and the values that it can have.
    candidates: Vec<(usize, Vec<Candidate>)>,
    left_steps: u32,
}

impl<'o> Search<'o> {
    fn new(object: &'o ObjectCheck, members: &[(Cow<'_, str>, Value<'static>)]) -> Self {
        let fields = object.fields();
        // A member that is null is not given.
        let given_value = |name: &str| {
            let member = members.iter().find(|(member, value)| *member == name && *value != Value::Null);
            member.map(|(_, value)| value.clone())
        };
        let given_values: MemberValues = fields.iter().map(|field| given_value(&field.name)).collect();
        let was_given = given_values.iter().map(Option::is_some).collect();
        let values =
            fields.iter().zip(given_values).map(|(field, value)| value.or_else(|| example_of(field))).collect();
        let is_named =
            |index: &usize| object.constraints.iter().any(|constraint| constraint.names.contains(&fields[*index].name));
        let (named, others): (Vec<usize>, Vec<usize>) = (0..fields.len()).partition(is_named);
        let given = vec![None; fields.len()];
        let order = named.into_iter().chain(others).collect();
        Self { object, values, was_given, order, given, candidates: Vec::new(), left_steps: MAX_STEPS }
    }

    /// Decides which members are given, from the position `at` in the order. Returns the values of all members.
    fn choose_members(&mut self, at: usize) -> Option<MemberValues> {
        self.left_steps = self.left_steps.checked_sub(1)?;
        let Some(&index) = self.order.get(at) else { return self.choose_values() };
        let field = &self.object.fields()[index];
        let options: &[bool] = match (field.optional, &self.values[index], self.was_given[index]) {
            (false, Some(_), _) => &[true],
            (false, None, _) => return None,
            (true, None, _) => &[false],
            (true, Some(_), true) => &[true, false],
            (true, Some(_), false) => &[false, true],
        };
        for &option in options {
            self.given[index] = Some(option);
            if self.has_possible_count() && self.fulfills_decided_constraints() {
                let found = self.choose_members(at + 1);
                if found.is_some() {
                    return found;
                }
            }
        }
        self.given[index] = None;
        None
    }

    /// Returns `false` if the object cannot have an allowed number of members. One that is not closed can have others.
    fn has_possible_count(&self) -> bool {
        let count = self.given.iter().filter(|given| **given == Some(true)).count() as u64;
        let possible = self.given.iter().zip(&self.values);
        let possible = possible.filter(|(given, value)| given.unwrap_or(value.is_some())).count() as u64;
        let usable = self.values.iter().flatten().count() as u64;
        let min = self.object.member_count.min.unwrap_or(0);
        let min = if self.object.is_closed { min } else { min.min(usable) };
        possible >= min && self.object.member_count.max.is_none_or(|max| count <= max)
    }

    /// Checks the constraints of which it is decided which members are given. Values are not compared.
    fn fulfills_decided_constraints(&self) -> bool {
        let is_given = |name: &str| self.object.indexes.get(name).and_then(|index| self.given[*index]);
        let given = |name: &str| if is_given(name) == Some(true) { Given::Invalid } else { Given::Absent };
        let mut constraints = self.object.constraints.iter();
        constraints.all(|constraint| {
            constraint.names.iter().any(|name| is_given(name).is_none())
                || constraint.check(&given, &str::to_owned).is_none()
        })
    }

    /// Returns the values of all members after it is decided which of them are given.
    fn choose_values(&mut self) -> Option<MemberValues> {
        let object = self.object;
        let compares = |name: &String| {
            object
                .constraints
                .iter()
                .any(|constraint| constraint.kind.compares_values() && constraint.names.contains(name))
        };
        let fields = object.fields();
        let compared =
            (0..fields.len()).filter(|index| self.given[*index] == Some(true) && compares(&fields[*index].name));
        let compared: Vec<usize> = compared.collect();
        let checks: Vec<_> = compared.iter().map(|index| &*fields[*index].check).collect();
        let preferred: Vec<_> = compared.iter().map(|index| self.values[*index].clone()).collect();
        self.candidates = compared.into_iter().zip(candidate_values(&checks, &preferred)).collect();
        let mut chosen = Vec::new();
        if !self.choose_value(&mut chosen) {
            return None;
        }
        let mut values: MemberValues = self
            .values
            .iter()
            .zip(&self.given)
            .map(|(value, given)| value.clone().filter(|_| *given == Some(true)))
            .collect();
        for ((index, candidates), choice) in self.candidates.iter().zip(chosen) {
            values[*index] = Some(candidates[choice].value.clone());
        }
        Some(values)
    }

    /// Chooses the values of the compared members after those in `chosen`, which has the index of each candidate.
    fn choose_value(&mut self, chosen: &mut Vec<usize>) -> bool {
        let Some((_, candidates)) = self.candidates.get(chosen.len()) else { return true };
        for candidate in 0..candidates.len() {
            let Some(left) = self.left_steps.checked_sub(1) else { return false };
            self.left_steps = left;
            chosen.push(candidate);
            if self.fulfills_comparisons(chosen) && self.choose_value(chosen) {
                return true;
            }
            chosen.pop();
        }
        false
    }

    /// Compares the values that are chosen. The other values are not compared.
    fn fulfills_comparisons(&self, chosen: &[usize]) -> bool {
        let given = |name: &str| {
            let Some(index) = self.object.indexes.get(name) else { return Given::Absent };
            let mut values = self.candidates.iter().zip(chosen);
            match values.find(|((compared, _), _)| compared == index) {
                Some(((_, candidates), choice)) => Given::Value(&candidates[*choice].checked),
                None if self.given[*index] == Some(true) => Given::Invalid,
                None => Given::Absent,
            }
        };
        let mut constraints = self.object.constraints.iter().filter(|constraint| constraint.kind.compares_values());
        constraints.all(|constraint| constraint.check(&given, &str::to_owned).is_none())
    }
}
