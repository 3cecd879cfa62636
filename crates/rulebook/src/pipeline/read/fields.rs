//! Reads the raw values of those parameters that are fields of a query or of an urlencoded body, or parts of a
//! multipart body (RFC 7578).

use std::borrow::Cow;

use percent_encoding::percent_decode;
use rulebook_model::limits;

use super::{ParameterReader, RawValue, find_parameter_of_part};
use crate::call::{ApiError, PhpArrayError, PhpArrayLimits, Source, Value, shorten_text, split_array_name};
use crate::multipart::{BodyPart, BodyPartContent};
use crate::pipeline::body::{check_has_media_type, check_is_not_json};
use crate::pipeline::urlencoded::{decode_text, split_fields};
use crate::plan::{Plan, PlannedMethod, PlannedParameter};

/// Parses the fields of `text`, and stores the values of those fields that are parameters of the API method. `source`
/// is the part of the request that contains the text. Fails if the text has more fields than the limit `fields` allows,
/// or a field is repeated more often than the limit `items` allows.
pub(super) fn read_fields<'a>(
    reading: &mut ParameterReader<'a, '_>,
    text: &'a [u8],
    source: Source,
) -> Result<(), ApiError> {
    let method = reading.method;
    let slots = if source == Source::Query { &method.query_slots } else { &method.body_slots };
    let limits = &reading.plan.limits;
    let mut next = 0;
    let mut count = 0;
    // If both the query and the body contain a value for a parameter, the value in the body is used.
    let mut body_slots =
        if source == Source::Body { SlotsFilledByBody::for_method(method) } else { SlotsFilledByBody::default() };
    for (name, value) in split_fields(text) {
        count += 1;
        if count > limits.fields {
            return Err(ApiError::too_large(limits::FIELD_COUNT.with_value(limits.fields), None));
        }
        let Some(name) = decode_text(name) else {
            // Names of parameters are UTF-8, so that a field with another name is not a parameter. But the keys in
            // brackets may be other bytes, with which the value of the parameter is invalid.
            match find_slot_of_invalid_name(method, slots, name) {
                Some(slot) => reading.raw[slot] = RawValue::InvalidUtf8,
                None => reading.handle_unknown_field(&String::from_utf8_lossy(name), source),
            }
            continue;
        };
        let value = decode_text(value).map(Value::Text);
        reading.add_field(name, value, slots, source, &mut next, &mut body_slots)?;
    }
    Ok(())
}

/// Reads a body that is a form, or that has no media type. Fails if it is not a form with fields that the API knows, so
/// that no body is lost.
pub(super) fn read_form<'a>(reading: &mut ParameterReader<'a, '_>, bytes: &'a [u8]) -> Result<(), ApiError> {
    check_is_not_json(reading.head, bytes)?;
    check_has_media_type(reading.head, bytes, || reading.knows_field_of(bytes))?;
    read_fields(reading, bytes, Source::Body)
}

impl<'a> ParameterReader<'a, '_> {
    /// Returns `true` if a field of the urlencoded body is a parameter, names the method, or is for an authenticator.
    #[cold]
    fn knows_field_of(&self, bytes: &[u8]) -> bool {
        let (method, slots) = (self.method, &self.method.body_slots);
        let is_known = |name: &str| {
            method.find_slot(slots, name, &mut 0).is_some()
                || find_slot_of_array(method, slots, name).is_some()
                || self.selects_method(name)
                || self.is_auth_field(name)
        };
        split_fields(bytes).any(|(name, _)| match decode_text(name) {
            Some(name) => is_known(&name),
            None => find_slot_of_invalid_name(method, slots, name).is_some(),
        })
    }

    /// Adds the value of a field of the query or of the body to its parameter, which is in one of these slots. `value`
    /// is `None` if it is not UTF-8. The search for the slot begins at the index `next` of `slots`. Fails if the
    /// parameter has more values than the limit `items` allows.
    pub(super) fn add_field(
        &mut self,
        name: Cow<'a, str>,
        value: Option<Value<'a>>,
        slots: &[usize],
        source: Source,
        next: &mut usize,
        body_slots: &mut SlotsFilledByBody,
    ) -> Result<(), ApiError> {
        let method = self.method;
        let uses_last_value = self.uses_last_value();
        let Some(slot) = method.find_slot(slots, &name, next) else {
            let Some(slot) = find_slot_of_array(method, slots, &name) else {
                self.handle_unknown_field(&name, source);
                return Ok(());
            };
            body_slots.clear_query_value(slot, &mut self.raw);
            let limits = array_limits(self.plan, method);
            return add_to_array(&mut self.raw[slot], &method.parameters[slot], limits, name, value);
        };
        body_slots.clear_query_value(slot, &mut self.raw);
        let (raw, parameter) = (&mut self.raw[slot], &method.parameters[slot]);
        match value {
            Some(value) => raw.add(value, parameter.arity, uses_last_value),
            None => *raw = RawValue::InvalidUtf8,
        }
        let values = match raw {
            RawValue::Texts(texts) => texts.len(),
            RawValue::Files(files) => files.len(),
            _ => 1,
        };
        let max = self.plan.limits.items;
        if values as u64 > max {
            return Err(ApiError::too_large(limits::ITEM_COUNT.with_value(max), Some(&parameter.display_name)));
        }
        Ok(())
    }
}

