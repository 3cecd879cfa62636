//! Converts the outputs of methods, the fields of objects, and the declared errors of methods from the parsed
//! definition to the model.

use std::borrow::Cow;
use std::collections::HashMap;

use http::HeaderName;
use http::header::{ETAG, SET_COOKIE};

use super::parameter::with_enum_word;
use super::type_expr::TypeOwner;
use super::{Lowering, without_unused_capacity};
use crate::call::is_reserved_header;
use crate::definition::parsed;
use crate::definition::parsed::{Attribute, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::envelope::EnvelopeSettings;
use crate::error::{ErrorCode, ErrorStatus};
use crate::model::method::is_field_value;
use crate::model::{
    DeclaredError, EnvelopeName, FieldTemplate, Method, Output, OutputPlace, ParameterType, ResponseField, ValueSource,
};
use crate::span::{Span, Spanned};
use crate::types::Check;

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

/// The attribute with the template of a header field. It is the attribute `value` of a `const` in other outputs.
const TEMPLATE_ATTRIBUTE: &str = "value";

/// Returns the type of an output, and the template of its header field, which is the attribute `value` of all types
/// except `const`.
pub(crate) fn split_template(output: &parsed::Field) -> (Cow<'_, TypeSpec>, Option<Attribute>) {
    let r#type = &output.r#type;
    let is_const = r#type.term.as_ref().is_some_and(|term| term.value.trim_start_matches('?') == "const");
    let is_template = |(key, _): &&Attribute| key.value == TEMPLATE_ATTRIBUTE;
    let template = r#type.attributes.iter().find(is_template).filter(|_| output.header.is_some() && !is_const);
    let Some(template) = template.cloned() else { return (Cow::Borrowed(r#type), None) };
    let mut without = r#type.clone();
    without.attributes.retain(|attribute| !is_template(&attribute));
    (Cow::Owned(without), Some(template))
}

impl Lowering<'_> {
    /// Returns the part of a response that contains an output with this type. Reports a header field that no output can
    /// be.
    pub(super) fn lower_output_place(
        &mut self,
        output: &parsed::Field,
        template: Option<&Attribute>,
        check: &dyn Check,
    ) -> OutputPlace {
        let Some(header) = &output.header else { return OutputPlace::Body };
        let name = header.value.escape_debug();
        let type_span = output.r#type.term.as_ref().map_or(output.key.span, |term| term.span);
        let problem = match HeaderName::from_bytes(header.value.as_bytes()) {
            Err(_) => Some((format!("`{name}` is not the name of a header field"), "use letters, digits and hyphens")),
            Ok(field) if field == ETAG => {
                let message = "the option `version` sends `ETag`, not an output with `header`".to_owned();
                Some((message, "name the output in `options`: `\"version\": \"…\"`"))
            }
            Ok(field) if is_reserved_header(&field) => Some((
                format!("the server itself sends `{name}`"),
                "remove the output; the fields of CORS have the setting `cors` in `app.json`",
            )),
            Ok(_) => None,
        };
        if let Some((message, help)) = problem {
            self.report_header(header.span, message, help);
        }
        if output.key.value == "*" {
            let message = "the whole body cannot be a header field";
            self.report_header(header.span, message, "remove `header`, or give the output a name");
        }
        if !is_field_value(check, true) {
            let message = format!("the header field `{name}` cannot contain {}", check.expected());
            self.report_header(type_span, message, "use a text, a number, a boolean, a date, or an array of these");
        }
        let template = template.and_then(|(_, value)| {
            let term = output.r#type.term.as_ref().map(|term| term.value.trim_start_matches('?'));
            if term != Some("string") {
                let message = "a header field with a `value` has the type `string`";
                self.report_header(type_span, message, "write `\"type\": \"string\"`, or remove `value`");
            }
            let parsed = value.value.as_str().filter(|text| !text.contains(|c: char| c.is_control() || !c.is_ascii()));
            let parsed = parsed.and_then(FieldTemplate::parse);
            if parsed.is_none() {
                let message = "the `value` of a header field is text in ASCII, with names in braces";
                self.report_header(value.span, message, "write for example `/orders/{order_id}`");
            }
            parsed
        });
        OutputPlace::Header(ResponseField::new(header.value.clone(), template))
    }

    /// Checks the names in templates and in the option `version`, and header fields that several outputs have. An
    /// output whose template contains an optional value becomes optional.
    pub(super) fn check_response_fields(&mut self, parsed: &parsed::Method, method: &mut Method) {
        for output in &parsed.outputs {
            let Some((_, value)) = split_template(output).1 else { continue };
            let Some(index) = method.outputs.iter().position(|lowered| lowered.name == output.key.value) else {
                continue;
            };
            let OutputPlace::Header(ResponseField { template: Some(template), .. }) = &method.outputs[index].place
            else {
                continue;
            };
            let names: Vec<String> = template.names().map(str::to_owned).collect();
            let values = names.iter().filter_map(|name| self.value_with_name(name, value.span, method, parsed));
            let is_optional = values.fold(false, |is_optional, value| is_optional | value);
            method.outputs[index].optional |= is_optional;
        }
        self.check_repeated_fields(&parsed.outputs);
        if let Some(version) = &parsed.options.version {
            self.check_version(version, method, parsed);
        }
    }

    /// Returns whether the value with a name is optional. Reports a name without a value that a header field can
    /// contain.
    fn value_with_name(&mut self, name: &str, span: Span, method: &Method, parsed: &parsed::Method) -> Option<bool> {
        let Some(value) = method.named_value(name) else {
            if is_complete(parsed, method) {
                let known = method.names_of_values();
                let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                let message = format!("neither an output nor a parameter has the name `{}`", name.escape_debug());
                let error = Diagnostic::new(DiagnosticCode::BadHeader, span, message);
                let error = error.help(format!("the names are {}", list.join(", ")));
                self.report(error.suggest(name, known.iter().map(String::as_str)));
            }
            return None;
        };
        if !is_field_value(&*value.check, false) {
            let message = format!("`{name}` is {}, which a header field cannot contain", value.check.expected());
            self.report_header(span, message, "use a text, a number, a boolean or a date");
        }
        Some(value.is_optional)
    }

    /// Reports a second output with the same header field. Only `Set-Cookie` can occur more than once without being a
    /// list.
    fn check_repeated_fields(&mut self, outputs: &[parsed::Field]) {
        let fields: Vec<_> = outputs.iter().filter_map(|output| output.header.as_ref()).collect();
        for (index, field) in fields.iter().enumerate() {
            let is_same = |other: &&&Spanned<String>| other.value.eq_ignore_ascii_case(&field.value);
            let Some(first) = fields[..index].iter().find(is_same) else { continue };
            if !field.value.eq_ignore_ascii_case(SET_COOKIE.as_str()) {
                let message = format!("two outputs are the header field `{}`", field.value);
                self.report(
                    Diagnostic::new(DiagnosticCode::BadHeader, field.span, message)
                        .label("second output")
                        .related(first.span, "first output")
                        .help("remove one of them; an array becomes several fields"),
                );
            }
        }
    }

    fn check_version(&mut self, version: &Spanned<String>, method: &Method, parsed: &parsed::Method) {
        if parsed.options.download.as_ref().is_some_and(|download| download.value) {
            let message = "a method that returns a file has no `version`";
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, version.span, message)
                    .help("remove it: the file has an entity tag of its own"),
            );
            return;
        }
        let is_output = |source: &ValueSource| !matches!(source, ValueSource::Parameter(_));
        match method.named_value(&version.value) {
            Some(value) if is_output(&value.source) => {
                self.value_with_name(&version.value, version.span, method, parsed);
            }
            _ if !is_complete(parsed, method) => {}
            _ => {
                let known = method.names_of_values();
                let is_known = |name: &&String| method.named_value(name).is_some_and(|value| is_output(&value.source));
                let known: Vec<_> = known.iter().filter(is_known).map(String::as_str).collect();
                let message = format!("the method has no output `{}`", version.value.escape_debug());
                let error = Diagnostic::new(DiagnosticCode::BadOption, version.span, message);
                let help = "name the output, or the field of the output `*`, that changes with each change";
                self.report(error.help(help).suggest(&version.value, known.iter().copied()));
            }
        }
    }

    fn report_header(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.report(Diagnostic::new(DiagnosticCode::BadHeader, span, message.into()).help(help));
    }
}

/// Returns `true` if the method has all outputs and parameters of its definition, because none of them has an error.
fn is_complete(parsed: &parsed::Method, method: &Method) -> bool {
    let outputs = method.outputs.iter().filter(|output| output.place != OutputPlace::Status).count();
    !parsed.is_incomplete && outputs >= parsed.outputs.len() && method.parameters.len() >= parsed.parameters.len()
}
