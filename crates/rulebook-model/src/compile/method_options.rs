//! Converts the options of a method, such as its HTTP status, from the parsed definition to the model.

use super::lowering::Lowering;
use super::response_field::split_template;
use crate::call::HttpMethod;
use crate::definition::parsed::{DeclaredOptions, Field, Method, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Idempotency, MethodOptions, Output, OutputPlace};
use crate::span::{Span, Spanned};

/// The HTTP statuses of responses without a body (RFC 9110 sections 15.3.5 and 15.3.6).
const STATUSES_WITHOUT_BODY: [u16; 2] = [204, 205];

/// The HTTP statuses that a download cannot have: those without a body, and 206 (RFC 9110 section 15.3.7), which the
/// server itself uses if a client requests a part of the file.
const STATUSES_NOT_FOR_DOWNLOADS: [u16; 3] = [204, 205, 206];

/// The only outputs that a method with the option `download` may declare. Definitions for api 3.0 declare these outputs
/// to describe the returned file, and `error`, which that framework sends itself.
const DOWNLOAD_OUTPUTS: [&str; 4] = ["headers", "body", "link", "error"];

impl Lowering<'_> {
    /// Converts the options of a method, and checks that they are possible for a method with these outputs.
    pub(super) fn lower_method_options(
        &mut self,
        options: &DeclaredOptions,
        outputs: &[Field],
        is_public: bool,
        http: Option<HttpMethod>,
    ) -> MethodOptions {
        let DeclaredOptions {
            statuses,
            version,
            download,
            jsonp,
            has_jsonp_on_post,
            deprecation,
            rate_limit,
            cost,
            idempotent,
        } = options;
        let is_download = download.as_ref().is_some_and(|download| download.value);
        let by_default =
            (*has_jsonp_on_post && self.allows_jsonp_by_default && is_public && !is_download && idempotent.is_none())
                .then_some(true);
        let rate_limits = rate_limit.as_ref().map(|limits| self.lower_rate_limits(limits));
        let applicable = rate_limits.as_ref().unwrap_or(&self.default_rate_limits).clone();
        let cost = self.lower_cost(cost.as_ref(), &applicable);
        let idempotent = idempotent.as_ref().and_then(|option| self.lower_idempotency(option, options, http));
        let mut statuses = self.lower_success_statuses(statuses, outputs, is_download).into_iter();
        MethodOptions {
            status: statuses.next().unwrap_or(MethodOptions::default().status),
            other_statuses: statuses.collect(),
            version: version.as_ref().map(|version| version.value.clone()),
            download: download.as_ref().is_some_and(|download| self.lower_download_option(download, outputs)),
            jsonp: jsonp.as_ref().map(|jsonp| jsonp.value).or(by_default),
            deprecation: self.lower_deprecation(deprecation),
            rate_limits,
            cost,
            idempotent,
        }
    }

    /// Returns the statuses of success responses, of which the first is the default.
    fn lower_success_statuses(&mut self, options: &[Spanned<u64>], outputs: &[Field], is_download: bool) -> Vec<u16> {
        let mut statuses = Vec::new();
        // A response without a body can be one of several, of which the others contain the outputs.
        let is_only = options.len() == 1;
        for option in options {
            let outputs = if is_only { outputs } else { &[] };
            let Some(status) = self.lower_success_status(option, outputs, is_download) else { continue };
            if statuses.contains(&status) {
                let message = format!("the status {status} is in the list twice");
                self.report(Diagnostic::new(DiagnosticCode::BadOption, option.span, message).help("remove it"));
            } else {
                statuses.push(status);
            }
        }
        if let ([_, second, ..], true) = (options, is_download) {
            let message = "a download has a single status";
            self.report(Diagnostic::new(DiagnosticCode::BadOption, second.span, message).help("remove the others"));
        }
        statuses
    }

    /// Returns the output with which the handler of a method with several statuses chooses one of them.
    pub(super) fn status_output(&mut self, method: &Method, http_span: Span) -> Option<Output> {
        let statuses: Vec<_> = method.options.statuses.iter().map(|status| status.value).collect();
        let (min, max) = (statuses.iter().min()?, statuses.iter().max()?);
        if statuses.len() == 1 || method.options.download.as_ref().is_some_and(|download| download.value) {
            return None;
        }
        if let Some(output) = method.outputs.iter().find(|output| output.key.value == Output::STATUS) {
            let message = "a method with several statuses has an output `status` of its own: the status";
            self.report(
                Diagnostic::new(DiagnosticCode::OutputCollision, output.key.span, message)
                    .help("rename the output, or choose a single status"),
            );
            return None;
        }
        let text = |text: String| Some(Spanned::new(text, http_span));
        let field = Field {
            key: Spanned::new(Output::STATUS.to_owned(), http_span),
            info: text("The HTTP status of the response".to_owned()),
            r#type: TypeSpec { term: text(format!("?int({min},{max})")), ..TypeSpec::default() },
            is_incomplete: true,
            ..Field::default()
        };
        let output = self.lower_output_or_field(&field, "output")?;
        Some(Output { place: OutputPlace::Status, ..output })
    }

    /// Reports a status that is not a success or that contradicts the outputs.
    fn lower_success_status(&mut self, option: &Spanned<u64>, outputs: &[Field], is_download: bool) -> Option<u16> {
        let message = format!("{} is not the HTTP status of a success", option.value);
        let help = "declare errors and their statuses in `errors`";
        let status: u16 = self.number_in(option, 200..=299, &message, Some(help))?;
        let mut in_body = outputs.iter().filter(|output| output.header.is_none());
        if let Some(output) = in_body.next().filter(|_| STATUSES_WITHOUT_BODY.contains(&status)) {
            let message = format!("a response with status {status} has no body");
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, option.span, message)
                    .label("allows no outputs")
                    .related(output.key.span, "an output")
                    .help("remove the outputs, or choose another status"),
            );
        } else if is_download && STATUSES_NOT_FOR_DOWNLOADS.contains(&status) {
            let message = format!("a download cannot have the status {status}");
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, option.span, message)
                    .label("not a status of a download")
                    .help("remove it: the server uses 206 by itself if a client requests a part of the file"),
            );
        }
        Some(status)
    }

    /// Returns the value of the option `download`. Reports outputs, because the response of such a method is a file.
    fn lower_download_option(&mut self, option: &Spanned<bool>, outputs: &[Field]) -> bool {
        let is_allowed = |output: &&Field| {
            DOWNLOAD_OUTPUTS.contains(&output.key.value.as_str()) || split_template(output).1.is_some()
        };
        if let Some(output) = outputs.iter().find(|output| !is_allowed(output)).filter(|_| option.value) {
            self.report(
                Diagnostic::new(DiagnosticCode::BadOption, option.span, "a method that returns a file has no outputs")
                    .label("the file is the response")
                    .related(output.key.span, "an output")
                    .help("remove the outputs; only a header field with a `value` can be beside a file"),
            );
        }
        option.value
    }

    /// Reports a method whose responses cannot be repeated: a GET method, a file, or a script that depends on the
    /// request.
    fn lower_idempotency(
        &mut self,
        option: &Spanned<String>,
        options: &DeclaredOptions,
        http: Option<HttpMethod>,
    ) -> Option<Idempotency> {
        let value = self.resolve_word(option, "value of `idempotent`:")?;
        let enabled = |option: &Option<Spanned<bool>>| option.as_ref().filter(|option| option.value).map(|it| it.span);
        let (message, related, help) = if http == Some(HttpMethod::Get) {
            let message = "a GET method cannot be `idempotent`";
            (message, None, "remove it: clients can repeat GET requests, because they change nothing")
        } else if let Some(span) = enabled(&options.download) {
            let message = "a method that returns a file cannot be `idempotent`";
            (message, Some((span, "returns a file")), "remove it: files are sent while they are read, and are not kept")
        } else if let Some(span) = enabled(&options.jsonp) {
            let message = "a method that responds with JSONP cannot be `idempotent`";
            (message, Some((span, "JSONP")), "remove one of both: a script cannot send the header field with the key")
        } else {
            return Some(value);
        };
        let diagnostic = Diagnostic::new(DiagnosticCode::BadOption, option.span, message).help(help);
        self.report(match related {
            Some((span, label)) => diagnostic.related(span, label),
            None => diagnostic,
        });
        None
    }
}