/// Stores the content of those parts of a multipart body that are parameters of the API method. Other uploaded files
/// are deleted when the body is dropped. Fails if the body has more parts for one parameter than the limit `items`
/// allows.
pub(super) fn read_parts<'a>(reading: &mut ParameterReader<'a, '_>, parts: &'a [BodyPart]) -> Result<(), ApiError> {
    let method = reading.method;
    let mut next = 0;
    let mut body_slots = SlotsFilledByBody::for_method(method);
    for part in parts {
        let value = match &part.content {
            BodyPartContent::Field(bytes) => std::str::from_utf8(bytes).ok().map(Value::from),
            BodyPartContent::File(upload) => Some(Value::File(upload.clone())),
            BodyPartContent::OtherFile { .. } => {
                if find_parameter_of_part(method, &part.name).is_none() {
                    reading.handle_unknown_field(&part.name, Source::Body);
                }
                continue;
            }
        };
        let name = Cow::Borrowed(&*part.name);
        reading.add_field(name, value, &method.body_slots, Source::Body, &mut next, &mut body_slots)?;
    }
    Ok(())
}

/// Records which slots (places for the values of parameters) have received a value from the body. The first value from
/// the body replaces the values that the query contained.
#[derive(Default)]
pub(super) struct SlotsFilledByBody(Vec<bool>);

impl SlotsFilledByBody {
    /// Creates the record for a method before its body is read. If the method has no query parameters, the record is
    /// empty and has no effect.
    pub(super) fn for_method(method: &PlannedMethod) -> Self {
        Self(if method.query_slots.is_empty() { Vec::new() } else { vec![false; method.parameters.len()] })
    }

    /// Removes the query's value from a slot. Has an effect only before the first value from the body is stored in this
    /// slot.
    pub(super) fn clear_query_value(&mut self, slot: usize, raw: &mut [RawValue<'_>]) {
        if let Some(body_slots @ false) = self.0.get_mut(slot) {
            *body_slots = true;
            raw[slot] = RawValue::Absent;
        }
    }
}

/// Returns the slot of the parameter that a name with brackets belongs to. `slots` are the candidates.
pub(in crate::pipeline) fn find_slot_of_array(method: &PlannedMethod, slots: &[usize], name: &str) -> Option<usize> {
    let (parameter, _) = split_array_name(name)?;
    slots.iter().copied().find(|slot| *method.parameters[*slot].key == *parameter)
}

/// Returns the slot of the parameter that an urlencoded name belongs to, if the name is not UTF-8 after decoding, but
/// the part before its brackets is the name of a parameter.
fn find_slot_of_invalid_name(method: &PlannedMethod, slots: &[usize], name: &[u8]) -> Option<usize> {
    find_slot_of_array(method, slots, &percent_decode(name).decode_utf8_lossy())
}

/// Returns the limits of the arrays that the names of fields describe, for a method of the API.
fn array_limits(plan: &Plan, method: &PlannedMethod) -> PhpArrayLimits {
    PhpArrayLimits {
        nesting: plan.limits.nesting,
        items: plan.limits.items,
        replaces_values: plan.modules[method.module_index].uses_last_value,
    }
}

/// Adds the value of a field whose name has brackets to the raw value of a parameter. `value` is `None` if it is not
/// UTF-8. Fails if the array exceeds one of the limits.
fn add_to_array<'a>(
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
