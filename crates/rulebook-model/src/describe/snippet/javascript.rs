//! Example calls in JavaScript. They run in JavaScript modules, in the console of a browser, and in Node.js 18 and
//! later.

use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::{AUTHORIZATION, sample_name_and_password};
use crate::call::HttpMethod;

/// The value of `Number.MAX_SAFE_INTEGER` in JavaScript. JavaScript numbers represent all integers up to this value
/// exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Returns JavaScript statements that send the request.
pub(super) fn format_javascript_code(request: &SampleRequest) -> String {
    let mut statements_before_call = Vec::new();
    let mut options = Vec::new();
    if request.http != HttpMethod::Get {
        options.push(format!("method: {}", string_literal(request.http.as_str())));
    }
    let field = |name: &str, value: String| format!("    {}: {value},\n", string_literal(name));
    let mut fields = String::new();
    if request.has_password {
        let encoded = format!("\"Basic \" + btoa({})", string_literal(&sample_name_and_password()));
        fields.push_str(&field(AUTHORIZATION, encoded));
    }
    fields.extend(request.headers.iter().map(|(name, value)| field(name, string_literal(value))));
    let mut body = None;
    match &request.body {
        SampleBody::Empty => {}
        SampleBody::Json(json) => {
            fields.push_str(&field("Content-Type", string_literal("application/json")));
            body = Some(match is_exact_in_javascript(json) {
                true => format!("JSON.stringify({})", indented_json(json)),
                // JavaScript would round the numbers of a literal, so the body is a string.
                false => string_literal(&json.to_string()),
            });
        }
        SampleBody::Multipart(parts) => {
            if parts.iter().any(|(_, part)| matches!(part, FormPart::File(_))) {
                statements_before_call
                    .push("// In a page, a file comes from <input type=\"file\">: input.files[0].".to_owned());
                statements_before_call.push("const { readFile } = await import(\"node:fs/promises\");".to_owned());
            }
            statements_before_call.push("const form = new FormData();".to_owned());
            statements_before_call.extend(parts.iter().map(|(name, part)| match part {
                FormPart::Text(text) => format!("form.append({}, {});", string_literal(name), string_literal(text)),
                FormPart::File(file) => {
                    let file = string_literal(file);
                    format!("form.append({}, new Blob([await readFile({file})]), {file});", string_literal(name))
                }
            }));
            body = Some("form".to_owned());
        }
    }
    if request.headers.iter().any(|(name, _)| name == "Cookie") {
        statements_before_call.push("// For Node only: browsers do not let a script set this header field.".to_owned());
    }
    if !fields.is_empty() {
        options.push(format!("headers: {{\n{fields}  }}"));
    }
    options.extend(body.map(|body| format!("body: {body}")));
    let mut text: String = statements_before_call.into_iter().map(|line| line + "\n").collect();
    let options: String = options.into_iter().map(|option| format!("  {option},\n")).collect();
    let options = if options.is_empty() { options } else { format!(", {{\n{options}}}") };
    text.push_str(&format!("const response = await fetch({}{options});\n", string_literal(&request.url)));
    text.push_str(match request.returns_file {
        true => "console.log(response.status, await response.blob());",
        false => "console.log(response.status, await response.text());",
    });
    text
}

/// Formats a string literal. Every JSON string is also a JavaScript string (ECMA-262 section 12.9.4).
pub(super) fn string_literal(text: &str) -> String {
    Json::from(text).to_string()
}

pub(super) fn indented_json(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    pretty.replace('\n', "\n  ")
}

/// Returns `true` if a JavaScript literal can represent the JSON value and all numbers in it exactly.
pub(super) fn is_exact_in_javascript(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_f64() || number.as_f64().is_some_and(|float| float.abs() <= MAX_SAFE_INTEGER),
        Json::Array(items) => items.iter().all(is_exact_in_javascript),
        // In a JavaScript object literal, `__proto__` would set the prototype of the object instead of adding a member.
        Json::Object(members) => {
            members.iter().all(|(name, member)| name != "__proto__" && is_exact_in_javascript(member))
        }
        _ => true,
    }
}
