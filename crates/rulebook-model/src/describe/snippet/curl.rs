//! Example calls in a shell, for curl 7.43 (2015) and later.

use super::NAME_AND_PASSWORD;
use super::request::{FormPart, SampleBody, SampleRequest};
use crate::call::HttpMethod;
use crate::model::Idempotency;

pub(super) fn format_curl_command(request: &SampleRequest) -> String {
    let has_body = !matches!(request.body, SampleBody::Empty);
    let default_http_method = if has_body { HttpMethod::Post } else { HttpMethod::Get };
    let mut command = "curl".to_owned();
    if request.http != default_http_method {
        command.push_str(" -X ");
        command.push_str(request.http.as_str());
    }
    // Without `--globoff`, curl would expand a URL with brackets or braces to several URLs.
    if request.url.contains(['[', ']', '{', '}']) {
        command.push_str(" --globoff");
    }
    command.push(' ');
    command.push_str(&shell_quote(&request.url));
    let mut lines = vec![command];
    if request.has_password {
        lines.push(format!("--user {}", shell_quote(NAME_AND_PASSWORD)));
    }
    lines.extend(request.curl_headers().map(|field| format!("-H {}", shell_quote(&field))));
    lines.extend(request.media_type().map(|name| format!("-H {}", shell_quote(&format!("Content-Type: {name}")))));
    if request.needs_key {
        // The shell replaces the command by its output.
        lines.push(format!("-H \"{}: $(uuidgen)\"", Idempotency::HEADER));
    }
    match &request.body {
        SampleBody::Empty => {}
        SampleBody::Json(json) => lines.push(format!("--data-raw {}", shell_quote(&json.to_string()))),
        SampleBody::File(file) => lines.push(format!("--data-binary {}", shell_quote(&format!("@{}", file.name)))),
        SampleBody::Multipart(parts) => lines.extend(parts.iter().map(|(name, part)| match part {
            FormPart::Text(text) => format!("--form-string {}", shell_quote(&format!("{name}={text}"))),
            FormPart::File(file) => format!("-F {}", shell_quote(&format!("{name}=@{file}"))),
        })),
    }
    if request.returns_file {
        lines.push("--output download".to_owned());
    }
    lines.join(" \\\n  ")
}

/// Quotes a text as one word of a POSIX shell. Between single quotes, only the single quote has a special meaning
/// (POSIX, Shell Command Language, section 2.2.2).
fn shell_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
