//! Checks that the output type of a handler has the outputs that the definition of its API method declares.
//!
//! The output type is deserialized from sample values, and serialized again. An output type may be narrower than the
//! definition, so that it suffices that it accepts one of the samples of each output. Only types that can be
//! deserialized are checked ([`Out`](crate::Out)), and `()`.

use rulebook_model::diagnostic::{Diagnostic, DiagnosticCode};
use rulebook_model::model::{Method, Output};
use rulebook_model::span::Span;
use serde_json::Value as Json;

use crate::call::{ArgumentSlot, ArgumentSlots, Value};
use crate::handler::{ArgsError, HandlerBinding, HandlerMismatch, OutputProbe};

/// Returns a diagnostic for the first output of an API method that the output type of its handler does not have.
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

/// Returns the boundary values of an output's type.
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
