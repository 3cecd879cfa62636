//! Stage `read`: reads the raw value of every parameter from the request.
//!
//! Raw values are values as the client sent them, and borrow from the request where possible. The next stage, `check`,
//! decodes and checks them. Each parameter of an API method has a slot, the place for its value. The permission check
//! reads raw values from the head of a request before the body has arrived.
//!
//! Urlencoded text (`name=value&…`), which a query or a form body (`application/x-www-form-urlencoded`) contains, is
//! parsed as in the WHATWG URL standard, section 5.1: `+` is a space, a `%` without two hexadecimal digits after it is
//! kept, empty fields are skipped, and a name without `=` has an empty value. Text is copied only if it contains `%` or
//! `+`. Unlike in the standard, invalid UTF-8 is not replaced: [`decode_text`] returns `None`.

use std::borrow::Cow;

use http::header::HeaderName;
use percent_encoding::percent_decode;
use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::limits;
use rulebook_model::model::UnknownParameters;
use rulebook_model::suggest::closest_word;
use rulebook_model::types::Arity;
use serde::de::DeserializeSeed;

use super::body::{Body, check_has_media_type, check_is_not_json};
use crate::call::{
    ApiError, Callback, ETagList, Head, JsonLimits, MalformedRequest, MemberCollector, ParameterError,
    ParameterErrorKind, PhpArray, PhpArrayError, PhpArrayLimits, Source, Upload, Value, collect_members, shorten_text,
    split_array_name,
};
use crate::multipart::{BodyPart, BodyPartContent};
use crate::plan::{BodyUse, MatchedMethod, NameMatch, Plan, PlannedMethod, PlannedParameter, SegmentError, Segments};

/// The maximum number of unknown parameters of a request for which the server searches for similar names.
const MAX_SUGGESTIONS: usize = 10;

pub struct RawValues<'a> {
    /// One for each parameter of the API method, in the order of the definition.
    pub(super) raw: Vec<RawValue<'a>>,
    /// If the definition refuses unknown parameters.
    pub(super) unknown_parameter_errors: Vec<ParameterError>,
}

impl RawValues<'_> {
    pub fn given_parameters(&self) -> GivenParameters {
        let given = self.raw.iter().enumerate().filter(|(_, raw)| !matches!(raw, RawValue::Absent));
        GivenParameters(given.fold(0, |bits, (slot, _)| bits | 1 << slot.min(DISTINGUISHED - 1)))
    }
}

struct ParameterReader<'a, 'p> {
    plan: &'p Plan,
    method: &'p PlannedMethod,
    head: &'a Head,
    /// `None` if the path selected the method.
    by_name: Option<&'p NameMatch>,
    raw: Vec<RawValue<'a>>,
    /// If the definition refuses unknown parameters.
    unknown_parameter_errors: Vec<ParameterError>,
}

/// Fails if the body is malformed, or the request exceeds a limit.
pub fn read_parameters<'a>(
    plan: &Plan,
    head: &'a Head,
    matched: &'a MatchedMethod,
    body: &'a Body,
) -> Result<RawValues<'a>, ApiError> {
    let method = &plan.methods[matched.method_index];
    let raw = vec![RawValue::Absent; method.parameters.len()];
    let mut reading = ParameterReader {
        plan,
        method,
        head,
        by_name: matched.by_name.as_deref(),
        raw,
        unknown_parameter_errors: Vec::new(),
    };
    reading.read_segments(&matched.segments);
    reading.read_header_fields();
    if !method.query_slots.is_empty() || plan.unknown_parameters != UnknownParameters::Ignore {
        read_fields(&mut reading, head.query().as_bytes(), Source::Query)?;
    }
    match body {
        Body::Empty | Body::Other(_) => {}
        Body::Form(bytes) => read_form(&mut reading, bytes)?,
        Body::Json(bytes) => match method.body_use {
            BodyUse::Whole(slot) => read_whole(&mut reading, bytes, slot)?,
            BodyUse::Nothing | BodyUse::Unread | BodyUse::Fields | BodyUse::Raw(_) => {
                read_members(&mut reading, bytes)?;
            }
        },
        Body::File(upload) => {
            if let BodyUse::Raw(slot) = method.body_use {
                reading.raw[slot] = RawValue::File(upload.clone());
            }
        }
        Body::Parts(parts) => read_parts(&mut reading, parts)?,
    }
    Ok(RawValues { raw: reading.raw, unknown_parameter_errors: reading.unknown_parameter_errors })
}

