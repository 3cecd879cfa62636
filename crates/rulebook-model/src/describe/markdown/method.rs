//! Describes a method in Markdown.

use serde_json::Value as Json;

use super::super::pages::markdown as pages;
use super::super::{conditions, example};
use super::MarkdownWriter;
use super::escape::{code, text};
use crate::model::{Method, Parameter};

/// Writes all that a client needs to call a method.
pub(super) fn write(method: &Method, page: &mut MarkdownWriter) {
    page.line(&format!("## {}", method.http.as_str()));
    page.line(&text(&method.info));
    let mut facts = vec![
        format!("Id: {}", code(&method.id)),
        format!("Access: {}", scope(method)),
        format!("Status: {}", method.options.status),
    ];
    if method.options.deprecated {
        facts.push("Deprecated".to_owned());
    }
    if method.options.download {
        facts.push("Responds with a file".to_owned());
    }
    page.list(facts);
    if !method.parameters.is_empty() {
        page.line("### Parameters");
        let head = ["Name", "In", "Type", "Required", "Default", "Description"];
        page.table(head, method.parameters.iter().map(parameter_row).collect());
        page.nested_list(method.parameters.iter().flat_map(pages::members).collect());
    }
    if !method.outputs.is_empty() {
        page.line("### Outputs");
        page.nested_list(method.outputs.iter().flat_map(pages::output).collect());
    }
    if !method.errors.is_empty() {
        page.line("### Errors");
        let row = |name: &str, status: u16, info: &str| [code(name), status.to_string(), text(info)];
        let rows = method.errors.iter().map(|error| row(&error.name, error.status.get(), &error.info));
        page.table(["Error", "Status", "When"], rows.collect());
    }
}

/// Describes the permissions that a method requires and, in a document for one caller, the values with which the caller
/// can call the method.
pub(super) fn scope(method: &Method) -> String {
    let conditions = conditions::describe(method, code).map(|when| format!("; you may call it {when}"));
    format!("{}{}", pages::groups(method), conditions.unwrap_or_default())
}

/// Returns a parameter as a row of the table of parameters.
fn parameter_row(parameter: &Parameter) -> [String; 6] {
    let example = example_beside_default(parameter).map(|example| format!(" (example: {})", json_code(&example)));
    [
        code(if parameter.key.is_empty() { &parameter.name } else { &parameter.key }),
        pages::location(parameter),
        format!("{}: {}", pages::r#type(parameter), text(&parameter.r#type.check.expected())),
        if parameter.optional || parameter.default.is_some() { "no" } else { "yes" }.to_owned(),
        parameter.default.as_ref().map(json_code).unwrap_or_default(),
        format!("{}{}", text(&parameter.info), example.unwrap_or_default()),
    ]
}

/// Returns an example of a parameter. If the parameter has a default, only the example in the definition is returned.
fn example_beside_default(parameter: &Parameter) -> Option<Json> {
    if parameter.default.is_some() { parameter.example.clone() } else { example::of_parameter(parameter) }
}

/// Formats a value as JSON in a code span.
fn json_code(json: &Json) -> String {
    code(&json.to_string())
}
