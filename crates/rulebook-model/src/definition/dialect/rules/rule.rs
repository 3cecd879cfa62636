//! Reads a rule, which defines a parameter in PhalApi, and converts it to the keys and types of the dialect `tree`.

use serde_json::{Number, Value as Json};

use super::super::super::checked_object::CheckedObject;
use super::super::super::dialect_spec::RULES;
use super::super::super::jsonc::JsonMember;
use super::super::super::keys::rules::{PARAMETER_TYPE_ALIASES, RULE, SOURCE_PREFIXES, tree_name_of_alias};
use super::super::super::parsed::{Attribute, Field, TypeSpec};
use super::super::type_spec::read_type;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::WHOLE_BODY_KEY;
use crate::span::{Span, Spanned};

/// The value of `source` for data of the web server in PhalApi (PHP's `$_SERVER`), which rulebook does not support.
const SERVER_SOURCE: &str = "server";

#[derive(Clone)]
pub(super) struct Rule {
    /// The parameter's name in the code of handlers.
    pub name: String,
    pub parameter: Field,
    /// `true` if the parameter's value can be sent only in a body, because it is a file or the rule has the source
    /// `post` or `body`.
    pub needs_body: bool,
    /// The span of the value of the key `source` if it is `post`; otherwise `None`.
    pub post_source: Option<Span>,
}

pub(super) fn read_rule(member: &JsonMember, diagnostics: &mut Vec<Diagnostic>) -> Option<Rule> {
    let mut object = CheckedObject::new(&member.value, &RULE, diagnostics)?;
    let name = &member.key;
    let r#type = read_type(&RULES, &mut object, diagnostics);
    let is_type_missing = r#type.term.is_none() && object.is_incomplete;
    let term = r#type.term.clone().or((!is_type_missing).then(|| Spanned::new("string".to_owned(), name.span)));
    let before = diagnostics.len();
    let r#type = type_in_tree_dialect(TypeSpec { term, ..r#type }, &object, diagnostics);
    let (prefix, source) = parameter_key_prefix(&object, diagnostics);
    let is_file = r#type.term.as_ref().is_some_and(|term| is_file_type(&term.value));
    let post_source = source.filter(|_| prefix.is_empty());
    let request_name = object.string("name").unwrap_or_else(|| name.clone());
    let is_whole_body = prefix == WHOLE_BODY_KEY;
    if let Some(name) = object.string("name").filter(|_| is_whole_body) {
        diagnostics.push(named_whole_body_error(&name));
    }
    let prefix = if prefix.is_empty() && has_location_prefix(&request_name.value) {
        diagnostics.push(unexpected_prefix_error(&request_name));
        "ANY@"
    } else {
        prefix
    };
    let not_blank = |key| object.string(key).filter(|text| !text.value.trim().is_empty());
    let is_blank = name.value.trim().is_empty();
    let request_name = if is_whole_body { "" } else { &request_name.value };
    let parameter = Field {
        key: Spanned::new(format!("{prefix}{request_name}"), name.span),
        // If the rule has no other name, `compile` reports the blank key instead of a blank name.
        name: (!is_blank || is_whole_body || object.has_key("name")).then(|| name.clone()),
        header: None,
        info: not_blank("desc").or_else(|| (!is_blank).then(|| name.clone())),
        r#type,
        optional: None,
        default: default_of_rule(&object),
        example: object.json("example"),
        message: object.string("message"),
        is_incomplete: object.is_incomplete || is_blank || diagnostics.len() > before,
    };
    let needs_body = is_file || is_whole_body || post_source.is_some();
    Some(Rule { name: name.value.clone(), parameter, needs_body, post_source })
}

/// Returns the default of a rule. In PHP, the default null means that the rule has no default.
fn default_of_rule(object: &CheckedObject<'_>) -> Option<Spanned<Json>> {
    object.json("default").filter(|default| !default.value.is_null())
}

