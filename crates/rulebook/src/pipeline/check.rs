//! Stage `check`: decodes and checks the raw value of every parameter, and stores the checked value in the parameter's
//! slot (the place for its argument).
//!
//! The errors of all parameters are reported together, in the order of the definition, up to [`MAX_PARAMETER_ERRORS`].

use std::collections::HashSet;

use rulebook_model::constraint::{Constraint, Given};
use rulebook_model::error::ErrorCode;
use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::limits;
use rulebook_model::model::Limits;
use rulebook_model::types::{Arity, Check, Structure};

use super::read::{RawValue, RawValues, find_parameter_of_part};
use crate::call::{
    ApiError, ArgumentSlot, ErrorKind, Limit, ParameterError, ParameterErrorKind, Source, TypeMismatch,
    TypeMismatchDetails, Value, Violation, is_secret_name,
};
use crate::plan::{Plan, PlannedMethod, PlannedParameter};

/// The maximum number of errors in one response.
const MAX_PARAMETER_ERRORS: usize = 50;

/// Fails also for an unknown parameter, if the definition refuses those.
pub fn check_parameters<'a>(
    plan: &Plan,
    method: &'a PlannedMethod,
    values: RawValues<'a>,
) -> Result<Vec<ArgumentSlot<'a>>, ApiError> {
    let mut errors = Vec::new();
    let mut truncated = false;
    let mut exceeded = None;
    // The standard library writes the slots into the memory of the raw values, which are not smaller.
    let mut invalid = Vec::new();
    let slots = values.raw.into_iter().zip(&method.parameters).enumerate().map_while(|(index, (raw, slot))| {
        let is_text = matches!(raw, RawValue::Text(_) | RawValue::Texts(_) | RawValue::Array(_));
        match fill_slot(slot, raw, &plan.limits) {
            Ok(filled) => return Some(filled),
            Err(SlotError::Invalid(kind, mismatch)) if errors.len() < MAX_PARAMETER_ERRORS => {
                let mut error = parameter_error(slot, kind, mismatch, is_text);
                let name = &method.parameter_names[index];
                error.name_in_code = (**name != *slot.display_name).then(|| (&**name).into());
                invalid.push(InvalidArgument::new(index, &error, slot));
                errors.push(error);
            }
            Err(SlotError::Invalid(..)) => truncated = true,
            Err(SlotError::Limit(limit)) => {
                exceeded = Some(ApiError::too_large(limit, Some(&slot.display_name)));
                return None;
            }
        }
        Some(ArgumentSlot::Absent)
    });
    let slots: Vec<_> = slots.collect();
    if let Some(error) = exceeded {
        return Err(error);
    }
    if !method.constraints.is_empty() && !truncated {
        let remaining = MAX_PARAMETER_ERRORS - errors.len();
        errors.extend(constraint_errors(method, &slots, &invalid).into_iter().take(remaining));
    }
    if !values.unknown_parameter_errors.is_empty() {
        let remaining = MAX_PARAMETER_ERRORS - errors.len();
        truncated |= values.unknown_parameter_errors.len() > remaining;
        errors.extend(values.unknown_parameter_errors.into_iter().take(remaining));
    }
    if errors.is_empty() { Ok(slots) } else { Err(error_of_parameters(method, errors, truncated)) }
}

/// If only the version is missing that the request changes, the status is 428 (RFC 6585 section 3).
#[cold]
fn error_of_parameters(method: &PlannedMethod, errors: Vec<ParameterError>, truncated: bool) -> ApiError {
    let is_version = |error: &ParameterError| {
        let mut versions = method.parameters.iter().filter(|parameter| parameter.is_entity_tag);
        error.kind == ParameterErrorKind::Missing
            && versions.any(|version| version.source == error.source && *version.display_name == *error.parameter)
    };
    match &errors[..] {
        [error] if is_version(error) => ApiError::plain(ErrorCode::VersionRequired),
        _ => ApiError::new(ErrorKind::Parameters { errors, truncated }),
    }
}

