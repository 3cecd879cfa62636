//! Example calls in Python 3. A call that sends files uses the package `requests`; any other call uses the standard
//! library.

use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::{AUTHORIZATION, NAME_PLACEHOLDER, PASSWORD_PLACEHOLDER, sample_name_and_password};

/// Returns Python statements that send the request.
pub(super) fn format_python_code(request: &SampleRequest) -> String {
    match &request.body {
        SampleBody::Empty => urllib_call(request, None),
        SampleBody::Json(json) => urllib_call(request, Some(json)),
        SampleBody::Multipart(parts) => requests_call(request, parts),
    }
}

/// Formats a call with `urllib`, a module of Python's standard library. `urllib` does not support multipart forms.
fn urllib_call(request: &SampleRequest, json: Option<&Json>) -> String {
    let mut text = String::new();
    let mut fields = Vec::new();
    if request.has_password {
        text.push_str("import base64\n");
        let text = string_literal(&sample_name_and_password());
        fields.push((AUTHORIZATION, format!("\"Basic \" + base64.b64encode({text}.encode()).decode()")));
    }
    fields.extend(request.headers.iter().map(|(name, value)| (name.as_str(), string_literal(value))));
    if json.is_some() {
        text.push_str("import json\n");
        fields.push(("Content-Type", string_literal("application/json")));
    }
    text.push_str("import urllib.request\n\nrequest = urllib.request.Request(\n");
    text.push_str(&format!(
        "    {},\n    method={},\n",
        string_literal(&request.url),
        string_literal(request.http.as_str())
    ));
    text.push_str(&headers_argument(&fields));
    if let Some(json) = json {
        text.push_str(&format!("    data=json.dumps({}).encode(),\n", python_literal(json, 4)));
    }
    text.push_str(")\nwith urllib.request.urlopen(request) as response:\n");
    text.push_str(match request.returns_file {
        true => "    print(response.status, len(response.read()), \"bytes\")",
        false => "    print(response.status, response.read().decode())",
    });
    text
}

fn requests_call(request: &SampleRequest, parts: &[(String, FormPart)]) -> String {
    let mut text = "import requests  # python3 -m pip install requests\n\nresponse = requests.request(\n".to_owned();
    text.push_str(&format!("    {},\n    {},\n", string_literal(request.http.as_str()), string_literal(&request.url)));
    if request.has_password {
        let (name, password) = (string_literal(NAME_PLACEHOLDER), string_literal(PASSWORD_PLACEHOLDER));
        text.push_str(&format!("    auth=({name}, {password}),\n"));
    }
    let fields: Vec<_> = request.headers.iter().map(|(name, value)| (name.as_str(), string_literal(value))).collect();
    text.push_str(&headers_argument(&fields));
    text.push_str("    files=[\n");
    for (name, part) in parts {
        let name = string_literal(name);
        text.push_str(&match part {
            FormPart::Text(value) => format!("        ({name}, (None, {})),\n", string_literal(value)),
            FormPart::File(file) => format!("        ({name}, open({}, \"rb\")),\n", string_literal(file)),
        });
    }
    text.push_str("    ],\n)\nprint(response.status_code, response.text)");
    text
}

/// Formats header fields, whose values are expressions, as the keyword argument `headers`. Returns an empty text if
/// there are no header fields.
fn headers_argument(fields: &[(&str, String)]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let fields = fields.iter().map(|(name, value)| format!("        {}: {value},\n", string_literal(name)));
    format!("    headers={{\n{}    }},\n", fields.collect::<String>())
}

/// Formats a Python string literal. A JSON string without escaped surrogates is also a Python string, and `serde_json`
/// does not escape surrogates.
fn string_literal(text: &str) -> String {
    // JSON escapes null characters, which Python source code must not contain.
    Json::from(text).to_string()
}

/// Formats a JSON value as a Python literal. Each member of an object and each item of an array is on a separate line.
fn python_literal(json: &Json, indent: usize) -> String {
    let inner = indent + 4;
    let list = |open: char, items: Vec<String>, close: char| {
        if items.is_empty() {
            return format!("{open}{close}");
        }
        let items: String = items.into_iter().map(|item| format!("{:inner$}{item},\n", "")).collect();
        format!("{open}\n{items}{:indent$}{close}", "")
    };
    match json {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => string_literal(text),
        Json::Array(items) => list('[', items.iter().map(|item| python_literal(item, inner)).collect(), ']'),
        Json::Object(members) => {
            let member = |(name, member): (&String, &Json)| {
                format!("{}: {}", string_literal(name), python_literal(member, inner))
            };
            list('{', members.iter().map(member).collect(), '}')
        }
    }
}
