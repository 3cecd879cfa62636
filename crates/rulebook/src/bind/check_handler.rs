//! Checks that the argument type of a handler accepts all arguments that the definition of its API method allows, and
//! that its output type has the declared outputs.
//!
//! At startup, the argument type is deserialized from sample values, so that no request fails later because the
//! argument type rejects a value. The *samples* of a parameter are values at the boundaries of its type, such as the
//! smallest and the largest number. Each parameter is tested separately, so that each rejected parameter is reported
//! once, with the rejected value. An argument type whose fields are not known (a map, or a struct with
//! `serde(flatten)`) is tested with all parameters together.
//!
//! A parameter is identified by its index in the definition.

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::{Method, Output, Parameter};
use rulebook_model::span::Span;
use rulebook_model::types::Arity;
use serde_json::Value as Json;

use crate::call::{ArgumentSlot, ArgumentSlots, Upload, UploadContent, Value};
use crate::handler::{ArgsError, ArgumentFields, HandlerBinding, HandlerMismatch, OutputProbe};

pub(super) fn check_handler(method: &Method, binding: &HandlerBinding, fields: &ArgumentFields) -> Vec<Diagnostic> {
    let check = HandlerCheck {
        method,
        binding,
        names: method.parameters.iter().map(|parameter| parameter.name.as_str().into()).collect(),
        samples: method.parameters.iter().map(sample_slots).collect(),
        is_reported: vec![false; method.parameters.len()],
        diagnostics: Vec::new(),
    };
    match &fields.field_names {
        Some(names) => check.check_parameters_separately(names),
        None => check.check_parameters_together(),
    }
}

struct HandlerCheck<'a> {
    method: &'a Method,
    binding: &'a HandlerBinding,
    names: Vec<Box<str>>,
    /// The sample values of each parameter; null and absence are the last samples.
    samples: Vec<Vec<ArgumentSlot<'static>>>,
    is_reported: Vec<bool>,
    diagnostics: Vec<Diagnostic>,
}

