//! Example calls in JavaScript, for modules, for the console of a browser, and for Node 18 and later.

use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use crate::call::HttpMethod;

/// `Number.MAX_SAFE_INTEGER`: JavaScript numbers represent all integers up to this one exactly.
const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// Returns the statements that send the request.
pub(super) fn write(request: &SampleRequest) -> String {
    let mut before = Vec::new();
    let mut options = Vec::new();
    if request.http != HttpMethod::Get {
        options.push(format!("method: {}", quoted(request.http.as_str())));
    }
    let mut headers = request.headers.clone();
    let mut body = None;
    match &request.body {
        SampleBody::Empty => {}
        SampleBody::Json(json) => {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            body = Some(match is_exact(json) {
                true => format!("JSON.stringify({})", indented(json)),
                // As a JavaScript literal, the numbers in it would be rounded.
                false => quoted(&json.to_string()),
            });
        }
        SampleBody::Parts(parts) => {
            if parts.iter().any(|(_, part)| matches!(part, FormPart::File(_))) {
                before.push("// In a page, a file comes from <input type=\"file\">: input.files[0].".to_owned());
                before.push("const { readFile } = await import(\"node:fs/promises\");".to_owned());
            }
            before.push("const form = new FormData();".to_owned());
            before.extend(parts.iter().map(|(name, part)| match part {
                FormPart::Text(text) => format!("form.append({}, {});", quoted(name), quoted(text)),
                FormPart::File(file) => {
                    let file = quoted(file);
                    format!("form.append({}, new Blob([await readFile({file})]), {file});", quoted(name))
                }
            }));
            body = Some("form".to_owned());
        }
    }
    if headers.iter().any(|(name, _)| name == "Cookie") {
        before.push("// For Node only: browsers do not let a script set this header field.".to_owned());
    }
    if !headers.is_empty() {
        let fields = headers.iter().map(|(name, value)| format!("    {}: {},\n", quoted(name), quoted(value)));
        options.push(format!("headers: {{\n{}  }}", fields.collect::<String>()));
    }
    options.extend(body.map(|body| format!("body: {body}")));
    let mut text: String = before.into_iter().map(|line| line + "\n").collect();
    let options: String = options.into_iter().map(|option| format!("  {option},\n")).collect();
    let options = if options.is_empty() { options } else { format!(", {{\n{options}}}") };
    text.push_str(&format!("const response = await fetch({}{options});\n", quoted(&request.url)));
    text.push_str(match request.download {
        true => "console.log(response.status, await response.blob());",
        false => "console.log(response.status, await response.text());",
    });
    text
}

/// Formats a string literal. Every JSON string is also a JavaScript string (ECMA-262 section 12.9.4).
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn indented(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    pretty.replace('\n', "\n  ")
}

/// Returns `true` if a JavaScript literal can represent every number in the value exactly.
fn is_exact(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_f64() || number.as_f64().is_some_and(|float| float.abs() <= MAX_SAFE_INTEGER),
        Json::Array(items) => items.iter().all(is_exact),
        // In an object literal, `__proto__` would set the prototype instead of adding a member.
        Json::Object(members) => members.iter().all(|(name, member)| name != "__proto__" && is_exact(member)),
        _ => true,
    }
}
