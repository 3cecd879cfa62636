//! The Python client of an API: one file with the types of arguments and results, and a function for each method. The
//! Rust module `handlers` writes the types of handlers in Python.
//!
//! The file needs only the standard library. Its first part, [`RUNTIME`], is the same for every API: it sends requests
//! and decodes responses, as the JavaScript client does. This Rust module must not depend on how the server handles
//! requests.

mod handlers;
mod types;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

use serde_json::Value as Json;

use super::canonical::schemas_in_types;
use super::client::{FunctionNode, ReturnedValue, returned_value};
use super::in_words::{describe_deprecation, reads_key_as_parameter};
use super::parameter_format::{ListFormat, type_attributes};
use super::typescript::argument_names;
use crate::call::{HttpMethod, Value};
use crate::distinct_names::{PlaceName, ScopeNames, candidates, distinct_names, is_one_of};
use crate::model::{Api, Idempotency, Location, Method, Module, Parameter, Segment, Service};
use crate::types::{Check, kinds, schema_without_outer_references};
use crate::uri::percent_encode;
use types::{
    OF_CLIENTS, TYPE_NAMES, TypeWriter, docstring, literal, string_literal, to_class_name, to_name, tokens_of_type,
    words_of_type,
};

pub use handlers::python_handlers;

/// The part of the file that is the same for every API.
const RUNTIME: &str = include_str!("runtime.py");

const IMPORTS: &str = "\
from __future__ import annotations

import base64
import builtins
import json
import os
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, TypeAlias, TypedDict
";

/// The names at the top of every file that no type of an API can have.
const TOP_NAMES: &str = "\
    API_ENVELOPE ApiError Api Connection Decimal DeclaredError ENVELOPES Exception File Mapping NamedTuple Path \
    Sequence TypeAlias TypedDict UUID Upload ValueError annotations base64 builtins bytearray dataclass date datetime \
    json os re secrets time tuple type urllib";

/// Returns the Python client of an API, as the text of a file.
#[must_use]
pub fn python(api: &Api) -> String {
    let methods: Vec<(&Module, &Service, &Method)> = api.methods().collect();
    let arguments = methods.iter().flat_map(|(.., method)| method.argument_checks());
    let results = methods.iter().flat_map(|(.., method)| method.output_checks());
    let schemas = schemas_in_types(arguments.chain(results));
    let title = format!("{} {}", api.title, api.version);
    let about = format!(
        "The functions of the API. `url` is the URL of its server, or of its base path.\n\n{}",
        api.info.as_deref().unwrap_or_default()
    );
    let base = string_literal(api.base.trim_end_matches('/'));
    let write = |names: ScopeNames| {
        let mut types = TypeWriter::new(&schemas, names, OF_CLIENTS);
        let mut tree = FunctionNode::default();
        for (module, service, method) in &methods {
            tree.insert(&method.id, Function::new(api, module, service, method, &mut types));
        }
        let classes = tree.classes(&docstring(&about, 4), &base, &mut types);
        let (declarations, names) = types.finish();
        (declarations, classes, names)
    };
    let (.., names) = write(ScopeNames::default());
    let (declarations, classes, _) = write(names.choose());
    let header =
        docstring(&format!("The client of {title}, generated from its definition, for Python 3.11 and later."), 0);
    let mut parts = vec![RUNTIME.to_owned(), constants(api, &methods)];
    parts.extend(declarations);
    parts.extend(classes);
    let parts: Vec<&str> = parts.iter().map(|part| part.trim_end()).collect();
    format!("{header}\n{IMPORTS}\n\n{}\n", parts.join("\n\n\n"))
}

/// Returns the constants of an API: the names of its declared errors, and how its envelopes are decoded.
fn constants(api: &Api, methods: &[(&Module, &Service, &Method)]) -> String {
    let errors = methods.iter().flat_map(|(.., method)| method.errors_of_call(&api.auth_errors));
    let errors: BTreeSet<&str> = errors.map(|error| error.name.as_str()).collect();
    let errors: Vec<String> = errors.into_iter().map(string_literal).collect();
    let errors = if errors.is_empty() { "str".to_owned() } else { format!("Literal[{}]", errors.join(", ")) };
    let decoding = |name| api.make_envelope(name).decoding().to_json();
    let of_modules = api.modules.iter().map(|module| (envelope_key(api, module), decoding(api.envelope_name(module))));
    let of_api = (api.envelope.as_str().to_owned(), decoding(&api.envelope));
    let envelopes: BTreeMap<String, Json> = of_modules.chain([of_api]).collect();
    let envelopes =
        envelopes.iter().map(|(name, decoding)| format!("    {}: {},\n", string_literal(name), literal(decoding)));
    format!(
        "# The names of the errors that methods declare.\nDeclaredError: TypeAlias = {}\n\n\
         # How responses are decoded.\nENVELOPES: dict[str, dict[str, Any]] = {{\n{}}}\nAPI_ENVELOPE = {}\n",
        errors,
        envelopes.collect::<String>(),
        string_literal(api.envelope.as_str())
    )
}

fn envelope_key(api: &Api, module: &Module) -> String {
    api.envelope_name(module).as_str().to_owned()
}

// The classes of the client, one for each group of functions.

/// The member of every class through which its functions send requests.
const CONNECTION_MEMBER: &str = "_api";