impl HandlerCheck<'_> {
    /// Checks an argument type whose fields are known. First tests the samples of each parameter separately; then tests
    /// that optional parameters can be omitted.
    fn check_parameters_separately(mut self, fields: &[&'static str]) -> Vec<Diagnostic> {
        let accepted: Vec<Option<ArgumentSlot<'static>>> =
            (0..self.samples.len()).map(|index| self.check_samples_of_parameter(index)).collect();
        let fields = self.match_fields_to_parameters(fields, &accepted);
        self.check_required_fields(&fields, &accepted);
        let all = (0..accepted.len()).filter_map(|index| Some((index, accepted[index].clone()?)));
        if self.diagnostics.is_empty()
            && !self.lacks_samples()
            && let Err(mismatch) = self.deserialize_from(all)
        {
            self.report_method(&format!("does not accept the method's parameters: {}", mismatch.error), None);
        }
        self.diagnostics
    }

    /// Returns the first sample that the argument type accepts, tested without the other parameters.
    fn check_samples_of_parameter(&mut self, index: usize) -> Option<ArgumentSlot<'static>> {
        let mut accepted = None;
        for slot in self.samples[index].clone() {
            if slot == ArgumentSlot::Absent {
                continue;
            }
            match self.deserialize_from([(index, slot.clone())]) {
                Err(HandlerMismatch { slot: Some(_), error }) => {
                    self.report_value(index, &slot, &error.to_string());
                }
                Err(HandlerMismatch { slot: None, error: ArgsError::UnknownField(_) }) => {
                    let name = &self.method.parameters[index].name;
                    self.report_parameter(index, &format!("has no argument `{name}`"));
                    return None;
                }
                Ok(()) | Err(HandlerMismatch { slot: None, .. }) => {
                    accepted.get_or_insert(slot);
                }
            }
        }
        accepted
    }

    /// Reports fields that have no parameter.
    fn match_fields_to_parameters(
        &mut self,
        fields: &[&'static str],
        accepted: &[Option<ArgumentSlot<'static>>],
    ) -> Vec<(&'static str, usize)> {
        let mut matched = Vec::new();
        for field in fields {
            let same_name = self.method.parameters.iter().position(|parameter| parameter.name == *field);
            // The field may be an alias of a parameter's field, which only an accepted value of the parameter can
            // prove. A reported parameter may have no accepted value.
            let may_be_alias = self.is_reported.contains(&true);
            match same_name.or_else(|| self.find_alias(field, accepted)) {
                Some(index) => matched.push((*field, index)),
                None if may_be_alias => {}
                None => {
                    let names: Vec<_> =
                        self.method.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
                    let help = rulebook_model::diagnostic::closest_word(field, names)
                        .map(|suggestion| format!("did you mean `{suggestion}`?"));
                    self.report_method(&format!("has an argument `{field}`, which is not a parameter"), help);
                }
            }
        }
        matched
    }

    /// The parameter is found because serde rejects its name together with its alias (`serde(alias)`) as a duplicate
    /// field.
    fn find_alias(&self, field: &'static str, accepted: &[Option<ArgumentSlot<'static>>]) -> Option<usize> {
        accepted.iter().enumerate().find_map(|(index, slot)| {
            let names = [self.method.parameters[index].name.as_str().into(), field.into()];
            let values = vec![slot.clone()?, ArgumentSlot::Null];
            let both = self.binding.handler.check_slots(ArgumentSlots { names: &names, values });
            both.is_err_and(|mismatch| matches!(mismatch.error, ArgsError::DuplicateField(_))).then_some(index)
        })
    }

    /// Finds the required fields of the argument type: deserializes it without values first, and then adds a value for
    /// each field that serde reports as missing. Reports required fields whose parameter is optional.
    fn check_required_fields(&mut self, fields: &[(&'static str, usize)], accepted: &[Option<ArgumentSlot<'static>>]) {
        let mut given: Vec<(usize, ArgumentSlot<'static>)> = Vec::new();
        while let Err(mismatch) = self.deserialize_from(given.iter().cloned()) {
            let ArgsError::MissingField(missing) = &mismatch.error else { return };
            let Some((_, index)) = fields.iter().find(|(field, _)| field == missing) else { return };
            let Some(slot) = accepted[*index].clone() else { return };
            if given.iter().any(|(other, _)| other == index) {
                return;
            }
            if self.samples[*index].contains(&ArgumentSlot::Absent) {
                self.report_value(*index, &ArgumentSlot::Absent, &mismatch.error.to_string());
            }
            given.push((*index, slot));
        }
    }

    /// Checks an argument type whose fields are not known: tests typical values of all parameters together, and then
    /// replaces the value of each parameter by its samples.
    fn check_parameters_together(mut self) -> Vec<Diagnostic> {
        let mut typical: Vec<ArgumentSlot<'static>> = self.method.parameters.iter().map(typical_slot).collect();
        let with = |typical: &[ArgumentSlot<'static>], index: usize, slot: &ArgumentSlot<'static>| {
            let mut values = typical.to_vec();
            values[index] = slot.clone();
            values.into_iter().enumerate()
        };
        if let Err(mismatch) = self.deserialize_from(typical.iter().cloned().enumerate()) {
            let accepted = self.samples.iter().enumerate().find_map(|(index, slots)| {
                let slot = slots.iter().find(|slot| self.deserialize_from(with(&typical, index, slot)).is_ok())?;
                Some((index, slot.clone()))
            });
            match (accepted, mismatch.slot) {
                (Some((index, slot)), _) => {
                    let rejected = std::mem::replace(&mut typical[index], slot);
                    self.report_value(index, &rejected, &mismatch.error.to_string());
                }
                (None, Some(index)) => {
                    self.report_value(index, &typical[index], &mismatch.error.to_string());
                    return self.diagnostics;
                }
                (None, None) if self.lacks_samples() => return self.diagnostics,
                (None, None) => {
                    let message = format!("does not accept the method's parameters: {}", mismatch.error);
                    self.report_method(&message, None);
                    return self.diagnostics;
                }
            }
        }
        for index in 0..typical.len() {
            for slot in self.samples[index].clone() {
                if let Err(mismatch) = self.deserialize_from(with(&typical, index, &slot)) {
                    self.report_value(index, &slot, &mismatch.error.to_string());
                }
            }
        }
        self.diagnostics
    }

    /// Returns `true` if one of the parameters has no samples, because its type defines no
    /// [`boundary_values`](rulebook_model::types::Check::boundary_values). An error about a missing value then does not
    /// mean that the argument type is wrong.
    fn lacks_samples(&self) -> bool {
        self.samples.iter().any(Vec::is_empty)
    }

    /// Deserializes the argument type from values, each of which belongs to the parameter with the given index. In the
    /// error, `slot` is the index of the rejected parameter.
    fn deserialize_from(
        &self,
        slots: impl IntoIterator<Item = (usize, ArgumentSlot<'static>)>,
    ) -> Result<(), HandlerMismatch> {
        let mut values = vec![ArgumentSlot::Absent; self.names.len()];
        for (index, slot) in slots {
            values[index] = slot;
        }
        self.binding.handler.check_slots(ArgumentSlots { names: &self.names, values })
    }

    /// Only the first report about each parameter is kept.
    fn report_value(&mut self, index: usize, slot: &ArgumentSlot<'_>, reason: &str) {
        let name = &self.method.parameters[index].name;
        let predicate = format!("does not accept all values of `{name}`: {reason}");
        let use_option = "make its field an `Option`, or give the parameter a default";
        let (label, help) = match slot {
            ArgumentSlot::Absent => ("this parameter is optional".to_owned(), use_option),
            ArgumentSlot::Null => ("this type allows null".to_owned(), use_option),
            ArgumentSlot::Value(value) => {
                let help = "use a wider type for its field, or a narrower type for the parameter";
                (format!("this type allows {}", quote_value(value)), help)
            }
        };
        let bound = self.binding_note();
        if let Some(diagnostic) = self.report_parameter(index, &predicate) {
            diagnostic.label = label;
            diagnostic.help = Some(format!("{help}; {bound}"));
        }
    }

    /// Adds a diagnostic about a parameter, and returns it; returns `None` if the parameter was reported before. The
    /// message consists of "the handler of …" and `predicate`.
    fn report_parameter(&mut self, index: usize, predicate: &str) -> Option<&mut Diagnostic> {
        if std::mem::replace(&mut self.is_reported[index], true) {
            return None;
        }
        let message = format!("the handler of {} {predicate}", self.method.id);
        let span = self.method.parameters[index].type_span;
        let note = self.binding_note();
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::HandlerMismatch, span, message).help(note));
        self.diagnostics.last_mut()
    }

    fn report_method(&mut self, predicate: &str, help: Option<String>) {
        let message = format!("the handler of {} {predicate}", self.method.id);
        let note = self.binding_note();
        let help = help.map_or(note.clone(), |help| format!("{help} {note}"));
        let span = self.method.span;
        self.diagnostics.push(Diagnostic::new(DiagnosticCode::HandlerMismatch, span, message).help(help));
    }

    fn binding_note(&self) -> String {
        format!("the handler is bound at {}", self.binding.location)
    }
}

/// Returns the first 60 characters of a value in JSON, for a diagnostic.
fn quote_value(value: &Value<'_>) -> String {
    if let Value::File(_) = value {
        return "a file".to_owned();
    }
    let text = value.to_json().to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Returns the default; absence for an optional parameter; and otherwise the first boundary value.
fn typical_slot(parameter: &Parameter) -> ArgumentSlot<'static> {
    match default_slot(parameter) {
        Some(value) => value,
        None if parameter.optional => ArgumentSlot::Absent,
        None => boundary_slots(parameter).next().unwrap_or_default(),
    }
}

/// Returns the samples of a parameter: its boundary values and its default. For an optional parameter without a
/// default, null and absence are added.
fn sample_slots(parameter: &Parameter) -> Vec<ArgumentSlot<'static>> {
    let mut slots: Vec<_> = boundary_slots(parameter).collect();
    match default_slot(parameter) {
        Some(value) => slots.push(value),
        None if parameter.optional => slots.extend([ArgumentSlot::Null, ArgumentSlot::Absent]),
        None => {}
    }
    slots
}

fn boundary_slots(parameter: &Parameter) -> impl Iterator<Item = ArgumentSlot<'static>> {
    let check = &parameter.r#type.check;
    let file = || {
        Value::File(Upload::new(
            "sample".to_owned(),
            "application/octet-stream".to_owned(),
            0,
            UploadContent::Discarded,
            None,
        ))
    };
    let values = match check.arity() {
        Arity::One | Arity::Many => {
            check.boundary_values().into_iter().filter_map(|value| check.checked(value).ok()).collect()
        }
        Arity::File => vec![file()],
        Arity::Files => vec![Value::List(vec![file()])],
    };
    // For an optional parameter, the value null means absence, even if the type of the parameter accepts null.
    let is_absence = move |value: &Value<'_>| parameter.optional && *value == Value::Null;
    values.into_iter().filter(move |value| !is_absence(value)).map(ArgumentSlot::Value)
}

