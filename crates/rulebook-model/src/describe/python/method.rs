//! The function of a method: its signature, its description and the call.

use std::borrow::Cow;
use std::collections::HashSet;

use serde_json::Value as Json;

use super::names::{docstring, string_literal, to_class_name, to_name, words_of_type};
use super::types::TypeWriter;
use crate::call::{HttpMethod, Value};
use crate::describe::in_words::{describe_deprecation, reads_key_as_parameter};
use crate::describe::list_format::{ListFormat, type_attributes};
use crate::describe::outputs;
use crate::describe::typescript::argument_names;
use crate::distinct_names::{PlaceName, candidates, distinct_names};
use crate::envelope::{self, OutputsLocation, has_content};
use crate::model::{Api, Idempotency, Location, Method, Module, Parameter, Segment, Service, Unbound};
use crate::types::Check;
use crate::uri::percent_encode;

/// The variable that contains the result. No parameter has this name, because their names begin with a letter.
const RESULT: &str = "_result";

/// The maximum number of characters in a line with the parameters of a call.
const MAX_WIDTH: usize = 110;

/// The function of a method, without its name.
pub(super) struct Function {
    /// The parameters in the signature, each with its type and its default.
    parameters: Vec<(String, String, bool)>,
    result: String,
    docstring: String,
    /// The arguments of the call, one on each line.
    call: String,
}

