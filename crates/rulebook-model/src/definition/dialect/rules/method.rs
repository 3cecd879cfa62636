//! Reads a method of a PhalApi class, which becomes one method of the parsed definition for each HTTP method that it
//! allows.

use indexmap::IndexMap;

use super::super::super::checked_object::CheckedObject;
use super::super::super::dialect_spec::RULES;
use super::super::super::jsonc::{JsonData, JsonMember};
use super::super::super::keys::rules::METHOD;
use super::super::super::parsed::{Method, Service};
use super::super::method::{read_errors, read_scope};
use super::returns::read_return_fields;
use super::rule::Rule;
use super::{joined_description, read_rules};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::method_options::DeclaredOptions;
use crate::span::{Span, Spanned};

/// Reads a method, which has the rules `common` of its class except those that it replaces.
pub(super) fn read_method(
    class: &Spanned<String>,
    member: &JsonMember,
    common: &[Rule],
    is_common_complete: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Service> {
    let before = diagnostics.len();
    let mut object = CheckedObject::new(&member.value, &METHOD, diagnostics)?;
    let key = &member.key;
    let (method_rules, has_all_rules) = read_rules(&object, &METHOD, diagnostics);
    let all = merge_rules(common, method_rules);
    let outputs = read_return_fields(&mut object, diagnostics);
    let errors = read_errors(&RULES, "@errors", &mut object, diagnostics);
    let scope = read_scope(&RULES, &mut object, diagnostics);
    let info =
        joined_description(&object).unwrap_or_else(|| key.clone().map(|method| format!("{}.{method}", class.value)));
    let methods = http_methods(&object, key.span, &all, diagnostics);
    let constraints = object.get("@constraints").cloned();
    let handler = object.get("@handler").cloned();
    let options = DeclaredOptions::read(&object, true);
    let can_have_jsonp = |http: &Spanned<String>| matches!(http.value.as_str(), "GET" | "POST");
    let has_jsonp = methods.iter().any(can_have_jsonp);
    let is_get = |http: &Spanned<String>| http.value == "GET";
    let has_other = !methods.iter().all(is_get);
    let is_incomplete = object.is_incomplete || !(is_common_complete && has_all_rules);
    let has_errors = is_incomplete || diagnostics.len() > before || all.iter().any(|rule| rule.parameter.is_incomplete);
    let methods = methods.into_iter().map(|http| Method {
        // Only GET and POST can respond with JSONP, so `@jsonp` applies only to them if the method allows one of them.
        // `@idempotent` does not apply to GET if the method allows another HTTP method.
        options: DeclaredOptions {
            jsonp: options.jsonp.filter(|jsonp| !jsonp.value || !has_jsonp || can_have_jsonp(&http)),
            has_jsonp_on_post: http.value == "POST",
            idempotent: options.idempotent.clone().filter(|_| !(has_other && is_get(&http))),
            ..options.clone()
        },
        http_method: http,
        id: None,
        info: Some(info.clone()),
        scope: scope.clone(),
        parameters: all.iter().map(|rule| rule.parameter.clone()).collect(),
        outputs: outputs.clone(),
        errors: errors.clone(),
        constraints: constraints.clone(),
        handler: handler.clone(),
        span: object.span,
        is_incomplete,
        has_errors,
    });
    let path = format!("/{}/{}", lowercase_first(&class.value), key.value);
    Some(Service { path: Spanned::new(path, key.span), methods: methods.collect() })
}

/// Merges the rules of a class with those of a method in the order of PhalApi: a rule with the same name takes the
/// place of the other.
fn merge_rules(common: &[Rule], method_rules: Vec<Rule>) -> Vec<Rule> {
    let named = |rule: Rule| (rule.name.clone(), rule);
    let all: IndexMap<String, Rule> = common.iter().cloned().chain(method_rules).map(named).collect();
    all.into_values().collect()
}

/// Returns the HTTP methods in `@method`. The default is GET and POST, or only POST if a rule requires a body.
fn http_methods(
    object: &CheckedObject<'_>,
    span: Span,
    rules: &[Rule],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Spanned<String>> {
    let names = match object.get("@method").map(|node| (&node.data, node)) {
        Some((JsonData::String(text), node)) => Some(vec![Spanned::new(text.clone(), node.span)]),
        Some((JsonData::Array(_), _)) => object.strings("@method").map(|names| names.value),
        _ => None,
    };
    let needs_body = rules.iter().any(|rule| rule.needs_body);
    let Some(names) = names.filter(|names| !names.is_empty()) else {
        let default: &[&str] = if needs_body { &["POST"] } else { &["GET", "POST"] };
        return default.iter().map(|name| Spanned::new((*name).to_owned(), span)).collect();
    };
    let uppercase = |name: Spanned<String>| name.map(|name| name.to_ascii_uppercase());
    let names: Vec<_> = names.into_iter().map(uppercase).collect();
    let bodiless = names.iter().find(|name| matches!(name.value.as_str(), "GET" | "DELETE"));
    // `compile` reports the file parameters of methods without a body, because it knows the types of the parameters. It
    // also reports the whole body.
    if let (Some(http), Some(source)) = (bodiless, rules.iter().find_map(|rule| rule.post_source)) {
        let message = format!("{} has no body, but a rule reads its value from the body", http.value);
        let error = Diagnostic::new(DiagnosticCode::BodyNotAllowed, http.span, message).label("has no body");
        diagnostics.push(error.related(source, "read from the body").help("remove `@method`, or set it to `POST`"));
    }
    names
}

/// Returns the name of a class with a lowercase first letter, as it occurs in the path of the service.
fn lowercase_first(class: &str) -> String {
    let mut letters = class.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}", first.to_ascii_lowercase(), letters.as_str()))
}
