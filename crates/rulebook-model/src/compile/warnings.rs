//! Warns about what is valid, but probably means something else.

use std::collections::HashSet;

use crate::definition::dialect_spec::RULES;
use crate::definition::keys::rules::{PARAMETER_TYPE_ALIASES, tree_name_of_alias};
use crate::definition::parsed::{Definition, Field};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::{Api, LOCATION_PREFIXES};
use crate::span::Spanned;
use crate::types::Types;

/// Returns a warning for each rule that names a built-in type in another case. In PhalApi, `Phone` is one of the
/// program.
pub(super) fn builtin_type_warnings(definition: &Definition, types: &Types) -> Vec<Diagnostic> {
    let classes = definition.modules.iter().filter(|module| module.spec.name == RULES.name);
    let methods = classes.flat_map(|class| &class.services).flat_map(|service| &service.methods);
    let common = definition.app.common.iter().filter(|_| definition.app.has_common_rules);
    let rules = common.chain(methods.flat_map(|method| &method.parameters));
    // Several methods have the rules of a class.
    let mut reported = HashSet::new();
    let mut warnings = Vec::new();
    for term in rules.filter_map(|rule| rule.r#type.term.as_ref()) {
        let custom_names = names_of_nested_types(&term.value)
            .filter(|name| tree_name_of_alias(PARAMETER_TYPE_ALIASES, name).is_none());
        let Some((name, builtin)) =
            custom_names.filter_map(|name| Some((name, types.builtin_name_in_other_case(name)?))).next()
        else {
            continue;
        };
        if reported.insert((term.span.file, term.span.start)) {
            let message = format!("`{name}` is the built-in type `{builtin}`, which PhalApi does not have");
            let help = format!(
                "if `{name}` is a type of the program, the program adds it with `Rulebook::add_type`; otherwise write `{builtin}`"
            );
            warnings.push(Diagnostic::new(DiagnosticCode::BuiltinType, term.span, message).help(help).into_warning());
        }
    }
    warnings
}

/// Returns the names of types in a term, from the outermost to the innermost: `array` and `Phone` for `?array<Phone>`.
fn names_of_nested_types(term: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(term);
    std::iter::from_fn(move || {
        let term = rest?.trim_start_matches(['?', '[', ']']);
        let end = term.find(['<', '(', '>']).unwrap_or(term.len());
        rest = term[end..].strip_prefix('<');
        Some(&term[..end])
    })
}

/// Returns warnings about paths and keys of parameters that look like those of other frameworks.
pub(super) fn foreign_notations(definition: &Definition) -> Vec<Diagnostic> {
    let warning =
        |code, span, message: String, help: String| Diagnostic::new(code, span, message).help(help).into_warning();
    let mut warnings = Vec::new();
    for service in definition.modules.iter().flat_map(|module| &module.services) {
        let Spanned { value: path, span } = &service.path;
        for name in path.split('/').filter_map(|segment| segment.strip_prefix(':')).filter(|name| !name.is_empty()) {
            let message = format!("the path `{path}` contains the text `:{name}`");
            warnings.push(warning(
                DiagnosticCode::BadUri,
                *span,
                message,
                format!("write `{{{name}}}` for a parameter"),
            ));
        }
        if let Some((before, _)) = path.split_once('?') {
            let message = format!("no request has the path `{path}`: it ends before the `?`");
            let help = format!("write `{before}`, and `GET@name` for a parameter in the query");
            warnings.push(warning(DiagnosticCode::BadUri, *span, message, help));
        }
        for Field { key, .. } in service.methods.iter().flat_map(|method| &method.parameters) {
            let Some((prefix, name)) = key.value.split_once('@') else { continue };
            let is_word = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_alphabetic());
            if is_word && !LOCATION_PREFIXES.iter().any(|(known, _)| key.value.starts_with(known)) {
                let message = format!("`{}` is the name of a field in the body", key.value);
                let prefix = match prefix.to_uppercase().as_str() {
                    "HEADERS" | "HEADER" => "HEADER",
                    "COOKIES" | "COOKIE" => "COOKIE",
                    "ANY" => "ANY",
                    _ => "GET",
                };
                warnings.push(warning(
                    DiagnosticCode::BadName,
                    key.span,
                    message,
                    format!("did you mean `{prefix}@{name}`?"),
                ));
            }
        }
    }
    warnings
}

/// Returns warnings about settings that are missing in `app.json`, but on which clients of PhalApi rely.
pub(super) fn missing_settings(definition: &Definition, api: &Api) -> Vec<Diagnostic> {
    let Some(class) = definition.modules.iter().find(|module| module.spec.name == RULES.name) else {
        return Vec::new();
    };
    let warning = |message: String, help: &str| {
        Diagnostic::new(DiagnosticCode::MissingSetting, class.span, message).help(help).into_warning()
    };
    let mut warnings = Vec::new();
    if definition.app.value("service").is_none() {
        let message = format!("clients cannot name the services of `{}`, as they do in PhalApi", class.name.value);
        let help = "add `\"service\": { \"on\": true }` to `app.json`, or `false` if clients use paths only";
        warnings.push(warning(message, help));
    }
    let envelope = class.envelope.as_ref().map(|name| name.value.as_str());
    let default = api.envelope.as_str();
    if let Some(envelope) = envelope.filter(|name| definition.app.value("envelope").is_none() && *name != default) {
        let message = format!("errors for paths that do not exist have the envelope `{default}`, not `{envelope}`");
        warnings.push(warning(message, &format!("set `envelope` in `app.json`: `\"envelope\": \"{envelope}\"`")));
    }
    warnings
}
