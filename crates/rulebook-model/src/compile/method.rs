//! Converts one method of a service from the parsed definition to the model, and warns of a `sunset` that is over.

use std::cell::LazyCell;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use jiff::Timestamp;

use super::parameter::{LoweredParameter, ParameterKey};
use super::{Lowering, path, without_unused_capacity};
use crate::call::{Callback, HttpMethod, Value};
use crate::constraint::{Constraint, Subject, Subjects, parse_constraints};
use crate::definition::{JsonData, JsonNode, parsed};
use crate::diagnostic::{Diagnostic, DiagnosticCode, closest_word};
use crate::method_options::DeclaredDeprecation;
use crate::model::{
    Api, Deprecation, EnvelopeName, Location, Method, Parameter, Segment, Service, date_or_time, default_method_id,
};
use crate::span::{Span, Spanned};
use crate::types::{Arity, failed_type};

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

impl Lowering<'_> {
    /// Converts the common parameters. They cannot be part of the path, because methods have different paths.
    pub(super) fn lower_common_parameters(&mut self, parameters: &[parsed::Field]) -> Vec<LoweredParameter> {
        let mut common = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            let lowered = self.lower_parameter(parameter);
            let code = match lowered.key.as_ref().map(|key| key.location) {
                Some(Location::Path) => DiagnosticCode::UndefinedCapture,
                Some(Location::Position(_)) => DiagnosticCode::BadPosition,
                _ => {
                    common.push(lowered);
                    continue;
                }
            };
            self.report(
                Diagnostic::new(
                    code,
                    lowered.span,
                    format!("the common parameter `{}` is part of the path", lowered.key_text),
                )
                .label("methods have different paths")
                .help("define the parameter in each method that has it in its path"),
            );
        }
        self.check_duplicate_parameters(&common);
        common
    }

    /// Converts the parameters of a method, and adds the common parameters whose names in code the method does not use.
    /// The dialect determines whether the common parameters come first.
    pub(super) fn lower_method_parameters(
        &mut self,
        parameters: &[parsed::Field],
        common: &[LoweredParameter],
        context: &MethodContext<'_>,
    ) -> Vec<LoweredParameter> {
        let mut all: Vec<LoweredParameter> =
            parameters.iter().map(|parameter| self.lower_parameter(parameter)).collect();
        let names: HashSet<&str> = all.iter().map(|lowered| lowered.name.as_str()).collect();
        let inherited: Vec<LoweredParameter> = common
            .iter()
            .filter(|parameter| !names.contains(parameter.name.as_str()))
            .map(|parameter| LoweredParameter { is_inherited: true, ..parameter.clone() })
            .collect();
        all.extend(inherited);
        if self.dialect.puts_common_parameters_first {
            let common_index: HashMap<&str, usize> =
                common.iter().enumerate().map(|(index, parameter)| (parameter.name.as_str(), index)).collect();
            // A parameter that replaces a common parameter gets the place of the common parameter in the order.
            all.sort_by_key(|lowered| common_index.get(lowered.name.as_str()).copied().unwrap_or(common.len()));
        }
        if context.has_no_body() {
            for lowered in &mut all {
                also_read_from_query(lowered);
            }
        }
        self.check_file_parameters(&all, context);
        self.check_whole_body(&all, context);
        self.check_duplicate_parameters(&all);
        self.check_captures(&all, context);
        self.check_positions(&all, context);
        all
    }

    /// Reports files that are not read from the body: a multipart body contains files, or the whole body is one file.
    fn check_file_parameters(&mut self, all: &[LoweredParameter], context: &MethodContext<'_>) {
        for lowered in all {
            let Some(parameter) = &lowered.parameter else { continue };
            if !matches!(parameter.r#type.check.arity(), Arity::File | Arity::Files) {
                continue;
            }
            let has_no_body = context.has_no_body();
            let message = match parameter.from {
                Location::Body | Location::Any if !has_no_body => continue,
                Location::Body | Location::Any => {
                    format!("`{}` is a file, but {} has no body", lowered.key_text, context.diagnostic_subject)
                }
                Location::WholeBody if parameter.is_raw_body() => continue,
                Location::WholeBody => format!("`{}` is a list of files, but the whole body is one file", lowered.name),
                _ => format!("`{}` is a file, which can be sent in a body only", lowered.key_text),
            };
            let error = Diagnostic::new(DiagnosticCode::BodyNotAllowed, lowered.span, message)
                .label("a file needs a multipart body")
                .help(match parameter.from {
                    Location::WholeBody => {
                        "write the type `file`, or make it a field of the body, which is then a multipart form"
                    }
                    _ => "use POST, PUT or PATCH, and a key without a prefix",
                });
            self.report_once(if has_no_body { context.with_inheritance(error, lowered) } else { error });
        }
    }

    /// Reports a whole body of requests without a body, and parameters that are parts of the same body.
    pub(super) fn check_whole_body(&mut self, all: &[LoweredParameter], context: &MethodContext<'_>) {
        let location = |lowered: &LoweredParameter| lowered.key.as_ref().map(|key| key.location);
        let Some(whole) = all.iter().find(|lowered| location(lowered) == Some(Location::WholeBody)) else { return };
        if context.has_no_body() {
            let message = format!("`{}` is the whole body, but {} has no body", whole.name, context.diagnostic_subject);
            let error = Diagnostic::new(DiagnosticCode::BodyNotAllowed, whole.span, message)
                .label("no body")
                .help("use POST, PUT or PATCH, or read the parameter from another part of the request");
            self.report_once(context.with_inheritance(error, whole));
            return;
        }
        let is_part = |lowered: &&LoweredParameter| {
            matches!(location(lowered), Some(Location::Body | Location::Any)) && !lowered.name.is_empty()
        };
        for part in all.iter().filter(is_part) {
            let message = format!("`{}` is a part of the body, but `{}` is the whole body", part.name, whole.name);
            self.report_once(
                Diagnostic::new(DiagnosticCode::NameCollision, part.span, message)
                    .label("part of the body")
                    .related(whole.span, "the whole body")
                    .help(
                        "read this parameter from the query, a header field or a cookie, or make it a field of the \
                         body's type",
                    ),
            );
        }
    }

    /// Reports parameters with the same name in code, or with the same name in the same part of a request.
    fn check_duplicate_parameters(&mut self, all: &[LoweredParameter]) {
        let mut names: HashMap<&str, &LoweredParameter> = HashMap::new();
        let mut keys: HashMap<&ParameterKey, &LoweredParameter> = HashMap::new();
        // Parameters with an empty name are omitted, because the empty name has been reported.
        for lowered in all.iter().filter(|lowered| !lowered.name.is_empty()) {
            if let Some(first) = names.insert(&lowered.name, lowered) {
                let message = format!("two parameters have the name `{}` in code", lowered.name);
                self.report_once(
                    Diagnostic::new(DiagnosticCode::NameCollision, lowered.name_span, message)
                        .label("second parameter")
                        .related(first.name_span, "first parameter")
                        .help("rename one of them with `name`"),
                );
                continue;
            }
            if let Some(key) = &lowered.key
                && let Some(first) = keys.insert(key, lowered)
            {
                let (one, two) = if first.key_text == lowered.key_text {
                    (&first.name, &lowered.name)
                } else {
                    (&first.key_text, &lowered.key_text)
                };
                let message = format!("`{one}` and `{two}` are the same value of a request");
                self.report_once(
                    Diagnostic::new(DiagnosticCode::NameCollision, lowered.span, message)
                        .label("second parameter")
                        .related(first.span, "first parameter")
                        .help("remove one of them, or read them from different parts of the request"),
                );
            }
        }
    }

    /// Checks that every capture `{x}` of the path has a parameter with the key `{x}`, and the reverse.
    fn check_captures(&mut self, all: &[LoweredParameter], context: &MethodContext<'_>) {
        let Some(path) = context.path_segments else { return };
        let captures: HashSet<&str> = path.iter().filter_map(capture_name).collect();
        let defined = || {
            all.iter().filter_map(|lowered| match &lowered.key {
                Some(ParameterKey { location: Location::Path, name }) => Some((name.as_str(), lowered.span)),
                _ => None,
            })
        };
        let undefined: Vec<(&str, Span)> = defined().filter(|(name, _)| !captures.contains(name)).collect();
        let defined: HashSet<&str> = defined().map(|(name, _)| name).collect();
        let mut unused: Vec<&str> =
            path.iter().filter_map(capture_name).filter(|name| !defined.contains(name)).collect();
        for &(name, span) in &undefined {
            // If the name in the parameter's key is misspelled, only one error is reported: the capture that the author
            // probably meant is not reported as unused.
            let suggestion = match (&undefined[..], &unused[..]) {
                ([_], [only]) => Some(*only),
                _ => closest_word(name, unused.iter().copied()),
            };
            unused.retain(|unused| Some(*unused) != suggestion);
            let message = format!("the path `{}` has no capture `{{{name}}}`", context.path_text.value);
            let error = Diagnostic::new(DiagnosticCode::UndefinedCapture, span, message)
                .label("no such capture")
                .related(context.path_text.span, "the path");
            self.report(match suggestion {
                Some(suggestion) => error.help(format!("did you mean `{{{suggestion}}}`?")),
                None => error.help(format!(
                    "add `{{{name}}}` to the path, or read the parameter from another part of the request"
                )),
            });
        }
        if context.is_incomplete {
            return;
        }
        for name in unused {
            let message = format!("{} does not define the capture `{{{name}}}`", context.diagnostic_subject);
            self.report(
                Diagnostic::new(DiagnosticCode::UnusedCapture, context.http_span, message)
                    .label(format!("has no parameter `{{{name}}}`"))
                    .related(capture_span(name, context.path_text), "captured here")
                    .help(format!("add the parameter: `\"{{{name}}}\": {{ \"info\": \"…\", \"type\": \"…\" }}`")),
            );
        }
    }

    /// Reports gaps between the numbers of positional parameters, which must begin at 0.
    fn check_positions(&mut self, all: &[LoweredParameter], context: &MethodContext<'_>) {
        if context.is_incomplete || all.iter().any(|lowered| lowered.key.is_none()) {
            return;
        }
        let mut positions: Vec<(usize, &LoweredParameter)> = all
            .iter()
            .filter_map(|lowered| match lowered.key.as_ref()?.location {
                Location::Position(position) => Some((position, lowered)),
                _ => None,
            })
            .collect();
        positions.sort_by_key(|(position, _)| *position);
        let gap = positions.iter().enumerate().find(|(expected, (position, _))| expected != position);
        if let Some((expected, (_, lowered))) = gap {
            let prefix = self.dialect.position_prefix;
            let message = format!("there is a parameter `{}`, but no `{prefix}{expected}`", lowered.key_text);
            self.report(
                Diagnostic::new(DiagnosticCode::BadPosition, lowered.span, message)
                    .label("gap before this position")
                    .help(format!("number the positions from 0 without gaps: this one would be `{prefix}{expected}`")),
            );
        }
    }
}

