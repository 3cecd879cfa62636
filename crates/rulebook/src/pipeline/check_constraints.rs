//! Checks the constraints between the parameters of a method, after the stage `check` has filled their slots.

use rulebook_model::constraint::{Constraint, Given};

use crate::call::{ArgumentSlot, ParameterError, ParameterErrorKind, TypeMismatch, is_secret_name};
use crate::plan::PlannedMethod;

/// Returns the errors of the constraints that the arguments do not fulfill. `invalid` contains the indexes of the
/// parameters whose values are invalid.
pub(super) fn constraint_errors(
    method: &PlannedMethod,
    slots: &[ArgumentSlot<'_>],
    invalid: &[usize],
) -> Vec<ParameterError> {
    let index = |name: &str| method.parameter_names.iter().position(|known| **known == *name);
    let given = |name: &str| match index(name) {
        Some(index) if invalid.contains(&index) => Given::Invalid,
        Some(index) => match &slots[index] {
            ArgumentSlot::Absent | ArgumentSlot::Null => Given::Absent,
            ArgumentSlot::Value(value) => Given::Value(value),
        },
        None => Given::Absent,
    };
    let display = |name: &str| match index(name) {
        Some(index) => method.parameters[index].display_name.to_string(),
        None => name.to_owned(),
    };
    let error = |constraint: &Constraint| {
        let broken = constraint.check(&given, &display)?;
        let parameter = &method.parameters[index(broken.name)?];
        let got = match given(broken.name) {
            Given::Value(value) if !is_secret(constraint, method) => {
                Some(TypeMismatch::new("", value).into_details().got)
            }
            _ => None,
        };
        let kind = if broken.is_missing { ParameterErrorKind::Missing } else { ParameterErrorKind::Invalid };
        let mut error = ParameterError::new(kind, &*parameter.display_name, parameter.source, broken.expected);
        error.message = constraint.message.as_deref().map(Into::into);
        Some(error.with_got(got))
    };
    method.constraints.iter().filter_map(error).collect()
}

/// Returns `true` if one of the parameters in a constraint has a secret value, which the value of another could reveal.
fn is_secret(constraint: &Constraint, method: &PlannedMethod) -> bool {
    let mut named = method.parameter_names.iter().zip(&method.parameters);
    named.any(|(name, parameter)| {
        let is_named = constraint.names.iter().any(|known| **known == **name);
        is_named && (parameter.is_secret || is_secret_name(name))
    })
}