impl Function {
    pub(super) fn new(
        api: &Api,
        module: &Module,
        service: &Service,
        method: &Method,
        types: &mut TypeWriter<'_>,
    ) -> Self {
        let hint = to_class_name(&method.id);
        let arguments = argument_names(&method.parameters);
        let types_of_parameters = method.parameters.iter().zip(&arguments).map(|(parameter, name)| {
            let hint = PlaceName::new(hint.clone(), format!("{}\nin", method.id));
            types.type_of(&parameter.r#type.check.schema(), &hint.part(&to_class_name(&to_name(name)), name))
        });
        let types_of_parameters: Vec<String> = types_of_parameters.collect();
        let hint = PlaceName::new(hint + "Result", format!("{}\nout", method.id));
        let result = result_type(api, module, method, &hint, types);
        let key = method.options.idempotent.filter(|_| !reads_key_as_parameter(method));
        // In the function, a parameter hides a type of the same name, which the variable with the result needs.
        let words = words_of_type(&result);
        let names = arguments.iter().map(|argument| {
            let name = to_name(argument);
            let end = if name == "self" || words.contains(&name) { "_" } else { "" };
            candidates(vec![name + end], "_", argument)
        });
        let key_argument = key.map(|_| candidates(vec!["idempotency_key".to_owned()], "_", Idempotency::HEADER));
        let names = distinct_names(names.chain(key_argument), str::to_owned);
        let parameters = method.parameters.iter().zip(&names).zip(types_of_parameters);
        let parameters = parameters.map(|((parameter, name), r#type)| (name.clone(), r#type, parameter.optional));
        let mut parameters: Vec<_> = parameters.collect();
        let key = key.zip(names.get(method.parameters.len())).map(|(idempotency, name)| {
            parameters.push((name.clone(), "str".to_owned(), true));
            match idempotency {
                Idempotency::Optional => name.clone(),
                Idempotency::Required => format!("{name} or _new_key()"),
            }
        });
        let (docstring, call) = (describe(api, method, &names), call(api, module, service, method, (&names, key)));
        Self { parameters, result, docstring, call }
    }

    pub(super) fn words_of_types(&self) -> Vec<String> {
        let types = self.parameters.iter().map(|(_, r#type, _)| r#type).chain([&self.result]);
        types.flat_map(|r#type| words_of_type(r#type)).collect()
    }

    /// Returns the definition of the function. The class has functions with the names `hidden`.
    pub(super) fn text(&self, name: &str, hidden: &HashSet<String>) -> String {
        let visible = |r#type: &str| qualify_hidden(r#type, hidden);
        // Required parameters have no defaults. As all of them are passed by name, they can follow others.
        let parameters = self.parameters.iter().map(|(name, r#type, is_optional)| {
            let is_nullable = r#type == "Any" || r#type.ends_with(" | None") || r#type == "None";
            let null = if *is_optional && !is_nullable { " | None" } else { "" };
            let default = if *is_optional { " = None" } else { "" };
            format!("        {name}: {}{null}{default},\n", visible(r#type))
        });
        let parameters: String = parameters.collect();
        let star = if parameters.is_empty() { "" } else { "        *,\n" };
        let signature =
            format!("\n    def {name}(\n        self,\n{star}{parameters}    ) -> {}:\n", visible(&self.result));
        let signature = if parameters.is_empty() {
            format!("\n    def {name}(self) -> {}:\n", visible(&self.result))
        } else {
            signature
        };
        let call = format!("self._api.call(\n{}        )\n", self.call);
        let statement = match self.result.as_str() {
            "None" => format!("        {call}"),
            result => format!("        {RESULT}: {} = {call}        return {RESULT}\n", visible(result)),
        };
        format!("{signature}{}{statement}", self.docstring)
    }
}

/// Returns a type in which `builtins.` is before the names of built-in types that a class hides.
fn qualify_hidden(r#type: &str, hidden: &HashSet<String>) -> String {
    let (mut text, mut word, mut quoted, mut escaped) = (String::new(), String::new(), false, false);
    let push_word = |word: &mut String, text: &mut String| {
        if hidden.contains(word.as_str()) {
            text.push_str("builtins.");
        }
        text.push_str(word);
        word.clear();
    };
    for char in r#type.chars() {
        if !quoted && (char.is_alphanumeric() || char == '_') {
            word.push(char);
            continue;
        }
        push_word(&mut word, &mut text);
        if char == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && char == '\\' && !escaped;
        text.push(char);
    }
    push_word(&mut word, &mut text);
    text
}

fn result_type(api: &Api, module: &Module, method: &Method, hint: &PlaceName, types: &mut TypeWriter<'_>) -> String {
    if method.options.download {
        return "Download".to_owned();
    }
    let envelope = api.make_envelope(api.envelope_name(module));
    if !method.statuses().any(|status| has_content(envelope::response_status(&*envelope, status))) {
        return "None".to_owned();
    }
    let outputs = outputs::response_schema(api.unbound, method, outputs::described_schema);
    match envelope.decoding().outputs {
        OutputsLocation::Unknown => types.type_of(&envelope.success_schema(outputs, method.whole().is_some()), hint),
        _ if method.body_outputs().next().is_none() && api.unbound != Unbound::Echo => "None".to_owned(),
        _ => types.type_of(&outputs, hint),
    }
}

fn describe(api: &Api, method: &Method, names: &[String]) -> String {
    let mut paragraphs = vec![method.info.clone()];
    paragraphs.extend(method.options.deprecation.as_ref().map(|deprecation| {
        let details = describe_deprecation(deprecation, str::to_owned);
        format!("{}.", format!("Deprecated {details}").trim_end())
    }));
    let parameters = method.parameters.iter().zip(names).map(|(parameter, name)| {
        let info = parameter.info.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let default = parameter.default.as_ref().map(|default| format!(" (default: {default})")).unwrap_or_default();
        format!("- {name}: {info}{default}")
    });
    let parameters = parameters.collect::<Vec<_>>().join("\n");
    let constraints = method.constraints_in_words().join("\n");
    let errors: Vec<&str> = method.errors_of_call(&api.auth_errors).map(|error| error.name.as_str()).collect();
    let errors = if errors.is_empty() { String::new() } else { format!("Declared errors: {}", errors.join(", ")) };
    paragraphs.extend([parameters, constraints, errors]);
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
    docstring(&paragraphs.join("\n\n"), 8)
}

/// Returns the arguments of the call that sends the request. `key` is the expression of its idempotency key.
fn call(
    api: &Api,
    module: &Module,
    service: &Service,
    method: &Method,
    (names, key): (&[String], Option<String>),
) -> String {
    let tuples = |is_in: &dyn Fn(&Parameter) -> bool| -> Vec<String> {
        let parameters = method.parameters.iter().zip(names).filter(|(parameter, _)| is_in(parameter));
        parameters.map(|(parameter, name)| parameter_tuple(parameter, name)).collect()
    };
    let segments = service.path.iter().flat_map(|segment| match segment {
        Segment::Static(text) => vec![string_literal(&percent_encode(text).to_string())],
        Segment::Capture(key) => tuples(&|parameter| parameter.from == Location::Path && parameter.key == *key),
    });
    let segments = segments.collect::<Vec<_>>().join(", ");
    let positions = method.positions();
    let positions = positions.iter().flat_map(|position| tuples(&|parameter| std::ptr::eq(parameter, *position)));
    // A parameter of query or body is sent in the query of methods that have no body.
    let has_body = !matches!(method.http, HttpMethod::Get | HttpMethod::Delete);
    let is_in_body =
        |parameter: &Parameter| matches!(parameter.from, Location::Any | Location::Body | Location::WholeBody);
    let mut headers = tuples(&|parameter| parameter.from == Location::Header);
    headers.extend(key.map(|key| format!("({}, {key})", string_literal(Idempotency::HEADER))));
    let arguments = [
        ("positions", positions.collect()),
        ("query", tuples(&|parameter| parameter.from == Location::Query || is_in_body(parameter) && !has_body)),
        ("headers", headers),
        ("cookies", tuples(&|parameter| parameter.from == Location::Cookie)),
        ("body", tuples(&|parameter| is_in_body(parameter) && has_body)),
    ];
    let envelope = string_literal(&super::envelope_key(api, module));
    let http = method.http.as_str();
    let mut text = format!("            \"{http}\",\n            [{segments}],\n            envelope={envelope},\n");
    for (argument, tuples) in arguments.into_iter().filter(|(_, tuples)| !tuples.is_empty()) {
        let line = format!("            {argument}=[{}],\n", tuples.join(", "));
        text += &match line.chars().count() {
            ..=MAX_WIDTH => line,
            _ => {
                let tuples: String = tuples.iter().map(|tuple| format!("                {tuple},\n")).collect();
                format!("            {argument}=[\n{tuples}            ],\n")
            }
        };
    }
    // A path always has all of its captures.
    let nulls = method.parameters.iter().zip(names).filter(|(parameter, _)| {
        parameter.from != Location::Path && !parameter.optional && parameter.r#type.check.accepts_null()
    });
    let nulls = nulls.map(|(parameter, name)| {
        let location = match parameter.from {
            Location::Position(_) => "positions",
            Location::Header => "headers",
            Location::Cookie => "cookies",
            _ if is_in_body(parameter) && has_body => "body",
            _ => "query",
        };
        format!("({}, {})", string_literal(location), key_literal(parameter, name))
    });
    let nulls: Vec<String> = nulls.collect();
    if !nulls.is_empty() {
        text += &format!("            nulls=[{}],\n", nulls.join(", "));
    }
    let flags = [
        ("whole_body", method.parameters.iter().any(Parameter::is_whole_body)),
        ("whole", method.whole().is_some()),
        ("download", method.options.download),
    ];
    for (argument, is_set) in flags {
        if is_set {
            text += &format!("            {argument}=True,\n");
        }
    }
    text
}

/// Returns the tuple of a parameter in a call: its name in requests, its value and, for a list of scalars or a union,
/// how it is written outside of a JSON body.
fn parameter_tuple(parameter: &Parameter, name: &str) -> String {
    let key = key_literal(parameter, name);
    if reads_json_strings(&*parameter.r#type.check) && !parameter.is_whole_body() {
        return format!("({key}, {name}, \"union\")");
    }
    let attributes = type_attributes(&*parameter.r#type.check);
    let is_json = attributes.get("format").is_some_and(|format| format == "json");
    if is_json || parameter.is_whole_body() || !has_scalar_items(parameter) {
        return format!("({key}, {name})");
    }
    match ListFormat::from_attributes(&attributes) {
        None => format!("({key}, {name}, \"items\")"),
        Some(ListFormat { separator, trims_items }) => {
            let style = if trims_items { "list" } else { "explode" };
            format!("({key}, {name}, \"{style}\", {})", string_literal(separator))
        }
    }
}

/// Returns the name of a parameter in requests as a literal. Positions and whole bodies have none; errors and `nulls`
/// then name the argument.
fn key_literal(parameter: &Parameter, name: &str) -> String {
    string_literal(if parameter.key.is_empty() { name } else { &parameter.key })
}

/// Returns `true` if a string in JSON becomes the string that it denotes, as in a union with arrays or objects.
fn reads_json_strings(check: &dyn Check) -> bool {
    matches!(check.decode(Cow::Borrowed("\"[\"")), Value::Text(text) if text == "[")
}

/// Returns `true` if the values of a parameter are lists whose items have one type of scalars.
fn has_scalar_items(parameter: &Parameter) -> bool {
    let schema = crate::types::schema_without_outer_references(&*parameter.r#type.check);
    let kinds: Vec<&str> = match schema.get("items").and_then(|items| items.get("type")) {
        Some(Json::String(kind)) => vec![kind.as_str()],
        Some(Json::Array(kinds)) => kinds.iter().filter_map(Json::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    };
    matches!(kinds.as_slice(), ["string" | "integer" | "number" | "boolean"])
}
