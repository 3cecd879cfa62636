//! Test cases in data files. A case consists of a request and the expected response.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::envelope::{EnvelopeKind, violation};
use super::{Request, Response, TestServer};

/// A group of cases for the same definition. The definition is one JSON object with the keys of `app.json`, and with
/// the key `modules`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub title: String,
    pub api: Value,
    pub cases: Vec<Case>,
}

/// A request and the expected response. Only the members that the data file contains are compared. In addition, every
/// response must have a complete body in its envelope.
#[derive(Deserialize, Debug, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// The title of the case, which is unique in its group.
    pub title: String,
    /// The HTTP method and the request target, separated by a space. They are sent unchanged.
    pub send: String,
    /// The header fields of the request. If a value is a list, the field is sent once for each item.
    pub headers: BTreeMap<String, Value>,
    /// The permissions of the caller; `None` for an anonymous caller.
    pub scope: Option<Vec<String>>,
    /// The request body, URL-encoded.
    pub form: Option<String>,
    /// The request body as JSON.
    pub json: Option<Value>,
    /// The request body as text. Its media type is `type`; without `type`, the request has no media type.
    pub text: Option<String>,
    /// The request body in hexadecimal digits.
    pub hex: Option<String>,
    pub r#type: Option<String>,
    /// The parts of a multipart body. Each has the parameters of its `Content-Disposition`, and its content.
    pub parts: Option<Vec<(String, String)>>,

    /// The expected HTTP status; the default is 200.
    pub status: Option<u16>,
    /// The expected error number in the envelope `aicra`. The default for error responses is 401.
    pub error: Option<u64>,
    pub allow: Option<String>,
    /// The expected arguments, which the method echoes.
    pub args: Option<Value>,
    /// The expected parameter errors. Each lists only the members to compare.
    pub parameter_errors: Option<Vec<Map<String, Value>>>,
    /// A text that the error message must contain.
    pub message: Option<String>,
    /// The expected JSON body.
    pub body: Option<Value>,
    /// The expected header fields of the response. The value null means that the field must be missing.
    pub fields: BTreeMap<String, Value>,
    /// Texts that the response must not contain.
    pub must_not_contain: Vec<String>,
    /// The envelope of the response: `plain`, `phalapi`, `iapi`, `aicra-status` or `problem`; the default is `aicra`.
    pub envelope: Option<String>,
}

/// Parses the JSON array of a data file.
pub fn read<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap()
}

/// Starts a server for each group, sends the request of each case, and panics with all differences between the expected
/// and the actual responses.
#[track_caller]
pub fn run(groups: &[Group]) {
    let mut differences = String::new();
    let mut titles = BTreeSet::new();
    for Group { title: group, api, cases } in groups {
        assert!(!cases.is_empty(), "{group}: no cases");
        let server = TestServer::echo(&[("app.json", api.clone())]);
        for case in cases {
            assert!(titles.insert((group, &case.title)), "{group}: two cases have the title {}", case.title);
            let response = server.send(&case.request());
            for difference in case.differences(&response) {
                let _ = writeln!(differences, "{group}: {} ({}): {difference}\n{response:?}\n", case.title, case.send);
            }
        }
        server.assert_no_temporary_files();
    }
    assert!(differences.is_empty(), "{differences}");
}

impl Case {
    pub fn request(&self) -> Request {
        let (method, target) = self.send.split_once(' ').unwrap();
        let mut request = Request::new(method, target);
        for (name, value) in &self.headers {
            let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            for value in values {
                request = request.field(name, value.as_str().unwrap());
            }
        }
        if let Some(scope) = &self.scope {
            request = request.scope(scope);
        }
        if let Some(form) = &self.form {
            return request.body(self.r#type.as_deref().unwrap_or("application/x-www-form-urlencoded"), form.as_str());
        }
        if let Some(json) = &self.json {
            return request.body(self.r#type.as_deref().unwrap_or("application/json"), json.to_string());
        }
        if let Some(parts) = &self.parts {
            let parts: Vec<_> = parts.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
            return request.multipart(&parts);
        }
        let body = match (&self.text, &self.hex) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(bytes)) => hex::decode(bytes).unwrap(),
            (None, None) => return request,
        };
        match &self.r#type {
            Some(media_type) => request.body(media_type, body),
            None => request.body_without_type(body),
        }
    }

    /// Returns the differences between the actual and the expected response.
    pub fn differences(&self, response: &Response) -> Vec<String> {
        let mut differences = Vec::new();
        let mut expect = |property: &str, expected: Value, actual: Value| {
            if expected != actual {
                differences.push(format!("{property}: expected {expected}, got {actual}"));
            }
        };
        let status = self.status.unwrap_or(200);
        expect("status", status.into(), response.status.into());
        let envelope = match self.envelope.as_deref() {
            None => EnvelopeKind::Aicra,
            Some("plain") => EnvelopeKind::Plain,
            Some("phalapi") => EnvelopeKind::Phalapi,
            Some("iapi") => EnvelopeKind::Iapi,
            Some("aicra-status") => EnvelopeKind::AicraStatus,
            Some("problem") => EnvelopeKind::AicraProblem,
            Some(other) => panic!("{other} is not an envelope"),
        };
        let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let is_definition = self.send.starts_with("OPTIONS ") && response.status == 200;
        let without_body = self.send.starts_with("HEAD ") || is_definition;
        if without_body {
            expect("body", is_definition.into(), (!response.body.is_empty()).into());
        } else {
            expect("violation", Value::Null, violation(response, envelope).into());
        }
        if envelope == EnvelopeKind::Aicra && !without_body && response.status >= 400 {
            expect("error", self.error.unwrap_or(401).into(), document["error"].clone());
        }
        if let Some(allow) = &self.allow {
            expect("Allow", allow.as_str().into(), response.field("allow").into());
        }
        if let Some(args) = &self.args {
            expect("args", args.clone(), document["args"].clone());
        }
        if let Some(body) = &self.body {
            expect("body", body.clone(), document.clone());
        }
        for (name, value) in &self.fields {
            expect(name, value.clone(), response.field(name).into());
        }
        if let Some(part) = &self.message {
            let message = document["ErrorDescription"]
                .as_str()
                .or(document["detail"].as_str())
                .or(document["msg"].as_str())
                .unwrap_or_default();
            expect(&format!("the message contains {part:?}"), true.into(), message.contains(part).into());
        }
        for secret in &self.must_not_contain {
            let text = format!("{response:?}");
            expect(&format!("{secret:?} is in the response"), false.into(), text.contains(secret).into());
        }
        if let Some(errors) = &self.parameter_errors {
            let got = document["errors"].as_array().map_or(&[][..], Vec::as_slice);
            let compared: Value = got
                .iter()
                .enumerate()
                .map(|(index, got)| {
                    let expected = errors.get(index).into_iter().flatten();
                    expected.map(|(key, _)| (key.clone(), got[key].clone())).collect::<Value>()
                })
                .collect();
            expect("parameter errors", errors.iter().cloned().map(Value::Object).collect(), compared);
        }
        differences
    }
}