impl<'a> ParameterReader<'a, '_> {
    fn read_segments(&mut self, segments: &'a Segments) {
        for (segment, slot) in &self.method.path_slots {
            self.raw[*slot] = raw_segment_value(self.head, segments, *segment);
        }
        for (slot, error) in self.by_name.iter().flat_map(|by_name| &by_name.invalid_segments) {
            self.raw[*slot] = match error {
                SegmentError::SeveralValues => RawValue::Repeated,
                SegmentError::InvalidUtf8 => RawValue::InvalidUtf8,
            };
        }
    }

    fn read_header_fields(&mut self) {
        let head = self.head;
        for (name, slot) in &self.method.header_slots {
            self.raw[*slot] = raw_header_value(head, name, &self.method.parameters[*slot]);
        }
        for name in self.method.refused_conditions.iter().filter(|name| head.get(name).is_some()) {
            let expected = Catalogue::ENGLISH.text("no-parameter");
            let error = ParameterError::new(ParameterErrorKind::Unknown, name.as_str(), Source::Header, expected);
            self.unknown_parameter_errors.push(error);
        }
        if self.method.cookie_slots.is_empty() {
            return;
        }
        for (name, value) in head.cookies() {
            let mut slots = self.method.cookie_slots.iter();
            let Some(slot) = slots.find(|slot| self.method.parameters[**slot].key.as_bytes() == name) else { continue };
            match std::str::from_utf8(value) {
                Ok(text) => self.raw[*slot].add(text.into(), self.method.parameters[*slot].arity, false),
                Err(_) => self.raw[*slot] = RawValue::InvalidUtf8,
            }
        }
    }

    /// The field is ignored, logged or an error, as the setting `unknown` demands.
    fn handle_unknown_field(&mut self, name: &str, source: Source) {
        // The field names the JSONP callback, which another module of the pipeline reads.
        if self.method.allows_jsonp && source == Source::Query && name == Callback::PARAMETER {
            return;
        }
        match self.plan.unknown_parameters {
            UnknownParameters::Ignore => {}
            _ if self.selects_method(name) || source == Source::Body && self.is_auth_field(name) => {}
            UnknownParameters::Warn => {
                let (id, request_id, name) = (&*self.method.id, &self.head.id, shorten_text(name));
                log::warn!(id, request_id:%; "{id}: {request_id}: unknown parameter {name:?} in the {source}");
            }
            UnknownParameters::Refuse => {
                let parameter = shorten_text(name);
                if self
                    .unknown_parameter_errors
                    .iter()
                    .any(|error| error.parameter == parameter && error.source == source)
                {
                    return;
                }
                let expected = Catalogue::ENGLISH.text("no-parameter");
                let suggests = self.unknown_parameter_errors.len() < MAX_SUGGESTIONS;
                let similar = if suggests { similar_parameter(self.method, name, source) } else { None };
                let error = ParameterError::new(ParameterErrorKind::Unknown, &*parameter, source, expected);
                self.unknown_parameter_errors.push(error.with_similar(similar));
            }
        }
    }

    /// Returns `true` if a field selects the method, or contains a positional parameter of a method that was selected
    /// by fields.
    fn selects_method(&self, name: &str) -> bool {
        let Some(NameMatch { naming, .. }) = self.by_name else { return false };
        let mut positions = self.method.path_slots.iter();
        let name = split_array_name(name).map_or(name, |(parameter, _)| parameter);
        naming.fields().contains(&name) || positions.any(|(_, slot)| *self.method.parameter_names[*slot] == *name)
    }

    fn is_auth_field(&self, name: &str) -> bool {
        self.plan.auth_fields.iter().any(|field| **field == *name)
    }

    /// Returns `true` if the last one of several values counts for a parameter that accepts only one.
    fn uses_last_value(&self) -> bool {
        self.plan.modules[self.method.module_index].uses_last_value
    }

    fn json_limits(&self) -> JsonLimits {
        JsonLimits::new(self.plan.limits.nesting, self.plan.limits.items).keeping_last(self.uses_last_value())
    }
}