/// Lets requests of a method without a body send a parameter whose key has no prefix in the query.
fn also_read_from_query(lowered: &mut LoweredParameter) {
    let change = |location: &mut Location| {
        if *location == Location::Body {
            *location = Location::Any;
        }
    };
    if let Some(key) = &mut lowered.key {
        change(&mut key.location);
    }
    if let Some(Parameter { from, .. }) = &mut lowered.parameter {
        change(from);
    }
}

fn capture_span(name: &str, uri: &Spanned<String>) -> Span {
    let text = format!("{{{name}}}");
    match uri.value.find(&text) {
        Some(start) => path::span_of_range(uri, &(start..start + text.len())).0,
        None => uri.span,
    }
}

fn capture_name(segment: &Segment) -> Option<&str> {
    match segment {
        Segment::Capture(name) => Some(name),
        Segment::Static(_) => None,
    }
}

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

impl Lowering<'_> {
    /// Converts the options `deprecated`, `sunset` and `successor`. Only a deprecated method can have the other two.
    pub(crate) fn lower_deprecation(&mut self, declared: &DeclaredDeprecation) -> Option<Box<Deprecation>> {
        let DeclaredDeprecation { deprecated, since, sunset, successor, is_incomplete } = declared;
        let error = |span, message: &str| Diagnostic::new(DiagnosticCode::BadOption, span, message);
        if deprecated.is_none_or(|deprecated| !deprecated.value) {
            let spans =
                [("sunset", sunset.map(|it| it.span)), ("successor", successor.as_ref().map(|it| it.span))].into_iter();
            for (key, span) in spans.filter_map(|(key, span)| Some((key, span?))).filter(|_| !is_incomplete) {
                let message = format!("only a deprecated method has a `{key}`");
                let help = "add `\"deprecated\": true`, or the date since when: `\"deprecated\": \"2026-12-01\"`";
                self.report(error(span, &message).help(help));
            }
            return None;
        }
        if let (Some(since), Some(sunset)) = (since, sunset)
            && sunset.value < since.value
        {
            self.report(
                error(sunset.span, "the method ends before it is deprecated")
                    .related(since.span, "deprecated since")
                    .help("clients need the time between both dates to change: choose a later `sunset`"),
            );
        }
        Some(Box::new(Deprecation {
            since: since.map(|since| since.value),
            sunset: sunset.map(|sunset| sunset.value),
            successor: successor.clone(),
            other_successor: None,
        }))
    }

    /// Reports successors that are not another method of the API. After other errors, the method may be missing only
    /// because it was omitted.
    pub(super) fn check_successors(&mut self, api: &Api) {
        if !self.diagnostics.is_empty() {
            return;
        }
        let ids: LazyCell<HashSet<&str>, _> = LazyCell::new(|| api.methods().map(|(.., method)| &*method.id).collect());
        for (_, method, deprecation) in deprecated_methods(api) {
            let Some(successor) = &deprecation.successor else { continue };
            let error = |message: String| Diagnostic::new(DiagnosticCode::BadOption, successor.span, message);
            let help = "write the id of the method that clients should call instead; `rulebook routes` lists the ids";
            if successor.value == method.id {
                self.report_once(error(format!("the method `{}` is its own successor", method.id)).help(help));
            } else if !ids.contains(&*successor.value) {
                self.report_once(
                    error(format!("unknown method `{}`", successor.value.escape_debug()))
                        .label("no method has this id")
                        .help(help)
                        .suggest(&successor.value, ids.iter().copied()),
                );
            }
        }
    }
}

fn deprecated_methods(api: &Api) -> impl Iterator<Item = (&Service, &Method, &Deprecation)> {
    api.methods().filter_map(|(_, service, method)| Some((service, method, method.options.deprecation.as_deref()?)))
}

/// Returns a warning for each method whose `sunset` is not after `now`.
pub(super) fn past_sunset_warnings(api: &Api, now: Timestamp) -> Vec<Diagnostic> {
    // A method of a PhalApi class has several HTTP methods.
    let mut reported = HashSet::new();
    let past = deprecated_methods(api).filter_map(|(service, method, deprecation)| {
        let sunset = deprecation.sunset.filter(|sunset| *sunset <= now)?;
        let is_new = reported.insert((method.span.file, method.span.start));
        is_new.then(|| {
            let message = format!("the method `{}` ended on {}: it responds with 410", method.id, date_or_time(sunset));
            let help = format!(
                "delete `{}` of `{}` and its handler, or choose a later `sunset`",
                method.http.as_str(),
                service.uri()
            );
            Diagnostic::new(DiagnosticCode::PastSunset, method.span, message).help(help).into_warning()
        })
    });
    past.collect()
}
