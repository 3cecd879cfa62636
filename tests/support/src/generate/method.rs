//! Generates random methods with their parameters, outputs, errors, scopes and options.

use rulebook_model::model::{WHOLE_BODY_KEY, default_parameter_name};
use serde_json::{Map, Value as Json, json};

use super::{Choices, TypeCase, type_case};

/// What the parameters of a random method can be.
#[derive(Clone, Copy)]
pub struct ParameterKinds<'a> {
    /// The captures of the path, each of which is a parameter.
    pub captures: &'a [String],
    /// `true` if parameters can be positions.
    pub positions: bool,
    /// `true` if a parameter can be the whole body.
    pub whole_body: bool,
}

/// Adds random methods to the object of a URI. `number` counts the methods of the definition.
pub fn add_methods(uri: &mut Map<String, Json>, kinds: ParameterKinds<'_>, number: &mut usize, choices: &mut Choices) {
    for http in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
        if choices.once_in(4) {
            *number += 1;
            uri.insert(http.to_owned(), random_method(http, kinds, *number, choices));
        }
    }
}

/// Returns a random method. `number` distinguishes it from other methods.
pub fn random_method(http: &str, kinds: ParameterKinds<'_>, number: usize, choices: &mut Choices) -> Json {
    let mut method = Map::new();
    method.insert("info".to_owned(), json!(format!("What method {number} \"does\"")));
    if choices.once_in(5) {
        method.insert("id".to_owned(), json!(format!("own.{number}")));
    }
    let has_body = !matches!(http, "GET" | "DELETE");
    let (parameters, variables) = random_parameters(has_body, kinds, choices);
    if choices.once_in(3) {
        method.insert("scope".to_owned(), random_scope(&variables, choices));
    }
    if let Some(constraints) = random_constraints(&parameters, choices) {
        method.insert("constraints".to_owned(), constraints);
    }
    if !parameters.is_empty() || choices.once_in(4) {
        method.insert("in".to_owned(), Json::Object(parameters));
    }
    if choices.once_in(2) {
        method.insert("out".to_owned(), random_outputs(choices));
    }
    if choices.once_in(4) {
        let status = choices.of(&[&404, &409, &503]);
        method.insert(
            "errors".to_owned(),
            json!({ "no_such": { "status": status, "info": "It does not exist" }, "other": { "info": "It failed", "number": 12 } }),
        );
    }
    if choices.once_in(4) {
        let jsonp = http == "GET" && !method.contains_key("scope");
        // A method that returns a file (option `download`) has no outputs.
        let download = !method.contains_key("out") && choices.once_in(2);
        let mut options = json!({ "status": 200 + choices.below(4), "deprecated": choices.once_in(2), "download": download, "jsonp": jsonp && !download });
        if choices.once_in(4) {
            options["deprecated"] = json!("2026-12-01");
            options["sunset"] = json!("2999-01-01T12:00:00Z");
        }
        if choices.once_in(4) {
            options["cost"] = json!(2);
            options["rate_limit"] = json!([
                { "requests": 1_000_000, "per": "minute", "by": "caller" },
                { "requests": 10_000, "per": "second", "by": "address" },
            ]);
        }
        if http != "GET" && !download && choices.once_in(3) {
            options["idempotent"] = choices.of(&[&json!("optional"), &json!("required")]).clone();
        }
        method.insert("options".to_owned(), options);
    }
    Json::Object(method)
}

/// Returns random parameters. Also returns the names in code of the parameters that permissions can refer to.
fn random_parameters(
    has_body: bool,
    ParameterKinds { captures, positions, whole_body }: ParameterKinds<'_>,
    choices: &mut Choices,
) -> (Map<String, Json>, Vec<String>) {
    let mut parameters = Map::new();
    let mut variables = Vec::new();
    let mut add = |key: String, optional: bool, files: bool, choices: &mut Choices| {
        let count = parameters.len();
        let (parameter, name) = random_parameter(&key, count, optional, files, choices);
        let known_early = ["{", "URL#", "HEADER@"].iter().any(|prefix| key.starts_with(prefix));
        variables.extend(known_early.then_some(name));
        parameters.insert(key, parameter);
    };
    for capture in captures {
        add(format!("{{{capture}}}"), false, false, choices);
    }
    for position in 0..if positions { choices.below(4) } else { 0 } {
        add(format!("URL#{position}"), true, false, choices);
    }
    let has_whole_body = has_body && whole_body && choices.once_in(4);
    if has_whole_body {
        add(WHOLE_BODY_KEY.to_owned(), true, false, choices);
    }
    for number in 0..choices.below(5) {
        let key = match choices.below(7) {
            // The other parameters of a method with the whole body are not in the body.
            0 | 4..=6 if has_whole_body => format!("GET@q{number}"),
            0 => format!("bare{number}"),
            1 => format!("GET@q{number}"),
            2 => format!("HEADER@X-Head{number}"),
            3 => format!("COOKIE@crumb{number}"),
            4 => format!("ANY@any{number}"),
            5 => format!("_@odd#{number}"),
            _ => format!("x-odd{number}"),
        };
        let is_bare = ["GET@", "HEADER@", "COOKIE@", "ANY@"].iter().all(|prefix| !key.starts_with(prefix));
        add(key, true, is_bare && has_body, choices);
    }
    (parameters, variables)
}