/// Returns the JSON types of the arguments that a handler in another language gets for a parameter, among them `null`
/// if it gets null or no argument. A type can be repeated. The list is empty if the types are not known before a call.
#[must_use]
pub fn argument_types(parameter: &Parameter) -> Vec<&'static str> {
    if boundary_slots(parameter).next().is_none() {
        return Vec::new();
    }
    let json_type = |slot: &ArgumentSlot<'_>| match slot {
        ArgumentSlot::Null | ArgumentSlot::Absent | ArgumentSlot::Value(Value::Null) => "null",
        ArgumentSlot::Value(Value::Bool(_)) => "boolean",
        ArgumentSlot::Value(Value::Int(_) | Value::Uint(_) | Value::Float(_)) => "number",
        ArgumentSlot::Value(Value::Text(_)) => "string",
        ArgumentSlot::Value(Value::List(_)) => "array",
        ArgumentSlot::Value(Value::Map(_) | Value::File(_)) => "object",
    };
    sample_slots(parameter).iter().map(json_type).collect()
}

fn default_slot(parameter: &Parameter) -> Option<ArgumentSlot<'static>> {
    super::parameter_default(parameter).map(ArgumentSlot::Value)
}

// Checks that the output type of a handler has the outputs that the definition of its API method declares.
//
// The output type is deserialized from sample values, and serialized again. An output type may be narrower than the
// definition, so that it suffices that it accepts one of the samples of each output. Only types that can be
// deserialized are checked ([`Out`](crate::Out)), and `()`.

