//! Converts one method of a service from the parsed definition to the model.

use std::fmt::Display;
use std::sync::Arc;

use super::lowering::{Lowering, without_unused_capacity};
use super::parameter::LoweredParameter;
use crate::call::{HttpMethod, Value};
use crate::constraint::{Constraint, Subject, Subjects, parse_constraints};
use crate::definition::{JsonData, JsonNode, parsed};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{EnvelopeName, Method, Parameter, Segment, default_method_id};
use crate::span::{Span, Spanned};
use crate::types::failed_type;

/// The properties of a method that the checks of its parameters, scope and options need.
pub(super) struct MethodContext<'a> {
    /// The noun phrase for the method in error messages: "the method `GET`".
    pub diagnostic_subject: &'a dyn Display,
    /// The HTTP method; `None` if the definition names an unknown one.
    pub http_method: Option<HttpMethod>,
    /// The span of the HTTP method's name in the definition.
    pub http_span: Span,
    /// The segments of the service's path; `None` if the path has an error.
    pub path_segments: Option<&'a [Segment]>,
    /// The service's path, as in the definition.
    pub path_text: &'a Spanned<String>,
    /// `true` if the parser reported an error in a member of the method and omitted the member, so that a missing
    /// member is not a further error.
    pub is_incomplete: bool,
}

impl MethodContext<'_> {
    /// Returns `true` if requests of the method have no body with parameters.
    pub fn has_no_body(&self) -> bool {
        matches!(self.http_method, Some(HttpMethod::Get | HttpMethod::Delete))
    }

    /// Adds to an error of a parameter that the method inherits the parameter.
    pub fn with_inheritance(&self, error: Diagnostic, parameter: &LoweredParameter) -> Diagnostic {
        match parameter.is_inherited {
            true => error.related(self.http_span, "this method inherits the parameter"),
            false => error,
        }
    }
}