/// The most similar name in this part of the request. Brackets at the end of `name` are ignored.
fn similar_parameter<'p>(method: &'p PlannedMethod, name: &str, source: Source) -> Option<&'p str> {
    let slots = if source == Source::Query { &method.query_slots } else { &method.body_slots };
    let name = split_array_name(name).map_or(name, |(parameter, _)| parameter);
    closest_word(&shorten_text(name), slots.iter().map(|slot| &*method.parameters[*slot].key))
}

/// The name may have brackets; the part is then an item of the value.
pub fn find_parameter_of_part<'p>(method: &'p PlannedMethod, name: &str) -> Option<&'p PlannedParameter> {
    Some(&method.parameters[find_slot_of_field(method, &method.body_slots, name)?])
}

/// The last one stands for all further parameters.
const DISTINGUISHED: usize = u64::BITS as usize;

/// Needs no allocation; from the 64th parameter on, all are contained if one of them is.
#[derive(Debug, Clone, Copy, Default)]
pub struct GivenParameters(u64);

impl GivenParameters {
    /// `counts` has a count for each parameter of the method.
    pub fn add_to(self, counts: &mut [u64]) {
        let mut bits = self.0;
        while bits != 0 {
            let slot = bits.trailing_zeros() as usize;
            let end = if slot == DISTINGUISHED - 1 { counts.len() } else { slot + 1 };
            counts.get_mut(slot..end).into_iter().flatten().for_each(|count| *count += 1);
            bits &= bits - 1;
        }
    }
}

/// Fails if the text exceeds the limit `fields`, or a field is repeated more often than `items` allows.
fn read_fields<'a>(reading: &mut ParameterReader<'a, '_>, text: &'a [u8], source: Source) -> Result<(), ApiError> {
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

/// Fails if a form or a body without a media type has no field that the API knows, so that no body is lost.
fn read_form<'a>(reading: &mut ParameterReader<'a, '_>, bytes: &'a [u8]) -> Result<(), ApiError> {
    check_is_not_json(reading.head, bytes)?;
    check_has_media_type(reading.head, bytes, || reading.knows_field_of(bytes))?;
    read_fields(reading, bytes, Source::Body)
}

