//! Reads fields whose names have brackets, such as `x[]`, `x[0]` and `x[a][b]`, as PHP does: the fields of a parameter
//! together are its value, an array or an object.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use rulebook_model::limits;

use super::RawValue;
use crate::call::{ApiError, PhpArrayError, PhpArrayLimits, Value, shorten_text, split_array_name};
use crate::plan::{Plan, PlannedMethod, PlannedParameter};

/// Returns the slot of the parameter that a name with brackets belongs to. `slots` are the candidates.
pub(in crate::pipeline) fn find_slot_of_array(method: &PlannedMethod, slots: &[usize], name: &str) -> Option<usize> {
    let (parameter, _) = split_array_name(name)?;
    slots.iter().copied().find(|slot| *method.parameters[*slot].key == *parameter)
}

/// Returns the slot of the parameter that an urlencoded name belongs to, if the name is not UTF-8 after decoding, but
/// the part before its brackets is the name of a parameter.
pub(super) fn find_slot_of_invalid_name(method: &PlannedMethod, slots: &[usize], name: &[u8]) -> Option<usize> {
    find_slot_of_array(method, slots, &percent_decode(name).decode_utf8_lossy())
}

/// Returns the limits of the arrays that the names of fields describe, for a method of the API.
pub(in crate::pipeline) fn array_limits(plan: &Plan, method: &PlannedMethod) -> PhpArrayLimits {
    PhpArrayLimits {
        nesting: plan.limits.nesting,
        items: plan.limits.items,
        replaces_values: plan.modules[method.module_index].uses_last_value,
    }
}

/// Adds the value of a field whose name has brackets to the raw value of a parameter. `value` is `None` if it is not
/// UTF-8.
///
/// # Errors
/// Fails if the array exceeds one of the limits.
pub(in crate::pipeline) fn add_to_array<'a>(
    raw: &mut RawValue<'a>,
    parameter: &PlannedParameter,
    limits: PhpArrayLimits,
    name: Cow<'a, str>,
    value: Option<Value<'a>>,
) -> Result<(), ApiError> {
    let value = match value {
        Some(Value::File(upload)) if parameter.file_limit.is_none() => {
            *raw = RawValue::File(upload);
            return Ok(());
        }
        Some(value) => value,
        None => {
            *raw = RawValue::InvalidUtf8;
            return Ok(());
        }
    };
    if matches!(raw, RawValue::InvalidUtf8 | RawValue::RepeatedItem(_)) {
        return Ok(());
    }
    let sent = match std::mem::take(raw) {
        RawValue::Array(array) => Some(array),
        _ if limits.replaces_values => Some(Box::default()),
        sent => sent.into_array(parameter.arity),
    };
    let Some(mut array) = sent else {
        *raw = RawValue::Repeated;
        return Ok(());
    };
    let exceeded = match array.insert(name.clone(), value, limits) {
        Ok(()) => {
            *raw = RawValue::Array(array);
            return Ok(());
        }
        Err(PhpArrayError::Repeated) => {
            let keys = name.into_owned().split_off(parameter.key.len());
            *raw = RawValue::RepeatedItem(shorten_text(&keys).into());
            return Ok(());
        }
        Err(PhpArrayError::Nesting) => limits::NESTING_DEPTH.with_value(limits.nesting),
        Err(PhpArrayError::Items) => limits::ITEM_COUNT.with_value(limits.items),
    };
    Err(ApiError::too_large(exceeded, Some(&parameter.display_name)))
}
