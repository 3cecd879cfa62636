//! Reads files in the dialect `rules`, which contain the classes of the PHP framework PhalApi and the rules of the
//! classes' methods. A *rule* defines a parameter.
//!
//! A class becomes an API module. A method of a class becomes the service `/class/method`, by default with GET and
//! POST. The parameters of the service are the rules of the method, and the rules under the key `*` of the class unless
//! the method has a rule with the same name.

pub(super) use crate::definition::keys::rules::COMMON_RULES;

use indexmap::IndexMap;
use serde_json::{Map, Number, Value as Json};

use super::DialectReader;
use crate::definition::checked_object::{CheckedObject, named_members};
use crate::definition::dialect_spec::RULES;
use crate::definition::jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};
use crate::definition::keys::KeyTable;
use crate::definition::keys::rules::{
    CLASS, METHOD, PARAMETER_TYPE_ALIASES, RETURN_FIELD, RETURN_TYPE_ALIASES, RULE, RULES_FILE, SOURCE_PREFIXES,
    tree_name_of_alias,
};
use crate::definition::parsed::{Attribute, Field, Method, Module, Service, TypeSpec};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::method_options::DeclaredOptions;
use crate::model::WHOLE_BODY_KEY;
use crate::span::{Span, Spanned};

/// The envelope (the JSON structure of responses) of classes that do not set an envelope.
const DEFAULT_ENVELOPE: &str = "phalapi";

/// Reads a file of this dialect. Each class in the file becomes an API module.
pub(in crate::definition) fn read_file(_: &str, node: &JsonNode, diagnostics: &mut Vec<Diagnostic>) -> Vec<Module> {
    let Some(file) = CheckedObject::new(node, &RULES_FILE, diagnostics) else {
        return Vec::new();
    };
    members_outside_key_table(&file, &RULES_FILE).filter_map(|member| read_class(member, diagnostics)).collect()
}

fn read_class(member: &JsonMember, diagnostics: &mut Vec<Diagnostic>) -> Option<Module> {
    let mut object = CheckedObject::new(&member.value, &CLASS, diagnostics)?;
    let name = &member.key;
    let common =
        object.object("*", &COMMON_RULES, diagnostics).map(|common| read_rules(&common, &COMMON_RULES, diagnostics));
    let (common, is_complete) = common.unwrap_or((Vec::new(), true));
    let services = members_outside_key_table(&object, &CLASS)
        .filter_map(|member| read_method(name, member, &common, is_complete && !object.is_incomplete, diagnostics))
        .collect();
    let envelope = object.string("@envelope");
    let schemas = DialectReader { spec: &RULES, diagnostics }.read_schemas("@schemas", &mut object);
    Some(Module {
        name: name.clone(),
        info: joined_description(&object),
        envelope: Some(envelope.unwrap_or_else(|| Spanned::new(DEFAULT_ENVELOPE.to_owned(), name.span))),
        ignore_case: Some(Spanned::new(true, name.span)),
        repeated: Some(Spanned::new("last".to_owned(), name.span)),
        rate_limit: object.get("@rate_limit").cloned(),
        scope: object.get(RULES.scope_key).cloned(),
        schemas,
        services,
        spec: &RULES,
        is_incomplete: object.is_incomplete,
        span: name.span,
    })
}

/// Returns `true` if the parameters in the setting `common` are rules. Parameters of the dialect `tree` have the key
/// `info`, or a name that is or begins with a part of the request (`*`, `GET@x`).
pub(super) fn are_rules(members: &JsonMembers) -> bool {
    let mut named = named_members(members).peekable();
    let is_tree_parameter = |member: &JsonMember| {
        let has_info =
            matches!(&member.value.data, JsonData::Object(inner) if inner.list.iter().any(|it| it.key.value == "info"));
        has_info || has_location_prefix(&member.key.value)
    };
    named.peek().is_some() && !named.any(is_tree_parameter)
}