impl FunctionNode<Function> {
    /// The last class is that of the whole API. `about` is its docstring, and `base` the base path of the API.
    fn classes(&self, about: &str, base: &str, types: &mut TypeWriter<'_>) -> Vec<String> {
        let mut classes = Vec::new();
        let groups = self.write_groups("", types, &mut classes);
        let mut text = format!("class Api:\n{about}\n");
        let _ = write!(
            text,
            "    def __init__(\n        self,\n        url: str,\n        *,\n        token: str | None = None,\n        \
             basic: tuple[str, str] | None = None,\n        timeout: float = 60.0,\n        \
             headers: Mapping[str, str] | None = None,\n    ) -> None:\n        \
             self.{CONNECTION_MEMBER} = Connection(url, {base}, token, basic, timeout, headers)\n{}",
            groups.attributes
        );
        text.push_str(&groups.functions);
        classes.push(text);
        classes
    }

    /// Writes the classes of the groups below this node to `classes`. Returns the members of the class of this node.
    fn write_groups(&self, path: &str, types: &mut TypeWriter<'_>, classes: &mut Vec<String>) -> Members {
        let mut members = Members::default();
        let mut functions = Vec::new();
        let functions_of_class = self.children.values().filter_map(|node| node.function.as_ref());
        let words: HashSet<String> = functions_of_class.flat_map(Function::words_of_types).collect();
        let names = self.children.keys().map(|name| {
            // In a class, a function hides a type of the same name. Only types that are built in have another name.
            let is_builtin = is_one_of(TYPE_NAMES, name) && !name.starts_with(|c: char| c.is_ascii_uppercase());
            let is_hiding = !is_builtin && words.contains(name);
            candidates(vec![to_name(name) + if is_hiding { "_" } else { "" }], "_", name)
        });
        for ((name, node), member) in self.children.iter().zip(distinct_names(names, str::to_owned)) {
            if node.children.is_empty() {
                functions.extend(node.function.as_ref().map(|function| (member, function)));
                continue;
            }
            let path = format!("{path}.{name}");
            let inner = node.write_groups(&path, types, classes);
            let class = types.name(&PlaceName::new(format!("{}Functions", to_class_name(&path)), path));
            let call = node.function.as_ref().map(|function| function.text("__call__", &inner.hidden));
            classes.push(format!(
                "class {class}:\n    def __init__(self, api: Connection) -> None:\n        self.{CONNECTION_MEMBER} = \
                 api\n{}{}{}",
                inner.attributes,
                call.unwrap_or_default(),
                inner.functions
            ));
            let _ = writeln!(members.attributes, "        self.{member} = {class}(self.{CONNECTION_MEMBER})");
        }
        members.hidden = functions.iter().map(|(name, _)| name.clone()).collect();
        for (name, function) in functions {
            members.functions.push_str(&function.text(&name, &members.hidden));
        }
        members
    }
}

#[derive(Default)]
struct Members {
    /// The statements that create the objects of inner groups.
    attributes: String,
    functions: String,
    /// The names of the functions, which hide types of the same names.
    hidden: HashSet<String>,
}

// The function of a method: its signature, its description and the call.

/// The variable that contains the result. No parameter has this name, because their names begin with a letter.
const RESULT: &str = "_result";

/// The maximum number of characters in a line with the parameters of a call.
const MAX_WIDTH: usize = 110;

/// The function of a method, without its name.
struct Function {
    /// The parameters in the signature, each with its type and its default.
    parameters: Vec<(String, String, bool)>,
    result: String,
    docstring: String,
    /// The arguments of the call, one on each line.
    call: String,
}

impl Function {
    fn new(api: &Api, module: &Module, service: &Service, method: &Method, types: &mut TypeWriter<'_>) -> Self {
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

    fn words_of_types(&self) -> Vec<String> {
        let types = self.parameters.iter().map(|(_, r#type, _)| r#type).chain([&self.result]);
        types.flat_map(|r#type| words_of_type(r#type)).collect()
    }

    /// Returns the definition of the function. The class has functions with the names `hidden`.
    fn text(&self, name: &str, hidden: &HashSet<String>) -> String {
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
    let tokens = tokens_of_type(r#type).into_iter();
    tokens.flat_map(|token| [if hidden.contains(token) { "builtins." } else { "" }, token]).collect()
}

fn result_type(api: &Api, module: &Module, method: &Method, hint: &PlaceName, types: &mut TypeWriter<'_>) -> String {
    match returned_value(api, module, method) {
        ReturnedValue::Download => "Download".to_owned(),
        ReturnedValue::Nothing => "None".to_owned(),
        ReturnedValue::Json(schema) => types.type_of(&schema, hint),
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
    let envelope = string_literal(&envelope_key(api, module));
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

/// Returns the tuple for a parameter: its name in requests, its value and, for a list of scalars or a union, how it is
/// written outside of a JSON body.
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

/// Positions and whole bodies have no name; errors and `nulls` then name the argument.
fn key_literal(parameter: &Parameter, name: &str) -> String {
    string_literal(if parameter.key.is_empty() { name } else { &parameter.key })
}

/// Returns `true` if a string in JSON becomes the string that it denotes, as in a union with arrays or objects.
fn reads_json_strings(check: &dyn Check) -> bool {
    matches!(check.decode(Cow::Borrowed("\"[\"")), Value::Text(text) if text == "[")
}

fn has_scalar_items(parameter: &Parameter) -> bool {
    let schema = schema_without_outer_references(&*parameter.r#type.check);
    let mut kinds = kinds(schema.get("items").and_then(|items| items.get("type")));
    kinds.retain(|kind| *kind != "null");
    matches!(kinds.as_slice(), ["string" | "integer" | "number" | "boolean"])
}
