//! A method in markdown.

use serde_json::{Map, Value as Json};

use super::super::{example, when};
use super::Page;
use super::text::{code, text};
use crate::model::{From, Method, Output, Parameter, Permission, Piece};

/// Writes all that a client wants to know of a method.
pub(super) fn write(own: &Method, page: &mut Page) {
    page.line(&format!("## {}", own.http.as_str()));
    page.line(&text(&own.info));
    let mut facts = vec![
        format!("Id: {}", code(&own.id)),
        format!("Permission: {}", scope(own)),
        format!("Status: {}", own.options.status),
    ];
    if own.options.deprecated {
        facts.push("Deprecated".to_owned());
    }
    if own.options.download {
        facts.push("Answers with a file".to_owned());
    }
    page.list(facts);
    if !own.parameters.is_empty() {
        page.line("### Parameters");
        let head = ["Name", "In", "Type", "Required", "Default", "Description"];
        page.table(head, own.parameters.iter().map(parameter).collect());
        page.tree(own.parameters.iter().flat_map(members_of).collect());
    }
    if !own.outputs.is_empty() {
        page.line("### Outputs");
        page.tree(own.outputs.iter().flat_map(output).collect());
    }
    if !own.errors.is_empty() {
        page.line("### Errors");
        let row = |name: &str, status: u16, info: &str| [code(name), status.to_string(), text(info)];
        let rows = own.errors.iter().map(|error| row(&error.name, error.status.get(), &error.info));
        page.table(["Error", "Status", "When"], rows.collect());
    }
}

/// Who may call a method, in words.
pub(super) fn scope(own: &Method) -> String {
    if own.scope.is_public() {
        return "open to everybody".to_owned();
    }
    let words = |permission: &Permission| self::permission(permission, &own.parameters);
    let group = |group: &Vec<Permission>| group.iter().map(words).collect::<Vec<_>>().join(" and ");
    let groups = own.scope.groups.iter().map(group).collect::<Vec<_>>().join(", or ");
    let when = when::words(own, code).map(|when| format!("; for you {when}"));
    format!("for {groups}{}", when.unwrap_or_default())
}

/// A permission, and of which parameters it holds the values, by their names for clients.
fn permission(own: &Permission, parameters: &[Parameter]) -> String {
    let variables = own.pieces.iter().filter_map(|piece| match piece {
        Piece::Variable(name) => {
            let parameter = parameters.iter().find(|parameter| parameter.name == *name);
            Some(code(parameter.map_or(name, shown)))
        }
        Piece::Literal(_) => None,
    });
    let variables: Vec<String> = variables.collect();
    let values = if variables.is_empty() { "" } else { " with the value of " };
    format!("{}{values}{}", code(&own.text), variables.join(" and "))
}

/// A parameter as a row of the table.
fn parameter(own: &Parameter) -> [String; 6] {
    let check = &own.r#type.check;
    [
        code(shown(own)),
        match own.from {
            From::Path => "path".to_owned(),
            From::Position(n) => format!("path, segment {} behind the URI", n + 1),
            From::Query => "query".to_owned(),
            From::Body => "body".to_owned(),
            From::Any => "query or body".to_owned(),
            From::Header => "header".to_owned(),
            From::Cookie => "cookie".to_owned(),
        },
        format!("{}: {}", r#type(&own.r#type.written.term, &own.r#type.written.attributes), text(&check.expected())),
        if own.optional || own.default.is_some() { "no" } else { "yes" }.to_owned(),
        own.default.as_ref().map(value).unwrap_or_default(),
        described(&own.info, shown_by(own).as_ref()),
    ]
}

/// A value that shows a parameter, where its default does not.
fn shown_by(own: &Parameter) -> Option<Json> {
    if own.default.is_some() { own.example.clone() } else { example::of_parameter(own) }
}

/// A parameter's name for clients; positions have none but the one in code.
fn shown(own: &Parameter) -> &str {
    if own.key.is_empty() { &own.name } else { &own.key }
}

/// The members of a parameter that is an object, under its name.
fn members_of(own: &Parameter) -> Vec<(usize, String)> {
    let mut items = Vec::new();
    let value = example::of_parameter(own);
    members(1, &own.r#type.written.attributes, value.as_ref(), &mut items);
    if !items.is_empty() {
        items.insert(0, (0, format!("{}:", code(shown(own)))));
    }
    items
}

/// An output and its members, each with its depth.
fn output(own: &Output) -> Vec<(usize, String)> {
    let written = &own.r#type.written;
    let name = if own.name == "*" { "the whole answer".to_owned() } else { code(&own.name) };
    let shown = example::of_output(own);
    // What has members is shown by them.
    let whole = shown.as_ref().filter(|_| own.example.is_some() || !written.attributes.contains_key("fields"));
    let item = item(&name, &r#type(&written.term, &written.attributes), own.optional, &own.info, whole);
    let mut items = vec![(0, item)];
    members(1, &written.attributes, shown.as_ref(), &mut items);
    items
}

/// Adds the members of an object, and theirs, as the definition writes them. `shown` is a value that shows the object.
fn members(depth: usize, attributes: &Map<String, Json>, shown: Option<&Json>, items: &mut Vec<(usize, String)>) {
    let Some(Json::Object(fields)) = attributes.get("fields") else { return };
    for (name, field) in fields {
        let Json::Object(field) = field else { continue };
        let said = |key: &str| field.get(key).and_then(Json::as_str).unwrap_or_default();
        let written = said("type");
        let (term, optional) = written.strip_prefix('?').map_or((written, false), |term| (term, true));
        let attributes: Map<_, _> = field
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "info" | "type" | "example"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let own = field.get("example").or_else(|| example::of_member(shown?, name));
        let whole = own.filter(|_| field.contains_key("example") || !attributes.contains_key("fields"));
        let item = item(&code(name), &r#type(term, &attributes), optional, said("info"), whole);
        items.push((depth, item));
        members(depth + 1, &attributes, own, items);
    }
}

fn item(name: &str, r#type: &str, optional: bool, info: &str, example: Option<&Json>) -> String {
    let optional = if optional { ", may be missing" } else { "" };
    format!("{name} ({type}{optional}): {}", described(info, example))
}

/// A type: its term, and what stands beside it.
fn r#type(term: &str, attributes: &Map<String, Json>) -> String {
    let beside = attributes.iter().filter(|(name, _)| *name != "fields");
    beside.fold(code(term), |words, (name, attribute)| {
        let attribute = attribute.as_str().map_or_else(|| value(attribute), code);
        format!("{words}, {name} {attribute}")
    })
}

fn described(info: &str, example: Option<&Json>) -> String {
    let example = example.map(|example| format!(" (example: {})", value(example)));
    format!("{}{}", text(info), example.unwrap_or_default())
}

/// A value, in JSON.
fn value(json: &Json) -> String {
    code(&json.to_string())
}
