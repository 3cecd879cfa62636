//! Checks all parameters of a method, including the common parameters of the API, against the path of the service and
//! against each other.

use std::collections::{HashMap, HashSet};

use super::key::ParameterKey;
use super::lowering::Lowering;
use super::method::MethodContext;
use super::parameter::LoweredParameter;
use super::path;
use crate::definition::parsed;
use crate::diagnostic::{Diagnostic, DiagnosticCode, closest_word};
use crate::model::{Location, Parameter, Segment};
use crate::span::{Span, Spanned};
use crate::types::Arity;

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