pub(super) fn read_common_rules(object: &CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Field> {
    let (rules, _) = read_rules(object, &COMMON_RULES, diagnostics);
    rules.into_iter().map(|rule| rule.parameter).collect()
}

/// Reads the members that are not in `keys`. The second result is `false` if an invalid rule was omitted.
fn read_rules(
    object: &CheckedObject<'_>,
    keys: &'static KeyTable,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Rule>, bool) {
    let mut is_complete = !object.is_incomplete;
    let mut rules = Vec::new();
    for member in members_outside_key_table(object, keys) {
        match read_rule(member, diagnostics) {
            Some(rule) => rules.push(rule),
            None => is_complete = false,
        }
    }
    (rules, is_complete)
}

/// Returns the members whose names the author of the definition chose.
fn members_outside_key_table<'a>(
    object: &CheckedObject<'a>,
    keys: &'static KeyTable,
) -> impl Iterator<Item = &'a JsonMember> {
    object.members().filter(|member| keys.iter().all(|key| key.name != member.key.value))
}

/// Returns the values of the keys `@info` and `@desc` of an object as two paragraphs of one text.
fn joined_description(object: &CheckedObject<'_>) -> Option<Spanned<String>> {
    let not_blank = |key| object.string(key).filter(|text| !text.value.trim().is_empty());
    match (not_blank("@info"), not_blank("@desc")) {
        (Some(info), Some(description)) => Some(info.map(|info| format!("{info}\n\n{}", description.value))),
        (info, description) => info.or(description),
    }
}