/// `true` if the request will be refused whatever parts follow; the server then stores no further files. `false` if
/// later parts may replace the value or add to it, or if its check needs other values.
pub fn is_invalid_part(plan: &Plan, method: &PlannedMethod, name: &str, bytes: &[u8]) -> bool {
    let uses_last_value = plan.modules[method.module_index].uses_last_value;
    let early = |slot: &&PlannedParameter| !uses_last_value && slot.arity == Arity::One && slot.check.can_check_early();
    let passes = |slot: &PlannedParameter| {
        let text = std::str::from_utf8(bytes);
        text.is_ok_and(|text| fill_slot(slot, RawValue::Text(text.into()), &plan.limits).is_ok())
    };
    // A part whose name has brackets is only an item of the parameter's value.
    find_parameter_of_part(method, name)
        .filter(|slot| *slot.key == *name)
        .filter(early)
        .is_some_and(|slot| !passes(slot))
}

/// Why a raw value cannot be stored in its slot.
enum SlotError {
    Invalid(ParameterErrorKind, Option<TypeMismatch>),
    Limit(Limit),
}

/// A missing value is replaced by the default.
fn fill_slot<'a>(
    plan: &'a PlannedParameter,
    raw: RawValue<'a>,
    limits: &Limits,
) -> Result<ArgumentSlot<'a>, SlotError> {
    let default = || plan.default.as_ref().map(|value| ArgumentSlot::Value(value.reborrow()));
    let got = |kind, text| {
        SlotError::Invalid(kind, Some(TypeMismatch::with_got(plan.expected.clone(), Catalogue::ENGLISH.text(text))))
    };
    let value = match raw {
        RawValue::Absent => {
            let absent = default().or(plan.is_optional.then_some(ArgumentSlot::Absent));
            return absent.ok_or(SlotError::Invalid(ParameterErrorKind::Missing, None));
        }
        RawValue::Json(value) => value,
        RawValue::Text(text) => check_value_limits(plan.check.decode(text), limits)?,
        RawValue::Texts(texts) => check_value_limits(plan.check.decode_many(texts), limits)?,
        RawValue::Array(array) => check_value_limits(plan.check.decode_array(*array), limits)?,
        RawValue::File(upload) if plan.arity == Arity::Files => Value::List(vec![Value::File(upload)]),
        RawValue::File(upload) => Value::File(upload),
        RawValue::Files(files) => Value::List(files.into_iter().map(Value::File).collect()),
        RawValue::Repeated => return Err(got(ParameterErrorKind::Repeated, "several-values")),
        RawValue::RepeatedItem(keys) => {
            let text = Catalogue::ENGLISH.text("several-values");
            let mismatch = TypeMismatch::with_got(plan.expected.clone(), text).inside(&keys);
            return Err(SlotError::Invalid(ParameterErrorKind::Repeated, Some(mismatch)));
        }
        RawValue::InvalidUtf8 => return Err(got(ParameterErrorKind::Invalid, "not-utf-8")),
    };
    match value {
        // If a parameter is optional, the value null means that the argument is absent, even if the type of the
        // parameter accepts null. Some types refuse it.
        Value::Null if plan.is_optional && !plan.check.refuses_null() => Ok(default().unwrap_or(ArgumentSlot::Null)),
        value => {
            let invalid = |mismatch| SlotError::Invalid(ParameterErrorKind::Invalid, Some(mismatch));
            plan.check.checked(value).map(ArgumentSlot::Value).map_err(invalid)
        }
    }
}

/// A value from text respects the limits of JSON bodies: `items`, and `nesting` for the depth.
fn check_value_limits<'a>(value: Value<'a>, limits: &Limits) -> Result<Value<'a>, SlotError> {
    exceeded_limit(&value, limits, 1).map_or(Ok(value), |limit| Err(SlotError::Limit(limit)))
}

/// `None` if it exceeds no limit. The outermost value has the level 1.
fn exceeded_limit(value: &Value<'_>, limits: &Limits, level: u64) -> Option<Limit> {
    let count = match value {
        Value::List(items) => items.len(),
        Value::Map(members) => members.len(),
        _ => return None,
    };
    if level > limits.nesting {
        return Some(limits::NESTING_DEPTH.with_value(limits.nesting));
    }
    if count as u64 > limits.items {
        return Some(limits::ITEM_COUNT.with_value(limits.items));
    }
    match value {
        Value::List(items) => items.iter().find_map(|item| exceeded_limit(item, limits, level + 1)),
        Value::Map(members) => members.iter().find_map(|(_, member)| exceeded_limit(member, limits, level + 1)),
        _ => None,
    }
}

