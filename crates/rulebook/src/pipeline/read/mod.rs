//! Stage `read`: reads the raw value of every parameter from the request.
//!
//! Each Rust module reads one part of the request. The raw values borrow from the request where possible. The next
//! stage, `check`, decodes and checks them. Each parameter of an API method has a slot, the place for its value.

mod fields;
mod given;
mod json;

use rulebook_model::error::catalogue::Catalogue;
use rulebook_model::model::UnknownParameters;
use rulebook_model::suggest::closest_word;

pub(super) use fields::find_slot_of_array;
pub use given::GivenParameters;

use super::body::Body;
use super::raw_value::{RawValue, raw_header_value, raw_segment_value};
use crate::call::{
    ApiError, Callback, Head, ParameterError, ParameterErrorKind, Source, shorten_text, split_array_name,
};
use crate::plan::{BodyUse, MatchedMethod, NameMatch, Plan, PlannedMethod, PlannedParameter, SegmentError, Segments};

/// The maximum number of unknown parameters of a request for which the server searches for similar names.
const MAX_SUGGESTIONS: usize = 10;

/// The result of this stage: the raw values of a request's parameters.
pub struct RawValues<'a> {
    /// The raw values, one for each parameter of the API method, in the order of the definition.
    pub(super) raw: Vec<RawValue<'a>>,
    /// The errors for unknown parameters, if the definition refuses unknown parameters.
    pub(super) unknown_parameter_errors: Vec<ParameterError>,
}

impl RawValues<'_> {
    /// Returns the parameters that the request contains.
    pub fn given_parameters(&self) -> GivenParameters {
        GivenParameters::of(&self.raw)
    }
}

/// The state of this stage while it collects the raw values of a request's parameters.
struct ParameterReader<'a, 'p> {
    plan: &'p Plan,
    method: &'p PlannedMethod,
    head: &'a Head,
    /// The names in the query or the body that selected the API method; `None` if the path selected the method.
    by_name: Option<&'p NameMatch>,
    raw: Vec<RawValue<'a>>,
    /// The errors for unknown parameters, if the definition refuses unknown parameters.
    unknown_parameter_errors: Vec<ParameterError>,
}

/// Reads the raw value of every parameter of the API method that the request calls. Fails if the body is malformed, or
/// the request exceeds a limit.
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
        fields::read_fields(&mut reading, head.query().as_bytes(), Source::Query)?;
    }
    match body {
        Body::Empty | Body::Other(_) => {}
        Body::Form(bytes) => fields::read_form(&mut reading, bytes)?,
        Body::Json(bytes) => match method.body_use {
            BodyUse::Whole(slot) => json::read_whole(&mut reading, bytes, slot)?,
            BodyUse::Nothing | BodyUse::Unread | BodyUse::Fields | BodyUse::Raw(_) => {
                json::read_members(&mut reading, bytes)?;
            }
        },
        Body::File(upload) => {
            if let BodyUse::Raw(slot) = method.body_use {
                reading.raw[slot] = RawValue::File(upload.clone());
            }
        }
        Body::Parts(parts) => fields::read_parts(&mut reading, parts)?,
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

    /// Handles a field that is not a parameter of the API method: ignores it, logs it or stores an error, as the
    /// setting `unknown` demands.
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

    /// Returns `true` if the field with this name has selected the API method, or contains a positional parameter of a
    /// method that was selected by fields.
    fn selects_method(&self, name: &str) -> bool {
        let Some(NameMatch { naming, .. }) = self.by_name else { return false };
        let mut positions = self.method.path_slots.iter();
        let name = split_array_name(name).map_or(name, |(parameter, _)| parameter);
        naming.fields().contains(&name) || positions.any(|(_, slot)| *self.method.parameter_names[*slot] == *name)
    }

    /// Returns `true` if authenticators read the field of the body with this name.
    fn is_auth_field(&self, name: &str) -> bool {
        self.plan.auth_fields.iter().any(|field| **field == *name)
    }

    /// Returns `true` if the last value is used when the request contains several values for a parameter that accepts
    /// only one value.
    fn uses_last_value(&self) -> bool {
        self.plan.modules[self.method.module_index].uses_last_value
    }
}

/// Returns the name of the parameter in this part of the request whose name is most similar. Brackets at the end of
/// `name` are ignored.
fn similar_parameter<'p>(method: &'p PlannedMethod, name: &str, source: Source) -> Option<&'p str> {
    let slots = if source == Source::Query { &method.query_slots } else { &method.body_slots };
    let name = split_array_name(name).map_or(name, |(parameter, _)| parameter);
    closest_word(&shorten_text(name), slots.iter().map(|slot| &*method.parameters[*slot].key))
}

/// Returns the parameter whose value is the part of a multipart body with this name; `None` if the method has no such
/// parameter. The name may have brackets; the part is then an item of the value.
pub fn find_parameter_of_part<'p>(method: &'p PlannedMethod, name: &str) -> Option<&'p PlannedParameter> {
    let slots = &method.body_slots;
    let slot = method.find_slot(slots, name, &mut 0).or_else(|| find_slot_of_array(method, slots, name))?;
    Some(&method.parameters[slot])
}