impl<'a> ParameterReader<'a, '_> {
    /// A parameter, the name of the method, or a field for an authenticator.
    #[cold]
    fn knows_field_of(&self, bytes: &[u8]) -> bool {
        let (method, slots) = (self.method, &self.method.body_slots);
        let is_known = |name: &str| {
            find_slot_of_field(method, slots, name).is_some() || self.selects_method(name) || self.is_auth_field(name)
        };
        split_fields(bytes).any(|(name, _)| match decode_text(name) {
            Some(name) => is_known(&name),
            None => find_slot_of_invalid_name(method, slots, name).is_some(),
        })
    }

    /// The parameter is in one of these slots, which are searched from the index `next` on. `value` is `None` if it is
    /// not UTF-8. Fails if the parameter exceeds the limit `items`.
    fn add_field(
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

/// Other uploaded files are deleted when the body is dropped. Fails if a parameter exceeds the limit `items`.
fn read_parts<'a>(reading: &mut ParameterReader<'a, '_>, parts: &'a [BodyPart]) -> Result<(), ApiError> {
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

/// The first value from the body replaces those of the query.
#[derive(Default)]
struct SlotsFilledByBody(Vec<bool>);

impl SlotsFilledByBody {
    /// The value is empty and has no effect if the method has no query parameters.
    fn for_method(method: &PlannedMethod) -> Self {
        Self(if method.query_slots.is_empty() { Vec::new() } else { vec![false; method.parameters.len()] })
    }

    /// Has an effect only before the first value from the body is stored in the slot.
    fn clear_query_value(&mut self, slot: usize, raw: &mut [RawValue<'_>]) {
        if let Some(body_slots @ false) = self.0.get_mut(slot) {
            *body_slots = true;
            raw[slot] = RawValue::Absent;
        }
    }
}

/// `slots` are the candidates for a name with brackets.
pub(super) fn find_slot_of_field(method: &PlannedMethod, slots: &[usize], name: &str) -> Option<usize> {
    method.find_slot(slots, name, &mut 0).or_else(|| find_slot_of_array(method, slots, name))
}

fn find_slot_of_array(method: &PlannedMethod, slots: &[usize], name: &str) -> Option<usize> {
    let (parameter, _) = split_array_name(name)?;
    slots.iter().copied().find(|slot| *method.parameters[*slot].key == *parameter)
}

/// The name is not UTF-8, but the part before its brackets is the name of a parameter.
fn find_slot_of_invalid_name(method: &PlannedMethod, slots: &[usize], name: &[u8]) -> Option<usize> {
    find_slot_of_array(method, slots, &percent_decode(name).decode_utf8_lossy())
}

fn array_limits(plan: &Plan, method: &PlannedMethod) -> PhpArrayLimits {
    PhpArrayLimits {
        nesting: plan.limits.nesting,
        items: plan.limits.items,
        replaces_values: plan.modules[method.module_index].uses_last_value,
    }
}

/// Adds the value of a field whose name has brackets. `value` is `None` if it is not UTF-8. Fails if the array exceeds
/// a limit.
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

/// Fails if the body is not a JSON object, or exceeds a limit.
fn read_members<'a>(reading: &mut ParameterReader<'a, '_>, bytes: &'a [u8]) -> Result<(), ApiError> {
    let Some(text) = json_text(bytes)? else { return Ok(()) };
    let limits = reading.json_limits();
    let max_members = reading.plan.limits.fields;
    let mut reader = serde_json::Deserializer::from_str(text);
    let body_slots = SlotsFilledByBody::for_method(reading.method);
    let mut collector = ParameterCollector { reading, body_slots, next: 0 };
    let read = collect_members(&mut reader, &limits, max_members, &mut collector).and_then(|()| reader.end());
    read.map_err(|error| json_error(&error, &limits))
}

/// Reads the whole body as the value of one parameter. Fails if the body is not JSON, or exceeds a limit.
fn read_whole<'a>(reading: &mut ParameterReader<'a, '_>, bytes: &'a [u8], slot: usize) -> Result<(), ApiError> {
    let Some(text) = json_text(bytes)? else { return Ok(()) };
    let limits = reading.json_limits();
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = limits.value_seed(0).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    reading.raw[slot] = RawValue::Json(value.map_err(|error| json_error(&error, &limits))?);
    Ok(())
}

/// `None` if it is empty, which counts as a missing body (RFC 9110 section 6.4).
fn json_text(bytes: &[u8]) -> Result<Option<&str>, ApiError> {
    // Checking at once that the whole body is UTF-8 is faster than letting serde_json check each string.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ApiError::malformed(MalformedRequest::JsonEncoding { byte: error.valid_up_to() }))?;
    // Some programs begin texts with a byte order mark, which a parser may ignore (RFC 8259 section 8.1).
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Ok(Some(text).filter(|text| !text.trim_ascii().is_empty()))
}

fn json_error(error: &serde_json::Error, limits: &JsonLimits) -> ApiError {
    match limits.take_exceeded() {
        Some(limit) => ApiError::too_large(limit, None),
        // Members are read only from an object, so that a data error of serde_json means that the body is not an
        // object.
        None if error.is_data() => ApiError::malformed(MalformedRequest::JsonKind),
        None => ApiError::malformed(MalformedRequest::from_json_error(error)),
    }
}