/// It does not contain a secret value. `is_text` is `true` if the value was sent as text.
fn parameter_error(
    plan: &PlannedParameter,
    kind: ParameterErrorKind,
    mismatch: Option<TypeMismatch>,
    is_text: bool,
) -> ParameterError {
    let mut message = None;
    let (expected, got, path, violation) = match mismatch.map(TypeMismatch::into_details) {
        Some(TypeMismatchDetails { mut expected, got, path, violation, message: of_constraint, .. }) => {
            message = of_constraint;
            if is_text && has_lost_plus(plan, &path, &got) {
                expected = format!("{expected} (in a query or a form, + is written as %2B)").into();
            }
            (expected, Some(got), path, violation)
        }
        None => {
            let is_file = matches!(plan.arity, Arity::File | Arity::Files);
            (plan.expected.clone(), None, String::new(), is_file.then_some(Violation::MissingFile))
        }
    };
    let secret = plan.is_secret || is_secret_name(&path);
    let mut error = ParameterError::new(kind, format!("{}{path}", plan.display_name), plan.source, expected);
    error.got = got.filter(|_| !secret);
    error.message = plan.message.clone().or(message.map(Into::into));
    error.violation = violation.filter(|violation| !(secret && violation.reveals_value())).map(Box::new);
    error
}

/// The rejected text that `got` quotes would be valid with `+` instead of its blanks, which `+` is in a query or a
/// form.
fn has_lost_plus(plan: &PlannedParameter, path: &str, got: &str) -> bool {
    let is_decoded = matches!(plan.source, Source::Query | Source::Body | Source::Any) && got.contains(' ');
    let quoted = if is_decoded { serde_json::from_str::<String>(got) } else { return false };
    quoted.is_ok_and(|text| {
        let text = text.replace(' ', "+");
        if path.is_empty() && plan.arity == Arity::Many {
            return plan.check.checked(plan.check.decode_many(vec![text.into()])).is_ok();
        }
        accepts_at(&*plan.check, path, &text, &mut HashSet::new())
    })
}

/// The key of a searched schema, and the length of the rest of the path.
type Searched = HashSet<(String, usize)>;

/// `text` is the item or the member at a path, such as `[2].name`.
fn accepts_at(check: &dyn Check, path: &str, text: &str, searched: &mut Searched) -> bool {
    if path.is_empty() {
        return check.checked(check.decode(text.into())).is_ok();
    }
    match check.structure() {
        Structure::Array(inner) | Structure::Map(inner) => {
            let end = path.char_indices().skip(1).find(|(_, char)| matches!(char, '.' | '['));
            accepts_at(&*inner, end.map_or("", |(end, _)| &path[end..]), text, searched)
        }
        Structure::Object(shape) => shape.fields.iter().any(|field| {
            let rest = path.strip_prefix('.').and_then(|path| path.strip_prefix(&*field.name));
            rest.is_some_and(|rest| accepts_at(&*field.check, rest, text, searched))
        }),
        Structure::Nullable(inner) => accepts_at(&*inner, path, text, searched),
        // Several types of a union can lead to the same schema, at each level of the value.
        Structure::Schema(schema) => {
            searched.insert((schema.key().to_owned(), path.len())) && accepts_at(&*schema.check, path, text, searched)
        }
        Structure::Union(branches) => branches.iter().any(|branch| accepts_at(&**branch, path, text, searched)),
        Structure::TaggedUnion { branches, .. } => {
            branches.iter().any(|(_, branch)| accepts_at(&**branch, path, text, searched))
        }
        _ => false,
    }
}

struct InvalidArgument {
    index: usize,
    /// As errors show it; `None` if it may be secret.
    got: Option<String>,
}

impl InvalidArgument {
    /// If an item or a member is invalid, only the kind of the whole value is known.
    fn new(index: usize, error: &ParameterError, parameter: &PlannedParameter) -> Self {
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
fn constraint_errors(
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

/// The value of another parameter in the constraint could reveal a secret one.
fn is_secret(constraint: &Constraint, method: &PlannedMethod) -> bool {
    let mut named = method.parameter_names.iter().zip(&method.parameters);
    named.any(|(name, parameter)| {
        let is_named = constraint.names.iter().any(|known| **known == **name);
        is_named && (parameter.is_secret || is_secret_name(name))
    })
}
