//! Example calls in Python 3. A call that sends files uses the package `requests`; any other call uses the standard
//! library.

use askama::Template;
use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::{AUTHORIZATION, NAME_AND_PASSWORD, NAME_PLACEHOLDER, PASSWORD_PLACEHOLDER};
use crate::model::Idempotency;

/// Python statements that send a request. `urllib`, a module of the standard library, does not support multipart forms.
#[derive(Template)]
#[template(path = "snippets/python.txt", escape = "none")]
pub(super) struct PythonCode<'r> {
    pub(super) request: &'r SampleRequest,
}

impl PythonCode<'_> {
    /// Formats the header fields as the keyword argument `headers`. Returns an empty text without fields.
    fn headers(&self) -> String {
        let SampleRequest { has_password, needs_key, headers, body, .. } = self.request;
        let is_form = matches!(body, SampleBody::Multipart(_));
        let mut fields = Vec::new();
        if *has_password && !is_form {
            let text = string_literal(NAME_AND_PASSWORD);
            fields.push((AUTHORIZATION, format!("\"Basic \" + base64.b64encode({text}.encode()).decode()")));
        }
        fields.extend(headers.iter().map(|(name, value)| (name.as_str(), string_literal(value))));
        fields.extend(self.request.media_type().map(|name| ("Content-Type", string_literal(name))));
        fields.extend(needs_key.then(|| (Idempotency::HEADER, "str(uuid.uuid4())".to_owned())));
        if fields.is_empty() {
            return String::new();
        }
        let fields = fields.iter().map(|(name, value)| format!("        {}: {value},\n", string_literal(name)));
        format!("\n    headers={{\n{}    }},", fields.collect::<String>())
    }

    fn literal(&self, text: &str) -> String {
        string_literal(text)
    }

    fn json_literal(&self, json: &Json) -> String {
        python_literal(json, 4)
    }
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
