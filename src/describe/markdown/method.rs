//! A method in markdown.

use serde_json::Value as Json;

use super::super::pages::markdown as facts;
use super::super::{example, when};
use super::Page;
use super::text::{code, text};
use crate::model::{Method, Parameter};

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
        page.tree(own.parameters.iter().flat_map(facts::members).collect());
    }
    if !own.outputs.is_empty() {
        page.line("### Outputs");
        page.tree(own.outputs.iter().flat_map(facts::output).collect());
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
    let when = when::words(own, code).map(|when| format!("; for you {when}"));
    format!("{}{}", facts::groups(own), when.unwrap_or_default())
}

/// A parameter as a row of the table.
fn parameter(own: &Parameter) -> [String; 6] {
    let example = shown_by(own).map(|example| format!(" (example: {})", value(&example)));
    [
        code(if own.key.is_empty() { &own.name } else { &own.key }),
        facts::stands(own),
        format!("{}: {}", facts::r#type(own), text(&own.r#type.check.expected())),
        if own.optional || own.default.is_some() { "no" } else { "yes" }.to_owned(),
        own.default.as_ref().map(value).unwrap_or_default(),
        format!("{}{}", text(&own.info), example.unwrap_or_default()),
    ]
}

/// A value that shows a parameter, where its default does not.
fn shown_by(own: &Parameter) -> Option<Json> {
    if own.default.is_some() { own.example.clone() } else { example::of_parameter(own) }
}

/// A value, in JSON.
fn value(json: &Json) -> String {
    code(&json.to_string())
}