/// Returns a random parameter and its name in code.
fn random_parameter(key: &str, number: usize, optional: bool, files: bool, choices: &mut Choices) -> (Json, String) {
    let TypeCase { term, attributes, value, text } = type_case(2, files, choices);
    let mark = if optional && choices.once_in(3) { "?" } else { "" };
    let mut parameter = Map::new();
    parameter.insert("info".to_owned(), json!(format!("Parameter {number}")));
    parameter.insert("type".to_owned(), json!(format!("{mark}{term}")));
    parameter.extend(attributes);
    if !term.to_ascii_lowercase().contains("file") && choices.once_in(8) {
        parameter.insert("after".to_owned(), choices.of(&[&json!(["trim"]), &json!("rtrim|exclaim")]).clone());
    }
    if mark == "?" && choices.once_in(4) {
        parameter.insert("nullable".to_owned(), json!(false));
    }
    let name = if choices.once_in(2) {
        let name = format!("name{number}");
        parameter.insert("name".to_owned(), json!(name));
        name
    } else {
        default_parameter_name(key).to_owned()
    };
    if let Some(value) = value.filter(|_| choices.once_in(4)) {
        parameter.insert("example".to_owned(), value.clone());
        if optional && choices.once_in(2) {
            parameter.insert("default".to_owned(), value);
        }
    } else if let Some(text) = text.filter(|_| optional && choices.once_in(4)) {
        parameter.insert("default".to_owned(), json!(text));
    }
    if choices.once_in(6) {
        parameter.insert("message".to_owned(), json!("Not like that"));
    }
    (Json::Object(parameter), name)
}

/// Returns a random constraint between two optional parameters without defaults; `None` if there are no two.
fn random_constraints(parameters: &Map<String, Json>, choices: &mut Choices) -> Option<Json> {
    let is_optional = |(key, parameter): &(&String, &Json)| {
        let r#type = parameter["type"].as_str().unwrap_or_default();
        r#type.starts_with('?') && parameter.get("default").is_none() && !key.starts_with("URL#")
    };
    let names = parameters.iter().filter(is_optional).map(|(key, parameter)| match parameter["name"].as_str() {
        Some(name) => name.to_owned(),
        None => default_parameter_name(key).to_owned(),
    });
    let names: Vec<String> = names.collect();
    let [one, other, ..] = names.as_slice() else { return None };
    let constraint = match choices.below(5) {
        4 => json!({ "exactly_one": [one, other] }),
        0 => json!({ "requires": { (one.as_str()): [other] } }),
        1 => json!({ "together": [one, other], "message": "Both or none" }),
        2 => json!({ "at_most_one": [other, one] }),
        _ => json!({ "at_least_one": [one, other] }),
    };
    Some(json!([constraint]))
}

fn random_outputs(choices: &mut Choices) -> Json {
    let names: &[&str] = if choices.once_in(4) { &["*"] } else { &["article", "no", "x-z"] };
    let outputs: Map<_, _> = names
        .iter()
        .map(|name| {
            let TypeCase { term, attributes, value, .. } = type_case(2, false, choices);
            let mark = if choices.once_in(4) { "?" } else { "" };
            let mut output = Map::new();
            output.insert("info".to_owned(), json!(format!("Output {name}")));
            output.insert("type".to_owned(), json!(format!("{mark}{term}")));
            output.extend(attributes);
            if let Some(value) = value.filter(|_| choices.once_in(4)) {
                output.insert("example".to_owned(), value);
            }
            ((*name).to_owned(), Json::Object(output))
        })
        .collect();
    Json::Object(outputs)
}

/// Returns a random scope: groups of permissions. Permissions may contain names from `variables`.
fn random_scope(variables: &[String], choices: &mut Choices) -> Json {
    let mut groups = vec![json!(["reader"])];
    if choices.once_in(2) {
        groups.push(json!(["author", "editor of all"]));
    }
    if let Some(variable) = variables.get(choices.below(4)) {
        groups.push(json!([format!("user[{variable}]"), format!("[{variable}].at[{variable}]")]));
    }
    match choices.below(4) {
        0 => json!([]),
        1 => json!([[]]),
        _ => Json::Array(groups),
    }
}