/// Reads a method, which has the rules `common` of its class except those that it replaces.
fn read_method(
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
    let mut reader = DialectReader { spec: &RULES, diagnostics };
    let errors = reader.read_errors("@errors", &mut object);
    let scope = reader.read_scope(&mut object);
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

/// The value of `source` for data of the web server in PhalApi (PHP's `$_SERVER`), which rulebook does not support.
const SERVER_SOURCE: &str = "server";

#[derive(Clone)]
struct Rule {
    /// The parameter's name in the code of handlers.
    pub name: String,
    pub parameter: Field,
    /// `true` if the parameter's value can be sent only in a body, because it is a file or the rule has the source
    /// `post` or `body`.
    pub needs_body: bool,
    /// The span of the value of the key `source` if it is `post`; otherwise `None`.
    pub post_source: Option<Span>,
}

fn read_rule(member: &JsonMember, diagnostics: &mut Vec<Diagnostic>) -> Option<Rule> {
    let mut object = CheckedObject::new(&member.value, &RULE, diagnostics)?;
    let name = &member.key;
    let r#type = DialectReader { spec: &RULES, diagnostics }.read_type(&mut object);
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
fn has_location_prefix(name: &str) -> bool {
    let begins = |prefix: &str| !prefix.is_empty() && prefix != WHOLE_BODY_KEY && name.starts_with(prefix);
    SOURCE_PREFIXES.iter().any(|(_, prefix)| begins(prefix))
        || name == WHOLE_BODY_KEY
        || begins(RULES.position_prefix)
        || (name.starts_with('{') && name.ends_with('}'))
}

/// The maximum number of levels in the path of a field, so that functions can recurse over nested fields.
const MAX_FIELD_DEPTH: usize = 32;

/// The outputs of a method, or the fields of an object, by their names in the order of the definition.
type OutputFields = IndexMap<String, OutputField>;

#[derive(Default)]
struct OutputField {
    name: Spanned<String>,
    /// The entry of `@return` that defines this field; `None` if there are entries only for nested fields.
    entry: Option<Field>,
    /// The items, if the field is an array because a path has `[]` after the name of the field.
    items: Option<Box<OutputField>>,
    /// The nested fields, if the field is an object because a path has `.` after the name of the field.
    fields: OutputFields,
}

fn read_return_fields(object: &mut CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Field> {
    let mut entries = object
        .objects_by_name("@return", &RETURN_FIELD, diagnostics, |path, object, _| read_return_entry(path, object));
    for line in object.strings("@return").into_iter().flat_map(|lines| lines.value) {
        match read_annotation_line(&line) {
            Some(entry) => entries.push(entry),
            None => {
                let message = "a line of `@return` must be a type, a path and a description";
                let error = Diagnostic::new(DiagnosticCode::WrongKind, line.span, message).label("expected two words");
                diagnostics.push(error.help("write the annotation of PhalApi: `\"string list[].name The name\"`"));
                object.is_incomplete = true;
            }
        }
    }
    let mut fields = OutputFields::new();
    for entry in entries {
        let depth = entry.key.value.matches("[]").count() + entry.key.value.matches('.').count();
        if depth >= MAX_FIELD_DEPTH {
            let message = format!("fields are nested more than {MAX_FIELD_DEPTH} levels deep");
            diagnostics.push(Diagnostic::new(DiagnosticCode::BadName, entry.key.span, message).label("too deep"));
            object.is_incomplete = true;
            continue;
        }
        insert_entry(&mut fields, entry);
    }
    into_outputs(fields, diagnostics)
}

/// Reads a type, the path of a field and a description: `string title The title`, also after `@return`.
fn read_annotation_line(line: &Spanned<String>) -> Option<Field> {
    const BLANKS: [char; 2] = [' ', '\t'];
    let text = line.value.trim_matches(BLANKS);
    let text = text.strip_prefix("@return").unwrap_or(text).trim_matches(BLANKS);
    let (term, rest) = text.split_once(BLANKS)?;
    let rest = rest.trim_start_matches(BLANKS);
    let (path, info) = rest.split_once(BLANKS).unwrap_or((rest, ""));
    let spanned = |text: &str| Spanned::new(text.to_owned(), line.span);
    Some(Field {
        key: spanned(path),
        info: Some(spanned(info.trim())).filter(|info| !info.value.is_empty()),
        r#type: TypeSpec { term: Some(spanned(term)), ..TypeSpec::default() },
        ..Field::default()
    })
}

fn read_return_entry(key: Spanned<String>, object: &CheckedObject<'_>) -> Field {
    let attribute = |name: &str| {
        let member = object.members().find(|member| member.key.value == name)?;
        Some((member.key.clone(), Spanned::new(member.value.json(), member.value.span)))
    };
    let mut term = object.string("type");
    let mut attributes: Vec<_> = ["format", "range"].into_iter().filter_map(attribute).collect();
    let is_date = |term: &Spanned<String>| without_question_mark(&term.value).eq_ignore_ascii_case("date");
    let is_timestamp = |(key, value): &(Spanned<String>, Spanned<Json>)| {
        let text = value.value.as_str().unwrap_or_default();
        key.value == "format" && text.eq_ignore_ascii_case("timestamp")
    };
    if term.as_ref().is_some_and(is_date) && attributes.iter().any(is_timestamp) {
        attributes.retain(|attribute| !is_timestamp(attribute));
        term = term.map(|term| term.map(|term| term.replace(without_question_mark(&term), "int")));
    }
    Field {
        key,
        info: object.string("desc").filter(|text| !text.value.trim().is_empty()),
        r#type: TypeSpec { term, attributes, ..TypeSpec::default() },
        example: object.json("example"),
        is_incomplete: object.is_incomplete,
        ..Field::default()
    }
}

/// Inserts an entry at its path. For example, the path `list[].id` is the field `id` of the items of `list`.
fn insert_entry(fields: &mut OutputFields, entry: Field) {
    let path = entry.key.clone();
    let new = |name: &str| OutputField { name: Spanned::new(name.to_owned(), path.span), ..OutputField::default() };
    let mut fields = fields;
    let mut steps = path.value.split('.').peekable();
    while let Some(step) = steps.next() {
        let name = step.trim_end_matches("[]");
        let mut field = fields.entry(name.to_owned()).or_insert_with(|| new(name));
        for _ in 0..(step.len() - name.len()) / 2 {
            field = field.items.get_or_insert_with(|| Box::new(new(name)));
        }
        if steps.peek().is_none() {
            field.name.span = path.span;
            field.entry = Some(entry);
            return;
        }
        fields = &mut field.fields;
    }
}

fn into_outputs(fields: OutputFields, diagnostics: &mut Vec<Diagnostic>) -> Vec<Field> {
    fields.into_values().map(|field| field.into_output(diagnostics)).collect()
}

impl OutputField {
    fn into_output(self, diagnostics: &mut Vec<Diagnostic>) -> Field {
        let key = self.name.clone();
        let entry = self.entry.clone().unwrap_or_default();
        // If the name is blank, `compile` reports the name. Without this exception, it would also report a missing
        // description.
        let is_blank = key.value.trim().is_empty();
        Field {
            info: entry.info.or_else(|| (!is_blank).then(|| key.clone())),
            r#type: self.into_type(diagnostics),
            is_incomplete: entry.is_incomplete || is_blank,
            key,
            ..entry
        }
    }

    /// Returns the type in the field's entry, combined with the array or object that its nested fields imply.
    fn into_type(self, diagnostics: &mut Vec<Diagnostic>) -> TypeSpec {
        let Self { name, entry, items, fields } = self;
        let TypeSpec { term, attributes, .. } = entry.map(|entry| entry.r#type).unwrap_or_default();
        let type_name = term.as_ref().map(|term| without_question_mark(&term.value));
        let type_name = type_name.map(|name| tree_name_of_alias(RETURN_TYPE_ALIASES, name).unwrap_or(name));
        // An annotation of PhalApi cannot list the values of an `enum`.
        let has_range = attributes.iter().any(|(key, _)| key.value == "range");
        let type_name = type_name.map(|name| if name == "enum" && !has_range { "string" } else { name });
        let span = term.as_ref().map_or(name.span, |term| term.span);
        let mark = if term.as_ref().is_some_and(|term| term.value.starts_with('?')) { "?" } else { "" };
        if items.is_none() && fields.is_empty() {
            let term = type_name.map(|type_name| Spanned::new(format!("{mark}{type_name}"), span));
            return TypeSpec { term, attributes, ..TypeSpec::default() };
        }
        let expected = if items.is_some() { "array" } else { "object" };
        if items.is_some() && !fields.is_empty() {
            let message = format!("`{}` has both items and fields", name.value);
            let error = Diagnostic::new(DiagnosticCode::BadOption, span, message).label("either an array or an object");
            diagnostics.push(error.help("write the fields of the items after `[]`: `list[].id`"));
        } else if let Some(other) = type_name.filter(|type_name| *type_name != expected) {
            let message = format!("`{}` has the type `{other}`, but there are fields below it", name.value);
            let error =
                Diagnostic::new(DiagnosticCode::BadOption, span, message).label(format!("expected `{expected}`"));
            diagnostics.push(
                error.help("the fields of an object are written `info.id`, those of the items of an array `list[].id`"),
            );
        }
        let Some(items) = items else {
            let term = Spanned::new(format!("{mark}object"), span);
            let fields = Some(Spanned::new(into_outputs(fields, diagnostics), span));
            return TypeSpec { term: Some(term), attributes, fields, ..TypeSpec::default() };
        };
        let mut array = array_type_with_item_attributes(items.into_type(diagnostics), attributes);
        array.term = array.term.map(|item| Spanned::new(format!("{mark}array<{}>", item.value), span));
        array
    }
}

/// Returns the type of an array's items with the attributes of the array, and those of the items as the attribute
/// `items`. The term of the result is the term of the items; the caller must convert it to the term of the array.
fn array_type_with_item_attributes(item: TypeSpec, mut attributes: Vec<Attribute>) -> TypeSpec {
    // The keys of a returned field contain no types.
    let TypeSpec { term, attributes: item_attributes, parts: deeper, nested, fields } = item;
    let term = term.unwrap_or_else(|| Spanned::new("any".to_owned(), Span::default()));
    let with_path = |(key, value): &Attribute| (key.clone().map(|key| format!("items.{key}")), value.clone());
    let parts = item_attributes.iter().chain(&deeper).map(with_path).collect();
    if let Some((key, _)) = item_attributes.first() {
        let span = key.span;
        let object: Map<_, _> = item_attributes.into_iter().map(|(key, value)| (key.value, value.value)).collect();
        attributes.push((Spanned::new("items".to_owned(), span), Spanned::new(Json::Object(object), span)));
    }
    TypeSpec { term: Some(term), attributes, parts, nested, fields }
}

fn without_question_mark(term: &str) -> &str {
    term.strip_prefix('?').unwrap_or(term)
}
