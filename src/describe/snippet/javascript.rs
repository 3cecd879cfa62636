//! Calls in JavaScript: a module, or the console, of a browser or of Node 18 and later.

use serde_json::Value as Json;

use super::sent::{Body, Part, Sent};
use crate::call::Http;

/// The greatest whole number up to which JavaScript's numbers hold all others.
const SAFE: f64 = 9_007_199_254_740_991.0;

/// The call.
pub(super) fn write(sent: &Sent) -> String {
    let mut before = Vec::new();
    let mut options = Vec::new();
    if sent.http != Http::Get {
        options.push(format!("method: {}", quoted(sent.http.as_str())));
    }
    let mut headers = sent.headers.clone();
    let mut body = None;
    match &sent.body {
        Body::Empty => {}
        Body::Json(json) => {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            body = Some(match is_safe(json) {
                true => format!("JSON.stringify({})", indented(json)),
                // Its numbers would be other ones.
                false => quoted(&json.to_string()),
            });
        }
        Body::Parts(parts) => {
            if parts.iter().any(|(_, part)| matches!(part, Part::File(_))) {
                before.push("// In a page, a file comes from <input type=\"file\">: input.files[0].".to_owned());
                before.push("const { readFile } = await import(\"node:fs/promises\");".to_owned());
            }
            before.push("const form = new FormData();".to_owned());
            before.extend(parts.iter().map(|(name, part)| match part {
                Part::Text(text) => format!("form.append({}, {});", quoted(name), quoted(text)),
                Part::File(file) => {
                    let file = quoted(file);
                    format!("form.append({}, new Blob([await readFile({file})]), {file});", quoted(name))
                }
            }));
            body = Some("form".to_owned());
        }
    }
    if headers.iter().any(|(name, _)| name == "Cookie") {
        before.push("// Browsers send their own cookies: this header field is for Node.".to_owned());
    }
    if !headers.is_empty() {
        let fields = headers.iter().map(|(name, value)| format!("    {}: {},\n", quoted(name), quoted(value)));
        options.push(format!("headers: {{\n{}  }}", fields.collect::<String>()));
    }
    options.extend(body.map(|body| format!("body: {body}")));
    let mut text: String = before.into_iter().map(|line| line + "\n").collect();
    let options: String = options.into_iter().map(|option| format!("  {option},\n")).collect();
    let options = if options.is_empty() { options } else { format!(", {{\n{options}}}") };
    text.push_str(&format!("const response = await fetch({}{options});\n", quoted(&sent.url)));
    text.push_str(match sent.download {
        true => "console.log(response.status, await response.blob());",
        false => "console.log(response.status, await response.text());",
    });
    text
}

/// A string: JSON's are JavaScript's (ECMA-262 section 12.9.4).
fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn indented(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    pretty.replace('\n', "\n  ")
}

/// Whether JavaScript's numbers can say the numbers in a value.
fn is_safe(json: &Json) -> bool {
    match json {
        Json::Number(number) => number.is_f64() || number.as_f64().is_some_and(|float| float.abs() <= SAFE),
        Json::Array(items) => items.iter().all(is_safe),
        // `__proto__` is no member of an object that is written so.
        Json::Object(members) => members.iter().all(|(name, member)| name != "__proto__" && is_safe(member)),
        _ => true,
    }
}