impl Lowering<'_> {
    /// Returns `None` if the HTTP method or the path has an error, because the model cannot represent such a method.
    pub(super) fn lower_method(
        &mut self,
        method: &parsed::Method,
        path: Option<&[Segment]>,
        uri: &Spanned<String>,
        common: &[LoweredParameter],
        envelope: Option<&EnvelopeName>,
    ) -> Option<Method> {
        let before = (self.diagnostics.len(), self.failed_types);
        let subject = format_args!("the method `{}`", method.http_method.value.escape_debug());
        let context = MethodContext {
            diagnostic_subject: &subject,
            http_method: self.lower_http_method(&method.http_method),
            http_span: method.http_method.span,
            path_segments: path,
            path_text: uri,
            is_incomplete: method.is_incomplete,
        };
        let id = match &method.id {
            Some(id) => Some(id.value.clone()),
            None => path.zip(context.http_method).map(|(path, http)| default_method_id(path, http)),
        };
        let info = match &id {
            Some(id) if self.dialect.info_defaults_to_id && method.info.is_none() => id.clone(),
            _ => {
                let may_be_missing = context.is_incomplete || self.dialect.info_defaults_to_id;
                self.required_description(method.info.as_ref(), &subject, context.http_span, may_be_missing)
            }
        };
        if let Some(id) = &method.id {
            self.check_name(&id.value, &format_args!("{subject} (`id`)"), id.span);
        }
        let parameters = self.lower_method_parameters(&method.parameters, common, &context);
        let without_scope = self.diagnostics.len();
        let scope = self.lower_scope(method.scope.as_ref(), &parameters, &context);
        // No handler depends on the permissions.
        let errors_of_scope = self.diagnostics.len() - without_scope;
        let constraints = self.lower_constraints(method.constraints.as_ref(), &parameters, &context);
        let mut outputs = self.lower_outputs(&method.outputs, envelope);
        outputs.extend(self.status_output(method, context.http_span));
        let errors = self.lower_declared_errors(&method.errors);
        let handler = method.handler.as_ref().and_then(|handler| self.lower_handler(handler));
        let options =
            self.lower_method_options(&method.options, &method.outputs, scope.is_public(), context.http_method);

        path?;
        let mut lowered = Method {
            id: id?,
            http: context.http_method?,
            follows_http_semantics: self.dialect.follows_http_semantics,
            info,
            scope,
            parameters: without_unused_capacity(parameters.iter().filter_map(|lowered| lowered.parameter.clone())),
            outputs,
            errors,
            constraints,
            handler,
            options,
            span: context.http_span,
        };
        self.check_response_fields(method, &mut lowered);
        self.check_jsonp_option(method.options.jsonp.as_ref(), &lowered, &context);
        self.check_jsonp_callback_parameter(&lowered, &parameters, &context);
        let has_errors = before != (self.diagnostics.len() - errors_of_scope, self.failed_types)
            || method.has_errors
            || parameters.iter().any(|lowered| lowered.parameter.is_none());
        self.failed_methods.extend(has_errors.then_some(context.http_span));
        self.record_inherited(method, &parameters);
        Some(lowered)
    }

    fn lower_constraints(
        &mut self,
        constraints: Option<&JsonNode>,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Vec<Constraint> {
        let Some(node) = constraints else { return Vec::new() };
        let subjects = Subjects {
            list: parameters.iter().map(subject).collect(),
            // If a key has an error, the name of its parameter may be another one.
            is_complete: !context.is_incomplete && parameters.iter().all(|lowered| lowered.key.is_some()),
            help_if_empty: "the method has no parameters",
        };
        let (constraints, errors) = parse_constraints(&node.json(), &subjects);
        for error in errors {
            let span = match (&node.data, error.entry) {
                (JsonData::Array(entries), Some(index)) => constraint_span(&entries[index], error.part.as_deref()),
                _ => node.span,
            };
            self.report(Diagnostic::new(DiagnosticCode::BadConstraint, span, error.message).help(error.help));
        }
        constraints
    }

    fn lower_http_method(&mut self, name: &Spanned<String>) -> Option<HttpMethod> {
        let http = HttpMethod::from_name(&name.value);
        if http.is_none() {
            let error = Diagnostic::new(
                DiagnosticCode::UnknownMethod,
                name.span,
                format!("a service cannot have the method `{}`", name.value.escape_debug()),
            )
            .label("unsupported method");
            self.report(match name.value.as_str() {
                "HEAD" => error.help("remove it: HEAD runs the GET method and returns only the headers"),
                "OPTIONS" => error.help("remove it: the server responds to OPTIONS with the definition itself"),
                other => error
                    .help("the methods are GET, POST, PUT, DELETE and PATCH")
                    .suggest(other, HttpMethod::ALL.map(HttpMethod::as_str)),
            });
        }
        http
    }
}

/// Returns the span of a key or a name in a constraint, or of the whole constraint.
fn constraint_span(entry: &JsonNode, part: Option<&str>) -> Span {
    let texts = entry.texts();
    let found = part.and_then(|part| texts.into_iter().find(|(text, _)| *text == part));
    found.map_or(entry.span, |(_, span)| span)
}

/// Returns a parameter as constraints can name it. Nothing more is reported of a parameter that has an error.
fn subject(lowered: &LoweredParameter) -> Subject {
    let parameter = lowered.parameter.as_ref();
    let default = |parameter: &Parameter| {
        let default = Value::from(parameter.default.as_ref()?);
        parameter.r#type.check.checked(default).ok().map(Value::into_owned)
    };
    Subject {
        name: lowered.name.clone(),
        default: parameter.and_then(default),
        is_always_given: parameter.is_some_and(|parameter| !parameter.optional || parameter.default.is_some()),
        check: parameter.map_or_else(failed_type, |parameter| Arc::clone(&parameter.r#type.check)),
    }
}
