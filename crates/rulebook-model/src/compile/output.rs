//! Converts the outputs of methods, the fields of objects, and the declared errors of methods from the parsed
//! definition to the model.

use std::borrow::Cow;
use std::collections::HashMap;

use super::default_and_example::with_enum_word;
use super::lowering::{Lowering, without_unused_capacity};
use super::response_field::split_template;
use super::type_expr::TypeOwner;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::envelope::EnvelopeSettings;
use crate::error::{ErrorCode, ErrorStatus};
use crate::model::{DeclaredError, EnvelopeName, Output, ParameterType};
use crate::span::{Span, Spanned};

impl Lowering<'_> {
    pub(super) fn lower_outputs(&mut self, outputs: &[parsed::Field], envelope: Option<&EnvelopeName>) -> Vec<Output> {
        let outputs: &[_] = &self.without_envelope_outputs(outputs, envelope);
        let lowered: Vec<_> = outputs.iter().map(|output| self.lower_output_or_field(output, "output")).collect();
        self.check_output_names(outputs, envelope);
        self.check_output_code_names(outputs);
        without_unused_capacity(lowered.into_iter().flatten())
    }

    /// Returns the outputs without those that only describe a member of the envelope, such as `error` in api 3.0.
    fn without_envelope_outputs<'o>(
        &self,
        outputs: &'o [parsed::Field],
        envelope: Option<&EnvelopeName>,
    ) -> Cow<'o, [parsed::Field]> {
        let names = self.dialect.envelope_outputs;
        let describes_envelope = |output: &parsed::Field| {
            let name = output.key.value.as_str();
            let envelope = || envelope.map(|envelope| envelope.envelope(EnvelopeSettings::default()));
            names.contains(&name) && envelope().is_some_and(|envelope| envelope.reserved_members().contains(&name))
        };
        match outputs.iter().any(describes_envelope) {
            true => outputs.iter().filter(|output| !describes_envelope(output)).cloned().collect(),
            false => Cow::Borrowed(outputs),
        }
    }

    /// Converts an output, or a field of an object, to the model. `noun` is "output" or "field".
    pub(crate) fn lower_output_or_field(&mut self, output: &parsed::Field, noun: &str) -> Option<Output> {
        let before = self.diagnostics.len();
        let subject = format_args!("the {noun} `{}`", output.key.value.escape_debug());
        let span = output.key.span;
        self.check_name(&output.key.value, &subject, span);
        let info = self.required_description(output.info.as_ref(), &subject, span, output.is_incomplete);
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: span, is_incomplete: output.is_incomplete };
        let (r#type, template) = split_template(output);
        let compiled = self.compile_type(&r#type, owner)?;
        let place = self.lower_output_place(output, template.as_ref(), &*compiled.check);
        let word = |value: &Option<Spanned<_>>| Some(with_enum_word(value.clone()?, Some(&*compiled.check)));
        if let Some(default) = word(&output.default).filter(|default| !default.value.is_null()) {
            self.check_default(&default, &*compiled.check, &subject);
        }
        let example = word(&output.example);
        if let Some(example) = &example {
            self.check_example(example, &*compiled.check, compiled.is_optional, &subject);
        }
        (self.diagnostics.len() == before).then(|| Output {
            name: output.key.value.clone(),
            place,
            info,
            r#type: ParameterType::new(compiled.check),
            optional: compiled.is_optional,
            example: example.map(|example| example.value),
            span,
        })
    }

    /// Reports outputs with the same name in programs for aicra.
    fn check_output_code_names(&mut self, outputs: &[parsed::Field]) {
        let mut names: HashMap<&str, Span> = HashMap::new();
        for output in outputs {
            let name = output.name.as_ref().unwrap_or(&output.key);
            let first = names.insert(&name.value, name.span);
            // Two outputs with the same key have been reported.
            let Some(first) = first.filter(|_| outputs.iter().any(|other| other.name.is_some())) else { continue };
            let message = format!("two outputs have the `name` `{}`", name.value.escape_debug());
            self.report(
                Diagnostic::new(DiagnosticCode::NameCollision, name.span, message)
                    .label("second output")
                    .related(first, "first output")
                    .help("change or remove one of the names: responses have the keys of the outputs"),
            );
        }
    }

    /// Reports outputs that have the same name, and outputs that have the name of a member that the envelope adds.
    fn check_output_names(&mut self, outputs: &[parsed::Field], envelope: Option<&EnvelopeName>) {
        let envelope = envelope.map(|name| (name.as_str(), name.envelope(EnvelopeSettings::default())));
        let members = envelope.as_ref().map(|(_, envelope)| envelope.reserved_members()).unwrap_or_default();
        let mut names: HashMap<&str, Span> = HashMap::new();
        for output in outputs {
            let name = output.key.value.as_str();
            let span = output.key.span;
            if let Some(first) = names.insert(name, span) {
                let message = format!("two outputs have the name `{name}`");
                let error = Diagnostic::new(DiagnosticCode::OutputCollision, span, message).label("second output");
                self.report(error.related(first, "first output").help("rename one of them"));
            } else if output.header.is_some() {
                // The body does not contain the output.
            } else if let Some((envelope, _)) = envelope.as_ref().filter(|_| members.contains(&name)) {
                let message = format!("the {envelope} envelope has a member `{name}` of its own");
                self.report(
                    Diagnostic::new(DiagnosticCode::OutputCollision, span, message)
                        .label("same name as the envelope's member")
                        .help("rename the output, or set the envelope of the module to `plain`"),
                );
            } else if name == Output::WHOLE
                && let Some(other) = outputs.iter().find(|other| other.key.value != name && other.header.is_none())
            {
                let message = "`*` is the whole response, but there are other outputs";
                self.report(
                    Diagnostic::new(DiagnosticCode::OutputCollision, span, message)
                        .label("must be the only output in the body")
                        .related(other.key.span, "another output")
                        .help("remove the other outputs, rename this one, or make the others header fields (`header`)"),
                );
            }
        }
    }

    pub(super) fn lower_declared_errors(&mut self, errors: &[parsed::DeclaredError]) -> Vec<DeclaredError> {
        let mut lowered: Vec<DeclaredError> = Vec::with_capacity(errors.len());
        let mut names: HashMap<&str, Span> = HashMap::new();
        for error in errors {
            let subject = format_args!("the error `{}`", error.name.value.escape_debug());
            let span = error.name.span;
            self.check_name(&error.name.value, &subject, span);
            let info = self.required_description(error.info.as_ref(), &subject, span, error.is_incomplete);
            let status = match &error.status {
                // A declared error without a status gets the status of `ErrorCode::Failed`: an error of the client
                // (4xx).
                None => Some(ErrorCode::Failed.status()),
                Some(status) => self
                    .number_in(
                        status,
                        400..=599,
                        &format!("{} is not the HTTP status of an error", status.value),
                        Some("use 400 to 499 for errors of the client, 500 to 599 for errors of the server"),
                    )
                    .and_then(ErrorStatus::new),
            };
            let number = error.number.as_ref().and_then(|number| self.lower_error_number(number));
            if let Some(first) = names.insert(&error.name.value, span) {
                let message = format!("two errors have the name `{}`", error.name.value);
                let diagnostic = Diagnostic::new(DiagnosticCode::NameCollision, span, message).label("second error");
                self.report(diagnostic.related(first, "first error"));
            } else if let Some(status) = status {
                lowered.push(DeclaredError { name: error.name.value.clone(), status, info, number, span });
            }
        }
        lowered
    }

    /// Returns the number of a declared error. Reports 0, which is the number of a success, and numbers above 32 bits.
    fn lower_error_number(&mut self, number: &Spanned<u64>) -> Option<u32> {
        let message = format!("{} is not the number of an error", number.value);
        let help = "in the envelope `aicra`, the number 0 means success";
        self.number_in(number, 1..=u32::MAX.into(), &message, Some(help))
    }
}
