//! Converts the outputs that are header fields of a response, and the entity tag, from the parsed definition to the
//! model.

use std::borrow::Cow;

use http::HeaderName;
use http::header::{ETAG, SET_COOKIE};

use super::lowering::Lowering;
use crate::call::is_reserved_header;
use crate::definition::parsed::{self, Attribute, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::response_field::is_field_value;
use crate::model::{FieldTemplate, Method, OutputPlace, ResponseField, ValueSource};
use crate::span::{Span, Spanned};
use crate::types::Check;

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

    /// Reports a header field of which a second output would be a second field. Only `Set-Cookie` can occur more than
    /// once without being a list.
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
