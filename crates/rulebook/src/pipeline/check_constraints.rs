//! Checks the constraints between the parameters of a method, after the stage `check` has filled their slots.

use rulebook_model::constraint::{Constraint, Given};

use crate::call::{ArgumentSlot, ParameterError, ParameterErrorKind, TypeMismatch, is_secret_name};
use crate::plan::{PlannedMethod, PlannedParameter};

/// A parameter whose value is invalid.
pub(super) struct InvalidArgument {
    /// The index of the parameter.
    index: usize,
    /// The received value as errors show it; `None` if it may be secret.
    got: Option<String>,
}

impl InvalidArgument {
    /// Describes the value that `error` rejects. If the error is about an item or a member, only the kind of the whole
    /// value is known.
    pub(super) fn new(index: usize, error: &ParameterError, parameter: &PlannedParameter) -> Self {
        let path = error.parameter.strip_prefix(&*parameter.display_name).unwrap_or_default();
        let got = error.got.as_ref().map(|got| match path.chars().next() {
            None => got.clone(),
            Some('[') => "an array".to_owned(),
            Some(_) => "an object".to_owned(),
        });
        Self { index, got }
    }
}

/// Returns the errors of the constraints that the arguments do not fulfill.
// Most methods have no constraints: this code should not be between the instructions of every check.
#[inline(never)]
pub(super) fn constraint_errors(
    method: &PlannedMethod,
    slots: &[ArgumentSlot<'_>],
    invalid: &[InvalidArgument],
) -> Vec<ParameterError> {
    let invalid = |index: usize| invalid.iter().find(|argument| argument.index == index);
    let index = |name: &str| method.parameter_names.iter().position(|known| **known == *name);
    let given = |name: &str| match index(name) {
        Some(index) if invalid(index).is_some() => Given::Invalid,
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
        let index = index(broken.name)?;
        let parameter = &method.parameters[index];
        let got = match given(broken.name) {
            _ if is_secret(constraint, method) => None,
            Given::Value(value) => Some(TypeMismatch::new("", value).into_details().got),
            Given::Invalid => invalid(index).and_then(|argument| argument.got.clone()),
            Given::Absent => None,
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
