//! Describes a method of the API in Markdown.

use serde_json::Value as Json;

use super::super::bracket_name::bracket_name;
use super::super::idempotency::describe_idempotency;
use super::super::list_format::describe_list_format;
use super::super::pages::markdown as pages;
use super::super::rate_limits::describe_rate_limits;
use super::super::{conditions, example};
use super::MarkdownWriter;
use super::escape::{code_span, escape_text};
use crate::model::{Api, Idempotency, Method, Module, Parameter};

/// Writes all information that a client needs to call a method.
pub(super) fn write_method(api: &Api, module: &Module, method: &Method, page: &mut MarkdownWriter) {
    page.write_line(&format!("## {}", method.http.as_str()));
    page.write_line(&escape_text(&method.info));
    let mut facts = vec![
        format!("Id: {}", code_span(&method.id)),
        format!("Access: {}", describe_scope(method)),
        format!("Status: {}", method.options.status),
    ];
    facts.extend(
        describe_rate_limits(api, module, method).iter().map(|text| format!("Rate limit: {}", escape_text(text))),
    );
    facts.extend(
        describe_idempotency(api, method).map(|text| format!("{}: {}", Idempotency::HEADER, escape_text(&text))),
    );
    if method.options.deprecated {
        facts.push("Deprecated".to_owned());
    }
    if method.options.download {
        facts.push("Responds with a file".to_owned());
    }
    page.write_list(facts);
    if !method.parameters.is_empty() {
        page.write_line("### Parameters");
        let head = ["Name", "In", "Type", "Required", "Default", "Description"];
        page.write_table(head, method.parameters.iter().map(|parameter| parameter_row(method, parameter)).collect());
        page.write_nested_list(
            method.parameters.iter().flat_map(|parameter| pages::member_lines(method, parameter)).collect(),
        );
    }
    let constraints = method.constraints_in_words();
    if !constraints.is_empty() {
        page.write_line("Between the parameters:");
        page.write_list(constraints.iter().map(|text| escape_text(text)));
    }
    if !method.outputs.is_empty() {
        page.write_line("### Outputs");
        page.write_nested_list(method.outputs.iter().flat_map(pages::output_lines).collect());
    }
    let row = |name: &str, status: u16, info: &str| [code_span(name), status.to_string(), escape_text(info)];
    let errors = method.errors_of_call(&api.auth_errors);
    let rows: Vec<_> = errors.map(|error| row(&error.name, error.status.get(), &error.info)).collect();
    if !rows.is_empty() {
        page.write_line("### Errors");
        page.write_table(["Error", "Status", "When"], rows);
    }
}

/// Describes the permissions that a method requires. In a document for one caller, also describes the parameter values
/// with which the caller can call the method.
pub(super) fn describe_scope(method: &Method) -> String {
    let conditions =
        conditions::describe_call_condition(method, code_span).map(|when| format!("; you may call it {when}"));
    format!("{}{}", pages::describe_permission_groups(method), conditions.unwrap_or_default())
}

/// Returns the row that describes a parameter in the table of parameters.
fn parameter_row(method: &Method, parameter: &Parameter) -> [String; 6] {
    let example =
        example_beside_default(method, parameter).map(|example| format!(" (example: {})", json_code(&example)));
    let name = code_span(if parameter.key.is_empty() { &parameter.name } else { &parameter.key });
    let brackets = bracket_name(parameter).map(|name| format!(" or {}", code_span(&name)));
    let expected = parameter.r#type.check.expected();
    let constraints = pages::describe_constraints(parameter);
    let list_format = describe_list_format(parameter).map(|format| format!("; {format}"));
    [
        format!("{name}{}", brackets.unwrap_or_default()),
        pages::describe_location(parameter),
        format!(
            "{}: {}",
            pages::describe_type(parameter),
            escape_text(&format!("{expected}{constraints}{}", list_format.unwrap_or_default()))
        ),
        if parameter.optional || parameter.default.is_some() { "no" } else { "yes" }.to_owned(),
        parameter.default.as_ref().map(json_code).unwrap_or_default(),
        format!("{}{}", escape_text(&parameter.info), example.unwrap_or_default()),
    ]
}

/// Returns an example of a parameter. If the parameter has a default, its example is returned only if the definition
/// contains one.
fn example_beside_default(method: &Method, parameter: &Parameter) -> Option<Json> {
    if parameter.default.is_some() { parameter.example.clone() } else { example::parameter_example(method, parameter) }
}

/// Formats a value as JSON in a code span.
fn json_code(json: &Json) -> String {
    code_span(&json.to_string())
}
