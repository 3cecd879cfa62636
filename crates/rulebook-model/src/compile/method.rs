//! Converts one method of a service to the model.

use super::lower::Lowering;
use super::parameter::LoweredParameter;
use crate::call::HttpMethod;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{EnvelopeName, Method, Segment, default_id};
use crate::span::{Span, Spanned};

/// The properties of a method that its parameters, scope and options are checked against.
pub(super) struct MethodContext<'a> {
    /// A noun phrase for diagnostics: "the method `GET`".
    pub subject: &'a str,
    /// The HTTP method; `None` if it is unknown.
    pub http: Option<HttpMethod>,
    /// The span of the HTTP method.
    pub span: Span,
    /// The segments of the path; `None` if the path has an error.
    pub path: Option<&'a [Segment]>,
    /// The path as written in the definition.
    pub uri: &'a Spanned<String>,
    /// `true` if the parser reported and omitted a part, so that a missing part is not another error.
    pub incomplete: bool,
}

impl Lowering<'_> {
    /// Converts a method to the model. Returns `None` if its HTTP method or its path has an error, because the model
    /// cannot hold such a method.
    pub(super) fn lower_method(
        &mut self,
        method: &parsed::Method,
        path: Option<&[Segment]>,
        uri: &Spanned<String>,
        common: &[LoweredParameter],
        envelope: Option<&EnvelopeName>,
    ) -> Option<Method> {
        let subject = format!("the method `{}`", method.http_method.value.escape_debug());
        let context = MethodContext {
            subject: &subject,
            http: self.lower_http_method(&method.http_method),
            span: method.http_method.span,
            path,
            uri,
            incomplete: method.is_incomplete,
        };
        let id = match &method.id {
            Some(id) => Some(id.value.clone()),
            None => path.zip(context.http).map(|(path, http)| default_id(path, http)),
        };
        let info = match &id {
            Some(id) if self.spec.info_defaults_to_id && method.info.is_none() => id.clone(),
            _ => {
                let may_be_missing = context.incomplete || self.spec.info_defaults_to_id;
                self.required_description(method.info.as_ref(), &subject, context.span, may_be_missing)
            }
        };
        if let Some(id) = &method.id {
            self.check_name(&id.value, &format!("{subject} (`id`)"), id.span);
        }
        let parameters = self.lower_method_parameters(&method.parameters, common, &context);
        let scope = self.lower_scope(&method.scope, &parameters, &context);
        let outputs = self.lower_outputs(&method.outputs, envelope);
        let errors = self.lower_errors(&method.errors);
        let options = self.lower_options(&method.options, &method.outputs);

        path?;
        let lowered = Method {
            id: id?,
            http: context.http?,
            info,
            scope,
            parameters: parameters.iter().filter_map(|lowered| lowered.parameter.clone()).collect(),
            outputs,
            errors,
            options,
            span: context.span,
        };
        self.check_jsonp(method.options.jsonp.as_ref(), &lowered, &context);
        self.check_jsonp_callback(&lowered, &parameters, &context);
        Some(lowered)
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