/// Converts a type and its attributes to the names of the dialect `tree`. The type of an optional parameter gets a `?`.
fn type_in_tree_dialect(text: TypeSpec, object: &CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> TypeSpec {
    let TypeSpec { term, attributes, parts, nested, fields } = text;
    let Some(term) = term else {
        return TypeSpec { term, attributes, parts, nested, fields };
    };
    let has_mark = term.value.starts_with('?');
    let name = term.value.trim_start_matches('?');
    let name = tree_name_of_alias(PARAMETER_TYPE_ALIASES, name).unwrap_or(name).to_owned();
    let required = object.bool("require").filter(|require| require.value);
    if let Some(require) = required.filter(|_| has_mark) {
        let message = "a rule with `require` cannot have an optional type";
        let error = Diagnostic::new(DiagnosticCode::BadOption, require.span, message).label("required");
        diagnostics.push(error.related(term.span, "optional").help("remove `require` or the `?`"));
    }
    let functions = [callback_attribute(&name, object, diagnostics), after_attribute(object, diagnostics)];
    let attributes = attributes.into_iter().filter_map(|(key, value)| {
        let value = match key.value.as_str() {
            "min" | "max" if name != "datetime" => value.map(parse_bound_number),
            "format" => format_attribute(&name, value, diagnostics)?,
            "items" => value.map(convert_item_attributes),
            // `callback_attribute` has reported a `callback` of another type than `callable`.
            "callback" if name != "callable" => return None,
            _ => value,
        };
        Some((key, value))
    });
    let attributes: Vec<_> = attributes.chain(functions.into_iter().flatten()).collect();
    let is_optional = has_mark || (required.is_none() && default_of_rule(object).is_none());
    // A term that begins with several `?` is an error. The term is kept, so that the diagnostic shows it as the author
    // wrote it.
    let term = if term.value.starts_with("??") {
        term
    } else {
        term.map(|_| if is_optional { format!("?{name}") } else { name })
    };
    TypeSpec { term: Some(term), attributes, parts, nested, fields }
}

/// Returns the attribute `callback` if the rule has it as `callable`. Reports a rule with both, or of another type.
fn callback_attribute(
    type_name: &str,
    object: &CheckedObject<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Attribute> {
    let find = |key| object.members().find(|member| member.key.value == key);
    let (callback, callable) = (find("callback"), find("callable"));
    let first = callback.or(callable)?;
    if type_name != "callable" {
        let message = format!("`{}` has no effect on this type", first.key.value);
        let error = Diagnostic::new(DiagnosticCode::BadOption, first.key.span, message);
        diagnostics.push(error.label("never called").help("add `\"type\": \"callable\"`"));
        return None;
    }
    let second = callable?;
    if callback.is_some() {
        let message = "`callback` and `callable` are two names of the same key";
        let error = Diagnostic::new(DiagnosticCode::BadOption, second.key.span, message);
        diagnostics.push(
            error.label("second occurrence").related(first.key.span, "first occurrence").help("remove one of the two"),
        );
        return None;
    }
    Some((Spanned::new("callback".to_owned(), second.key.span), Spanned::new(second.value.json(), second.value.span)))
}

/// Returns the key `on_after_parse` as the attribute `after`. An array of a class and a method is one function.
fn after_attribute(object: &CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<Attribute> {
    let member = object.members().find(|member| member.key.value == "on_after_parse")?;
    let span = member.value.span;
    let names = match object.strings("on_after_parse").map(|names| names.value) {
        None => member.value.json(),
        Some(names) => match &names[..] {
            [class, method] => vec![format!("{}::{}", class.value, method.value)].into(),
            _ => {
                let message = "an array must have two items, a class and a method";
                let error = Diagnostic::new(DiagnosticCode::BadOption, span, message);
                diagnostics.push(error.help("write several functions as one string: `\"trim|strtolower\"`"));
                return None;
            }
        },
    };
    Some((Spanned::new("after".to_owned(), member.key.span), Spanned::new(names, span)))
}

/// Converts a bound to a number if it is written as a string that contains a number.
fn parse_bound_number(bound: Json) -> Json {
    let Json::String(text) = &bound else { return bound };
    text.trim().parse::<Number>().map_or(bound, Json::Number)
}

/// Converts the attributes of an array's items. Their bounds may also be written as strings.
fn convert_item_attributes(attributes: Json) -> Json {
    let Json::Object(attributes) = attributes else { return attributes };
    let convert = |(key, value): (String, Json)| {
        let value = match key.as_str() {
            "min" | "max" => parse_bound_number(value),
            "items" => convert_item_attributes(value),
            _ => value,
        };
        (key, value)
    };
    Json::Object(attributes.into_iter().map(convert).collect())
}

/// Converts the attribute `format` to lower case. Strings have none, because all are UTF-8; others are reported.
fn format_attribute(type_name: &str, value: Spanned<Json>, diagnostics: &mut Vec<Diagnostic>) -> Option<Spanned<Json>> {
    let Json::String(text) = &value.value else { return Some(value) };
    let lowercase = text.to_ascii_lowercase();
    if type_name != "loose_string" {
        return Some(Spanned::new(lowercase.into(), value.span));
    }
    if !matches!(lowercase.as_str(), "utf8" | "utf-8") {
        let message = format!("`{}` is not a supported `format` of strings", text.escape_debug());
        let error = Diagnostic::new(DiagnosticCode::BadOption, value.span, message).label("expected `utf8`");
        diagnostics.push(error.help("all strings are UTF-8, and lengths are numbers of characters"));
    }
    None
}

/// Returns the prefix of the parameter's key in the dialect `tree`, and the span of the key `source`.
fn parameter_key_prefix(object: &CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> (&'static str, Option<Span>) {
    let Some(source) = object.string("source") else {
        return ("ANY@", None);
    };
    if let Some(prefix) = tree_name_of_alias(SOURCE_PREFIXES, &source.value) {
        return (prefix, Some(source.span));
    }
    let names = || SOURCE_PREFIXES.iter().map(|(name, _)| *name);
    let list: Vec<String> = names().map(|name| format!("`{name}`")).collect();
    let message = format!("unknown source `{}`", source.value.escape_debug());
    let error = Diagnostic::new(DiagnosticCode::BadOption, source.span, message).label("unknown source");
    diagnostics.push(if source.value.eq_ignore_ascii_case(SERVER_SOURCE) {
        error.help("data of the web server is not an input of clients; handlers get it from their `Context`")
    } else {
        error.help(format!("the sources are {}", list.join(", "))).suggest(&source.value, names())
    });
    ("ANY@", None)
}

fn is_file_type(term: &str) -> bool {
    let inner = term.trim_end_matches('>').rsplit(['<', ']', '?']).next();
    inner.is_some_and(|name| name.eq_ignore_ascii_case("file"))
}

fn unexpected_prefix_error(request_name: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` is not a valid name of a body field", request_name.value.escape_debug());
    Diagnostic::new(DiagnosticCode::BadName, request_name.span, message)
        .label("refers to another part of the request")
        .help("remove the prefix or the braces; `source` sets the part of the request that has the value")
}

fn named_whole_body_error(request_name: &Spanned<String>) -> Diagnostic {
    let message = "the whole body has no name in requests";
    Diagnostic::new(DiagnosticCode::BadOption, request_name.span, message)
        .label("has no effect")
        .help("remove `name`, or set `source` to `post` for a field of the body")
}

/// Returns `true` if the dialect `tree` would read a name as that of a parameter outside of the body, or the whole
/// body.
pub(super) fn has_location_prefix(name: &str) -> bool {
    let begins = |prefix: &str| !prefix.is_empty() && prefix != WHOLE_BODY_KEY && name.starts_with(prefix);
    SOURCE_PREFIXES.iter().any(|(_, prefix)| begins(prefix))
        || name == WHOLE_BODY_KEY
        || begins(RULES.position_prefix)
        || (name.starts_with('{') && name.ends_with('}'))
}
