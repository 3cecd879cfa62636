//! Example calls in Python 3: with the standard library, and with `requests` if there are files to send.

use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};

/// Returns the statements that send the request.
pub(super) fn write(request: &SampleRequest) -> String {
    match &request.body {
        SampleBody::Empty => urllib_call(request, None),
        SampleBody::Json(json) => urllib_call(request, Some(json)),
        SampleBody::Parts(parts) => requests_call(request, parts),
    }
}

/// Formats a call with `urllib` of the standard library, which does not support multipart forms.
fn urllib_call(request: &SampleRequest, json: Option<&Json>) -> String {
    let mut text = String::new();
    let mut headers = request.headers.clone();
    if json.is_some() {
        text.push_str("import json\n");
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    text.push_str("import urllib.request\n\nrequest = urllib.request.Request(\n");
    text.push_str(&format!("    {},\n    method={},\n", quoted(&request.url), quoted(request.http.as_str())));
    text.push_str(&headers_argument(&headers));
    if let Some(json) = json {
        text.push_str(&format!("    data=json.dumps({}).encode(),\n", literal(json, 4)));
    }
    text.push_str(")\nwith urllib.request.urlopen(request) as response:\n");
    text.push_str(match request.download {
        true => "    print(response.status, len(response.read()), \"bytes\")",
        false => "    print(response.status, response.read().decode())",
    });
    text
}

fn requests_call(request: &SampleRequest, parts: &[(String, FormPart)]) -> String {
    let mut text = "import requests  # python3 -m pip install requests\n\nresponse = requests.request(\n".to_owned();
    text.push_str(&format!("    {},\n    {},\n", quoted(request.http.as_str()), quoted(&request.url)));
    text.push_str(&headers_argument(&request.headers));
    text.push_str("    files=[\n");
    for (name, part) in parts {
        let name = quoted(name);
        text.push_str(&match part {
            FormPart::Text(value) => format!("        ({name}, (None, {})),\n", quoted(value)),
            FormPart::File(file) => format!("        ({name}, open({}, \"rb\")),\n", quoted(file)),
        });
    }
    text.push_str("    ],\n)\nprint(response.status_code, response.text)");
    text
}

/// Formats the header fields as a keyword argument, or as an empty text if there are no fields.
fn headers_argument(headers: &[(String, String)]) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let fields = headers.iter().map(|(name, value)| format!("        {}: {},\n", quoted(name), quoted(value)));
    format!("    headers={{\n{}    }},\n", fields.collect::<String>())
}

/// Formats a string literal. A JSON string is also a Python string, because no surrogates are escaped in it.
fn quoted(text: &str) -> String {
    // JSON escapes null characters, which are not allowed in Python source code.
    Json::from(text).to_string()
}

/// Formats a value as a Python literal, with one member or item per line.
fn literal(json: &Json, indent: usize) -> String {
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
        Json::String(text) => quoted(text),
        Json::Array(items) => list('[', items.iter().map(|item| literal(item, inner)).collect(), ']'),
        Json::Object(members) => {
            let member = |(name, member): (&String, &Json)| format!("{}: {}", quoted(name), literal(member, inner));
            list('{', members.iter().map(member).collect(), '}')
        }
    }
}
