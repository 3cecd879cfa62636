//! Calls in Python 3: with nothing but what it brings, and with `requests` where files are sent.

use serde_json::Value as Json;

use super::sent::{Body, Part, Sent};

/// The call.
pub(super) fn write(sent: &Sent) -> String {
    match &sent.body {
        Body::Empty => plain(sent, None),
        Body::Json(json) => plain(sent, Some(json)),
        Body::Parts(parts) => with_files(sent, parts),
    }
}

/// With `urllib`.
fn plain(sent: &Sent, json: Option<&Json>) -> String {
    let mut text = String::new();
    let mut headers = sent.headers.clone();
    if json.is_some() {
        text.push_str("import json\n");
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    text.push_str("import urllib.request\n\nrequest = urllib.request.Request(\n");
    text.push_str(&format!("    {},\n    method={},\n", quoted(&sent.url), quoted(sent.http.as_str())));
    text.push_str(&fields(&headers));
    if let Some(json) = json {
        text.push_str(&format!("    data=json.dumps({}).encode(),\n", literal(json, 4)));
    }
    text.push_str(")\nwith urllib.request.urlopen(request) as response:\n");
    text.push_str(match sent.download {
        true => "    print(response.status, len(response.read()), \"bytes\")",
        false => "    print(response.status, response.read().decode())",
    });
    text
}

fn with_files(sent: &Sent, parts: &[(String, Part)]) -> String {
    let mut text = "import requests  # python3 -m pip install requests\n\nresponse = requests.request(\n".to_owned();
    text.push_str(&format!("    {},\n    {},\n", quoted(sent.http.as_str()), quoted(&sent.url)));
    text.push_str(&fields(&sent.headers));
    text.push_str("    files=[\n");
    for (name, part) in parts {
        let name = quoted(name);
        text.push_str(&match part {
            Part::Text(value) => format!("        ({name}, (None, {})),\n", quoted(value)),
            Part::File(file) => format!("        ({name}, open({}, \"rb\")),\n", quoted(file)),
        });
    }
    text.push_str("    ],\n)\nprint(response.status_code, response.text)");
    text
}

/// The header fields as an argument, where there are any.
fn fields(headers: &[(String, String)]) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let fields = headers.iter().map(|(name, value)| format!("        {}: {},\n", quoted(name), quoted(value)));
    format!("    headers={{\n{}    }},\n", fields.collect::<String>())
}

/// A string: JSON's are Python's as well, as none of the escapes stands for a half of a character.
fn quoted(text: &str) -> String {
    // Python's source has no null characters, and JSON's text none either: they are escaped.
    Json::from(text).to_string()
}

/// A value as Python writes it, a member a line.
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