struct ParameterCollector<'r, 'a, 'p> {
    reading: &'r mut ParameterReader<'a, 'p>,
    body_slots: SlotsFilledByBody,
    next: usize,
}

impl<'a> MemberCollector<'a> for ParameterCollector<'_, 'a, '_> {
    type Key = usize;

    fn select(&mut self, name: Cow<'a, str>) -> Option<usize> {
        let method = self.reading.method;
        let slot = method.find_slot(&method.body_slots, &name, &mut self.next);
        match slot {
            Some(slot) => self.body_slots.clear_query_value(slot, &mut self.reading.raw),
            None => self.reading.handle_unknown_field(&name, Source::Body),
        }
        slot
    }

    fn add(&mut self, slot: usize, value: Value<'a>) {
        let uses_last_value = self.reading.uses_last_value();
        let raw = &mut self.reading.raw[slot];
        let is_single = uses_last_value || matches!(raw, RawValue::Absent);
        *raw = if is_single { RawValue::Json(value) } else { RawValue::Repeated };
    }
}

/// A value as the client sent it, before it is decoded and checked.
#[derive(Debug, Clone, Default)]
pub(super) enum RawValue<'a> {
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// For a parameter that accepts several values.
    Texts(Vec<Cow<'a, str>>),
    /// Fields whose names have brackets.
    Array(Box<PhpArray<'a>>),
    /// A member of a JSON body, or an argument of a call from code.
    Json(Value<'a>),
    File(Upload),
    /// For a parameter that accepts several files.
    Files(Vec<Upload>),
    /// Several values for a parameter that accepts only one.
    Repeated,
    /// Several values for an item, whose name has these keys in brackets.
    RepeatedItem(Box<str>),
    InvalidUtf8,
}

/// `Absent` for a parameter that is neither in the path nor in a header field.
pub(super) fn raw_value_in_head<'a>(
    method: &PlannedMethod,
    slot: usize,
    head: &'a Head,
    segments: &'a Segments,
) -> RawValue<'a> {
    if let Some((segment, _)) = method.path_slots.iter().find(|(_, candidate)| *candidate == slot) {
        return raw_segment_value(head, segments, *segment);
    }
    match method.header_slots.iter().find(|(_, candidate)| *candidate == slot) {
        Some((name, _)) => raw_header_value(head, name, &method.parameters[slot]),
        None => RawValue::Absent,
    }
}

/// An empty segment counts as absent.
fn raw_segment_value<'a>(head: &'a Head, segments: &'a Segments, index: usize) -> RawValue<'a> {
    match segments.get(head.uri.path(), index) {
        Some(segment) if !segment.is_empty() => RawValue::Text(Cow::Borrowed(segment)),
        _ => RawValue::Absent,
    }
}

/// All fields with this name are one value (RFC 9110 section 5.3).
fn raw_header_value<'a>(head: &'a Head, name: &HeaderName, parameter: &PlannedParameter) -> RawValue<'a> {
    if parameter.is_entity_tag {
        raw_versions(head, name, parameter.arity)
    } else {
        raw_texts(head, name, parameter.arity)
    }
}

/// `*` names no version and counts as absent. A version without quotes is read too, as programs send it that know only
/// its type.
///
/// A tag that a proxy has weakened, because it compresses, still names the version: the server itself sends only strong
/// ones, and a version is that of the resource and not of the bytes of a response.
fn raw_versions<'a>(head: &'a Head, name: &HeaderName, arity: Arity) -> RawValue<'a> {
    let Some(list) = ETagList::from_head(head, name) else { return RawValue::Absent };
    if list.is_malformed {
        return raw_texts(head, name, arity);
    }
    let mut raw = RawValue::Absent;
    list.tags.iter().for_each(|tag| raw.add(Value::Text(tag.version().into()), arity, false));
    raw
}

