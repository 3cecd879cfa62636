//! The Python client of an API: one file with the types of arguments and results, and a function for each method. The
//! Rust module `handlers` writes the types of handlers in Python.
//!
//! The file needs only the standard library. Its first part, [`RUNTIME`], is the same for every API: it sends requests
//! and decodes responses, as the JavaScript client does. This Rust module must not depend on how the server handles
//! requests.

mod functions;
mod handlers;
mod method;
mod names;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::canonical_schemas::schemas_in_types;
use crate::distinct_names::ScopeNames;
use crate::model::{Api, Method, Module, Service};
use functions::FunctionNode;
pub use handlers::python_handlers;
use method::Function;
use names::{docstring, literal, string_literal};
use types::{OF_CLIENTS, TypeWriter};

/// The part of the file that is the same for every API.
const RUNTIME: &str = include_str!("runtime.py");

/// The modules and names that the file imports.
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
    let methods: Vec<(&Module, &Service, &Method)> = api
        .modules
        .iter()
        .flat_map(|module| module.services.iter().map(move |service| (module, service)))
        .flat_map(|(module, service)| service.methods.iter().map(move |method| (module, service, method)))
        .collect();
    let arguments = methods.iter().flat_map(|(.., method)| &method.parameters).map(|parameter| &parameter.r#type);
    let results = methods.iter().flat_map(|(.., method)| &method.outputs).map(|output| &output.r#type);
    let schemas = schemas_in_types(arguments.chain(results).map(|r#type| &*r#type.check));
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