/// Returns `None` if the output type has all outputs, or cannot be checked.
pub(super) fn check_outputs(method: &Method, binding: &HandlerBinding) -> Option<Diagnostic> {
    let probe = binding.handler.output_probe().filter(|_| !method.options.download)?;
    let outputs: Vec<&Output> = method.returned_outputs().collect();
    let samples: Vec<Vec<Value<'static>>> = outputs.iter().map(|output| sample_values(output)).collect();
    // An output of a program's type may have no samples.
    if samples.iter().zip(&outputs).any(|(samples, output)| samples.is_empty() && !output.optional) {
        return None;
    }
    let mismatch = match method.returned_whole() {
        Some(output) => check_whole_output(output, probe, samples.first()?),
        None => OutputCheck::new(method, outputs, probe).check(&samples),
    };
    let (span, predicate) = mismatch.err()?;
    let message = format!("the handler of {} {predicate}", method.id);
    let help = format!("the handler is bound at {}", binding.location);
    Some(Diagnostic::new(DiagnosticCode::HandlerMismatch, span, message).help(help))
}

/// The position of a mismatch in the definition, and the predicate of a sentence that begins with "the handler of …".
type Mismatch = (Span, String);

fn check_whole_output(output: &Output, probe: OutputProbe, samples: &[Value<'static>]) -> Result<(), Mismatch> {
    let mut last = None;
    for sample in samples {
        match (probe.from_json)(&sample.to_json()) {
            Ok(json) if output.r#type.check.checked(Value::from(&json)).is_ok() => return Ok(()),
            Ok(json) => last = Some(format!("it returns {json}")),
            Err(error) => last = Some(error),
        }
    }
    let why = last.unwrap_or_default();
    if is_only_narrower(&why) {
        return Ok(());
    }
    Err((output.span, format!("returns another type than the definition declares: {why}")))
}

struct OutputCheck<'m> {
    method: &'m Method,
    outputs: Vec<&'m Output>,
    names: Vec<Box<str>>,
    probe: OutputProbe,
}

