//! Checks the option `jsonp` of methods. A JSONP response is a script that calls a function of a web page with the
//! outputs.

use super::lowering::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use crate::call::{Callback, HttpMethod};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Location, Method};
use crate::span::Spanned;

impl Lowering<'_> {
    pub(super) fn check_jsonp_option(
        &mut self,
        option: Option<&Spanned<bool>>,
        method: &Method,
        context: &MethodContext<'_>,
    ) {
        let Some(option) = option.filter(|option| option.value) else { return };
        let subject = context.diagnostic_subject;
        let error = |message: String| Diagnostic::new(DiagnosticCode::BadOption, option.span, message);
        if !matches!(method.http, HttpMethod::Get | HttpMethod::Post) {
            self.report_once(
                error(format!("{subject} cannot respond with JSONP, only GET and POST can"))
                    .label("for GET and POST only")
                    .related(context.http_span, "neither GET nor POST")
                    .help("remove the option, or set it to `false`"),
            );
        } else if !method.scope.is_public() {
            self.report_once(
                error(format!("{subject} cannot respond with JSONP, since it requires permissions"))
                    .label("any web page could read the response")
                    .related(context.http_span, "requires permissions")
                    .help("remove the option, or make the method public"),
            );
        } else if method.options.download {
            self.report_once(
                error(format!("{subject} cannot respond with JSONP, since it returns a file"))
                    .label("a file is not a script")
                    .help("remove the option, or set it to `false`"),
            );
        }
    }

    /// Reports a query parameter named `callback` of a method that can respond with JSONP, because a JSONP request has
    /// the name of the script's function in this query parameter.
    pub(super) fn check_jsonp_callback_parameter(
        &mut self,
        method: &Method,
        parameters: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) {
        if !method.allows_jsonp(self.allows_jsonp_by_default) {
            return;
        }
        let conflict = parameters.iter().find(|lowered| {
            let in_query = |location| matches!(location, Location::Query | Location::Any);
            lowered.key.as_ref().is_some_and(|key| in_query(key.location) && key.name == Callback::PARAMETER)
        });
        let Some(lowered) = conflict else { return };
        let message = format!(
            "{} responds with JSONP, where `{}` is the name of the callback function",
            context.diagnostic_subject,
            Callback::PARAMETER
        );
        let error = Diagnostic::new(DiagnosticCode::ReservedName, lowered.span, message)
            .label("reserved")
            .help("rename the parameter, or set the method's option `\"jsonp\": false`");
        self.report_once(context.with_inheritance(error, lowered));
    }
}
