//! Example calls in JavaScript. They run in JavaScript modules, in the console of a browser, and in Node.js 18 and
//! later; if they need an idempotency key, in Node.js 20 and later.

use askama::Template;
use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::{AUTHORIZATION, NAME_AND_PASSWORD};
use crate::call::HttpMethod;
use crate::model::Idempotency;

/// The value of `Number.MAX_SAFE_INTEGER` in JavaScript. JavaScript numbers represent all integers up to this value
/// exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// JavaScript statements that send a request.
#[derive(Template)]
#[template(path = "snippets/javascript.txt", escape = "none")]
pub(super) struct JavascriptCode<'r> {
    pub(super) request: &'r SampleRequest,
}

impl JavascriptCode<'_> {
    /// Returns the members of the object with the options of `fetch`.
    fn options(&self) -> Vec<String> {
        let SampleRequest { http, has_password, needs_key, headers, body, .. } = self.request;
        let mut options = Vec::new();
        if *http != HttpMethod::Get {
            options.push(format!("method: {}", string_literal(http.as_str())));
        }
        let mut fields = Vec::new();
        if *has_password {
            fields.push((AUTHORIZATION, format!("\"Basic \" + btoa({})", string_literal(NAME_AND_PASSWORD))));
        }
        fields.extend(headers.iter().map(|(name, value)| (name.as_str(), string_literal(value))));
        fields.extend(self.request.media_type().map(|name| ("Content-Type", string_literal(name))));
        let body = match body {
            SampleBody::Empty => None,
            SampleBody::Json(json) => Some(match is_exact_in_javascript(json) {
                true => format!("JSON.stringify({})", indented_json(json)),
                // JavaScript would round the numbers of a literal, so the body is a string.
                false => string_literal(&json.to_string()),
            }),
            SampleBody::File(file) => Some(format!("await readFile({})", string_literal(&file.name))),
            SampleBody::Multipart(_) => Some("form".to_owned()),
        };
        fields.extend(needs_key.then(|| (Idempotency::HEADER, "crypto.randomUUID()".to_owned())));
        if !fields.is_empty() {
            let fields = fields.iter().map(|(name, value)| format!("    {}: {value},\n", string_literal(name)));
            options.push(format!("headers: {{\n{}  }}", fields.collect::<String>()));
        }
        options.extend(body.map(|body| format!("body: {body}")));
        options
    }

    fn literal(&self, text: &str) -> String {
        string_literal(text)
    }
}

/// Formats a string literal. Every JSON string is also a JavaScript string (ECMA-262 section 12.9.4).
pub(super) fn string_literal(text: &str) -> String {
    Json::from(text).to_string()
}

pub(super) fn indented_json(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    pretty.replace('\n', "\n  ")
}

/// Returns `true` if a JavaScript literal can represent the JSON value and all numbers in it exactly. `JSON.stringify`
/// removes the sign of -0, and writes large numbers with a fraction or an exponent as integers.
pub(super) fn is_exact_in_javascript(json: &Json) -> bool {
    let is_exact = |float: f64| match float == 0.0 {
        true => float.is_sign_positive(),
        false => float.abs() <= MAX_SAFE_INTEGER || float.fract() != 0.0,
    };
    match json {
        Json::Number(number) => number.as_f64().is_some_and(is_exact),
        Json::Array(items) => items.iter().all(is_exact_in_javascript),
        // In a JavaScript object literal, `__proto__` would set the prototype of the object instead of adding a member.
        Json::Object(members) => {
            members.iter().all(|(name, member)| name != "__proto__" && is_exact_in_javascript(member))
        }
        _ => true,
    }
}
