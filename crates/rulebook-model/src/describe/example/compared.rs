//! Examples of the parameters that the constraints of a method compare: together they fulfill the constraints.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::{independent_example, is_sendable};
use crate::call::Value;
use crate::constraint::{Constraint, Given};
use crate::model::{Method, Parameter};

/// The maximum number of values that are tried for the parameters of one method.
const MAX_TRIES: usize = 10_000;

pub(in crate::describe) fn is_compared(method: &Method, parameter: &Parameter) -> bool {
    comparing(method).any(|constraint| constraint.names.contains(&parameter.name))
}

fn comparing(method: &Method) -> impl Iterator<Item = &Constraint> {
    method.constraints.iter().filter(|constraint| constraint.kind.compares_values())
}

/// Returns the example of a parameter that a constraint of the method compares with others. Returns `None` if there is
/// no such constraint, or if no value was found with which the constraints are fulfilled.
pub(super) fn example(method: &Method, parameter: &Parameter) -> Option<Json> {
    if !is_compared(method, parameter) {
        return None;
    }
    let mut parameters: Vec<_> = method.parameters.iter().filter(|other| is_compared(method, other)).collect();
    // The values of these parameters are chosen last, because a request does not need them.
    parameters.sort_by_key(|parameter| can_be_omitted(parameter));
    let parameters: Vec<_> = parameters.into_iter().map(|parameter| (parameter, candidates(parameter))).collect();
    let mut search = Search { method, chosen: BTreeMap::new(), tries: 0 };
    search.choose(&parameters);
    search.chosen.remove(parameter.name.as_str()).map(|value| value.to_json())
}

fn can_be_omitted(parameter: &Parameter) -> bool {
    parameter.optional && parameter.example.is_none() && parameter.default.is_none()
}

/// Returns `true` if the definition chooses the value that is compared.
fn is_fixed(parameter: &Parameter) -> bool {
    parameter.example.is_some() || parameter.default.is_some()
}

/// Returns `true` if a request can carry the value, and the parameter can have it.
fn is_possible(parameter: &Parameter, value: &Value<'static>) -> bool {
    is_sendable(parameter.from, value) && parameter.r#type.check.checked(value.clone()).is_ok()
}

/// Returns the values that can be the example of a parameter, the preferred value first. An example in the definition
/// is not replaced, nor is a default, which the server uses if a request does not contain the parameter.
fn candidates(parameter: &Parameter) -> Vec<Value<'static>> {
    let preferred = independent_example(parameter).as_ref().map(Value::from);
    if is_fixed(parameter) {
        return preferred.into_iter().collect();
    }
    let others = parameter.r#type.check.boundary_values().into_iter();
    preferred.into_iter().chain(others.filter(|value| is_possible(parameter, value))).collect()
}

/// The search for values with which the constraints of a method are fulfilled.
struct Search<'m> {
    method: &'m Method,
    /// The chosen values, by the names of their parameters.
    chosen: BTreeMap<&'m str, Value<'static>>,
    tries: usize,
}

impl<'m> Search<'m> {
    /// Chooses a value for each parameter, which are given with their candidates. The values of other parameters are
    /// candidates, too. Returns `false` if no values were found.
    fn choose(&mut self, parameters: &[(&'m Parameter, Vec<Value<'static>>)]) -> bool {
        let Some(((parameter, candidates), others)) = parameters.split_first() else { return true };
        let equal = self.chosen.values().filter(|value| !is_fixed(parameter) && is_possible(parameter, value));
        let equal: Vec<_> = equal.cloned().collect();
        for candidate in candidates.iter().take(1).chain(&equal).chain(candidates.iter().skip(1)) {
            self.tries += 1;
            if self.tries > MAX_TRIES {
                break;
            }
            self.chosen.insert(&parameter.name, candidate.clone());
            if self.are_constraints_fulfilled() && self.choose(others) {
                return true;
            }
        }
        self.chosen.remove(parameter.name.as_str());
        can_be_omitted(parameter) && self.choose(others)
    }

    fn are_constraints_fulfilled(&self) -> bool {
        let given = |name: &str| self.chosen.get(name).map_or(Given::Absent, Given::Value);
        comparing(self.method).all(|constraint| constraint.check(&given, &str::to_owned).is_none())
    }
}