impl<'m> OutputCheck<'m> {
    fn new(method: &'m Method, outputs: Vec<&'m Output>, probe: OutputProbe) -> Self {
        let names = outputs.iter().map(|output| output.name.as_str().into()).collect();
        Self { method, outputs, names, probe }
    }

    fn check(&self, samples: &[Vec<Value<'static>>]) -> Result<(), Mismatch> {
        let mut accepted = Vec::with_capacity(samples.len());
        for (index, samples) in samples.iter().enumerate() {
            // Without a sample, nothing more is known about the type.
            let Some(slot) = self.accepted_sample(index, samples)? else { return Ok(()) };
            accepted.push(slot);
        }
        let json = self.convert(accepted.clone()).map_err(|mismatch| {
            let predicate = match &mismatch.error {
                ArgsError::MissingField(name) => {
                    format!("returns an output `{name}`, which is not declared in `out`")
                }
                _ => format!("does not return the outputs of the method: {}", mismatch.error),
            };
            (self.method.span, predicate)
        })?;
        for (index, output) in self.outputs.iter().enumerate().filter(|(_, output)| !output.optional) {
            let Some(value) = json.get(&output.name) else {
                return Err((output.span, format!("does not return the output `{}`", output.name)));
            };
            if let Err(mismatch) = output.r#type.check.checked(Value::from(value)) {
                let (expected, got) = (mismatch.expected.clone(), mismatch.got.clone());
                let predicate =
                    format!("returns another type for the output `{}`: expected {expected}, got {got}", output.name);
                return Err((output.span, predicate));
            }
            let mut without = accepted.clone();
            without[index] = ArgumentSlot::Absent;
            if self.probe.has_known_fields
                && self.convert(without).is_ok_and(|json| json.get(&output.name).is_none_or(Json::is_null))
            {
                return Err((
                    output.span,
                    format!("can omit the output `{}`, which is not optional: its field is an `Option`", output.name),
                ));
            }
        }
        Ok(())
    }

    /// Returns the first sample of an output that the output type accepts. Returns `None` if the type rejects the
    /// samples only because of their values, such as a number that is too large for it: it may be narrower than the
    /// definition.
    fn accepted_sample(
        &self,
        index: usize,
        samples: &[Value<'static>],
    ) -> Result<Option<ArgumentSlot<'static>>, Mismatch> {
        let output = self.outputs[index];
        let mut reason = String::new();
        for sample in samples {
            let slot = ArgumentSlot::Value(sample.clone());
            let mut values = vec![ArgumentSlot::Absent; self.names.len()];
            values[index] = slot.clone();
            match self.convert(values) {
                Err(HandlerMismatch { slot: Some(_), error }) => reason = error.to_string(),
                Err(HandlerMismatch { slot: None, error: ArgsError::UnknownField(_) }) => {
                    return Err((output.span, format!("does not return the output `{}`", output.name)));
                }
                _ => return Ok(Some(slot)),
            }
        }
        if samples.is_empty() {
            return Ok(Some(ArgumentSlot::Absent));
        }
        if is_only_narrower(&reason) {
            return Ok(None);
        }
        Err((output.span, format!("returns another type for the output `{}`: {reason}", output.name)))
    }

    fn convert(&self, values: Vec<ArgumentSlot<'static>>) -> Result<Json, HandlerMismatch> {
        (self.probe.from_slots)(ArgumentSlots { names: &self.names, values })
    }
}

/// Returns `true` if a type rejected a sample because of its value and not because of its kind. The text is the
/// beginning of the message of `serde::de::Error::invalid_value`.
fn is_only_narrower(reason: &str) -> bool {
    reason.starts_with("invalid value")
}

fn sample_values(output: &Output) -> Vec<Value<'static>> {
    let check = &output.r#type.check;
    let values = check.boundary_values().into_iter().filter(|value| check.checked(value.clone()).is_ok());
    let mut values: Vec<_> = values.collect();
    // An empty list does not show which items a type accepts.
    let is_empty = |value: &Value<'_>| matches!(value, Value::List(items) if items.is_empty());
    if !values.iter().all(is_empty) {
        values.retain(|value| !is_empty(value));
    }
    values
}
