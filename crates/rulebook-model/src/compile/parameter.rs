//! Converts one parameter from the parsed definition to the model: its key, name, type, default and example.

use std::fmt::Display;

use serde_json::Value as Json;

use super::default_and_example::{decode_default, with_enum_word};
use super::key::ParameterKey;
use super::lowering::Lowering;
use super::type_expr::TypeOwner;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Parameter, ParameterType, default_parameter_name};
use crate::span::Span;

/// A parameter that was converted to the model. If it has errors, its valid fields are used to check other parameters.
#[derive(Debug, Clone)]
pub(super) struct LoweredParameter {
    /// The parsed key, which says which part of a request contains the parameter; `None` if the key has an error.
    pub key: Option<ParameterKey>,
    /// The key as it is in the definition.
    pub key_text: String,
    /// The span of the key in the definition.
    pub span: Span,
    /// The name of the parameter in the code of handlers.
    pub name: String,
    /// The span of the key `name`, which sets the name in code. If there is no key `name`, the span of the parameter's
    /// key.
    pub name_span: Span,
    /// `true` if the method inherits the parameter from the common parameters.
    pub is_inherited: bool,
    /// The parameter in the model; `None` if the parameter has an error.
    pub parameter: Option<Parameter>,
}

impl Lowering<'_> {
    pub(super) fn lower_parameter(&mut self, parameter: &parsed::Field) -> LoweredParameter {
        let before = self.diagnostics.len();
        let key_text = parameter.key.value.as_str();
        let subject = format_args!("the parameter `{}`", key_text.escape_debug());
        let span = parameter.key.span;

        let key = self.parse_parameter_key(&parameter.key);
        let (name, name_span) = match &parameter.name {
            Some(name) => (name.value.clone(), name.span),
            None => (default_parameter_name(key_text).to_owned(), span),
        };
        // If the key has an error, the error has been reported. A name that is derived from the key would have the same
        // error.
        if key.is_some() || parameter.name.is_some() {
            self.check_name(&name, &subject, name_span);
        }
        let info = self.required_description(parameter.info.as_ref(), &subject, span, parameter.is_incomplete);
        let owner = TypeOwner { diagnostic_subject: &subject, name_span: span, is_incomplete: parameter.is_incomplete };
        let compiled = self.compile_type(&parameter.r#type, owner);
        let optional = self.is_marked_optional(parameter, &subject)
            || compiled.as_ref().is_some_and(|compiled| compiled.is_optional);
        // An optional parameter without a default is null if a request omits it.
        let allows_null =
            || compiled.as_ref().is_none_or(|compiled| decode_default(&Json::Null, &*compiled.check).is_ok());
        let default =
            parameter.default.as_ref().filter(|default| !(optional && default.value.is_null() && !allows_null()));
        let check = compiled.as_ref().map(|compiled| &*compiled.check);
        let default = default.map(|default| with_enum_word(default.clone(), check));
        let example = parameter.example.as_ref().map(|example| with_enum_word(example.clone(), check));
        let is_capture = matches!(&key, Some(key) if key.location == Location::Path);
        if is_capture {
            self.check_capture_is_required(parameter, &subject, optional);
        }
        if let Some(compiled) = &compiled {
            if let Some(default) = default.as_ref().filter(|_| !is_capture) {
                self.check_default(default, &*compiled.check, &subject);
            }
            if let Some(example) = &example {
                self.check_example(example, &*compiled.check, optional, &subject);
            }
        }

        let lowered = match (&key, compiled) {
            (Some(key), Some(compiled)) if self.diagnostics.len() == before => Some(Parameter {
                from: key.location,
                key: key.name.clone(),
                name: name.clone(),
                info,
                optional: optional || default.is_some(),
                r#type: ParameterType::new(compiled.check),
                default: default.map(|default| default.value),
                example: example.map(|example| example.value),
                message: parameter.message.as_ref().map(|message| message.value.clone()),
                is_entity_tag: false,
                span,
                type_span: parameter.r#type.term.as_ref().map_or(span, |term| term.span),
            }),
            _ => None,
        };
        LoweredParameter {
            key,
            key_text: key_text.to_owned(),
            span,
            name,
            name_span,
            is_inherited: false,
            parameter: lowered,
        }
    }

    /// Returns the value of the key `optional`. Reports `false` if the type begins with `?`, which means optional.
    fn is_marked_optional(&mut self, parameter: &parsed::Field, subject: &dyn Display) -> bool {
        let Some(optional) = &parameter.optional else { return false };
        let term = parameter.r#type.term.as_ref();
        if let Some(term) = term.filter(|term| term.value.starts_with('?') && !optional.value) {
            let message = format!("{subject} is both optional and required");
            let error = Diagnostic::new(DiagnosticCode::BadOption, optional.span, message).label("required");
            self.report(error.related(term.part(0, 1), "optional").help("remove `optional`, or the `?` of the type"));
        }
        optional.value
    }

    /// Reports an optional capture, because a request without the captured segment has another path.
    fn check_capture_is_required(&mut self, parameter: &parsed::Field, subject: &dyn Display, optional: bool) {
        let term = parameter.r#type.term.as_ref().filter(|_| optional);
        let span = match (term, &parameter.default) {
            (Some(term), _) => term.part(0, 1),
            (None, Some(default)) => default.span,
            (None, None) => return,
        };
        let message = format!("{subject} is a capture and must be required");
        let error = Diagnostic::new(DiagnosticCode::OptionalCapture, span, message)
            .label(if term.is_some() { "optional" } else { "a default makes it optional" })
            .help("remove the `?` and the default, or shorten the path and read the segment as the position `URL#0`");
        self.report(match (term, &parameter.default) {
            (Some(_), Some(default)) => error.related(default.span, "a default makes it optional too"),
            _ => error,
        });
    }
}
