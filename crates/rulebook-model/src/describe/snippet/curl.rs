//! Example calls in a shell, for curl 7.43 (2015) and later.

use super::request::{FormPart, SampleBody, SampleRequest};
use crate::call::HttpMethod;

/// Returns the shell command that sends the request.
pub(super) fn write(request: &SampleRequest) -> String {
    let has_body = !matches!(request.body, SampleBody::Empty);
    let usual = if has_body { HttpMethod::Post } else { HttpMethod::Get };
    let mut command = "curl".to_owned();
    if request.http != usual {
        command.push_str(" -X ");
        command.push_str(request.http.as_str());
    }
    // Without `--globoff`, curl would expand brackets and braces to several URLs.
    if request.url.contains(['[', ']', '{', '}']) {
        command.push_str(" --globoff");
    }
    command.push(' ');
    command.push_str(&quoted(&request.url));
    let mut lines = vec![command];
    for (name, value) in &request.headers {
        // curl omits a header field without a value, unless a semicolon replaces the colon.
        let field = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        lines.push(format!("-H {}", quoted(&field)));
    }
    match &request.body {
        SampleBody::Empty => {}
        SampleBody::Json(json) => {
            lines.push(format!("-H {}", quoted("Content-Type: application/json")));
            lines.push(format!("--data-raw {}", quoted(&json.to_string())));
        }
        SampleBody::Parts(parts) => lines.extend(parts.iter().map(|(name, part)| match part {
            FormPart::Text(text) => format!("--form-string {}", quoted(&format!("{name}={text}"))),
            FormPart::File(file) => format!("-F {}", quoted(&format!("{name}=@{file}"))),
        })),
    }
    if request.download {
        lines.push("--output download".to_owned());
    }
    lines.join(" \\\n  ")
}

/// Quotes a text as a word of a POSIX shell. Between single quotes, only the single quote is special (XCU section
/// 2.2.2).
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