fn raw_texts<'a>(head: &'a Head, name: &HeaderName, arity: Arity) -> RawValue<'a> {
    let mut raw = RawValue::Absent;
    for (_, value) in head.headers.iter().filter(|(candidate, _)| candidate == name) {
        match std::str::from_utf8(value.as_bytes()) {
            Ok(text) => raw.add(text.into(), arity, false),
            Err(_) => return RawValue::InvalidUtf8,
        }
    }
    raw
}

impl<'a> RawValue<'a> {
    /// A second value of a parameter that accepts only one replaces the first if `uses_last_value`; otherwise the raw
    /// value becomes `Repeated`. In an array, the value becomes an item.
    pub(super) fn add(&mut self, value: Value<'a>, arity: Arity, uses_last_value: bool) {
        let is_several = matches!((arity, &value), (Arity::Many, Value::Text(_)) | (Arity::Files, Value::File(_)));
        *self = match (std::mem::take(self), value) {
            (RawValue::Absent, value) => Self::single(value),
            (RawValue::Text(first), Value::Text(text)) if is_several => RawValue::Texts(vec![first, text]),
            (RawValue::Texts(mut texts), Value::Text(text)) => {
                texts.push(text);
                RawValue::Texts(texts)
            }
            (RawValue::File(first), Value::File(upload)) if is_several => RawValue::Files(vec![first, upload]),
            (RawValue::Files(mut files), Value::File(upload)) => {
                files.push(upload);
                RawValue::Files(files)
            }
            (_, value) if uses_last_value => Self::single(value),
            (RawValue::Array(mut array), value) if is_several => match array.push(value) {
                Ok(()) => RawValue::Array(array),
                Err(_) => RawValue::Repeated,
            },
            _ => RawValue::Repeated,
        };
    }

    fn single(value: Value<'a>) -> Self {
        match value {
            Value::Text(text) => RawValue::Text(text),
            Value::File(upload) => RawValue::File(upload),
            value => RawValue::Json(value),
        }
    }

    /// Values without brackets are the beginning of an array whose other items have brackets; `None` without such
    /// values.
    fn into_array(self, arity: Arity) -> Option<Box<PhpArray<'a>>> {
        let values: Vec<Value<'a>> = match (self, arity) {
            (RawValue::Array(array), _) => return Some(array),
            (RawValue::Absent, _) => Vec::new(),
            (RawValue::Text(text), Arity::Many) => vec![Value::Text(text)],
            (RawValue::Texts(texts), Arity::Many) => texts.into_iter().map(Value::Text).collect(),
            (RawValue::File(upload), Arity::Files) => vec![Value::File(upload)],
            (RawValue::Files(uploads), Arity::Files) => uploads.into_iter().map(Value::File).collect(),
            _ => return None,
        };
        let mut array = Box::<PhpArray<'_>>::default();
        values.into_iter().try_for_each(|value| array.push(value)).ok()?;
        Some(array)
    }
}

/// Neither names nor values are decoded.
pub(super) fn split_fields(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        match pair.iter().position(|byte| *byte == b'=') {
            Some(at) => (&pair[..at], &pair[at + 1..]),
            None => (pair, &pair[pair.len()..]),
        }
    })
}

/// `None` if the decoded bytes are not UTF-8.
pub(super) fn decode_text(bytes: &[u8]) -> Option<Cow<'_, str>> {
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
    }
    let mut decoded = Vec::with_capacity(bytes.len());
    for (index, part) in bytes.split(|byte| *byte == b'+').enumerate() {
        decoded.extend((index > 0).then_some(b' '));
        decoded.extend(percent_decode(part));
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

/// `None` for a value that is not UTF-8.
pub fn query_values<'a>(head: &'a Head, name: &str) -> impl Iterator<Item = Option<Cow<'a, str>>> {
    let named =
        split_fields(head.query().as_bytes()).filter(move |(key, _)| decode_text(key).is_some_and(|key| key == name));
    named.map(|(_, value)| decode_text(value))
}
