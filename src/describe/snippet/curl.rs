//! Calls in a shell: curl 7.43 (2015) and later.

use super::sent::{Body, Part, Sent};
use crate::call::Http;

/// The call.
pub(super) fn write(sent: &Sent) -> String {
    let has_body = !matches!(sent.body, Body::Empty);
    let usual = if has_body { Http::Post } else { Http::Get };
    let mut command = "curl".to_owned();
    if sent.http != usual {
        command.push_str(" -X ");
        command.push_str(sent.http.as_str());
    }
    // Brackets and braces would be patterns of several URLs.
    if sent.url.contains(['[', ']', '{', '}']) {
        command.push_str(" --globoff");
    }
    command.push(' ');
    command.push_str(&quoted(&sent.url));
    let mut lines = vec![command];
    for (name, value) in &sent.headers {
        // Without a value curl leaves a field out that ends in a colon.
        let field = if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") };
        lines.push(format!("-H {}", quoted(&field)));
    }
    match &sent.body {
        Body::Empty => {}
        Body::Json(json) => {
            lines.push(format!("-H {}", quoted("Content-Type: application/json")));
            lines.push(format!("--data-raw {}", quoted(&json.to_string())));
        }
        Body::Parts(parts) => lines.extend(parts.iter().map(|(name, part)| match part {
            Part::Text(text) => format!("--form-string {}", quoted(&format!("{name}={text}"))),
            Part::File(file) => format!("-F {}", quoted(&format!("{name}=@{file}"))),
        })),
    }
    if sent.download {
        lines.push("--output download".to_owned());
    }
    lines.join(" \\\n  ")
}

/// A word of a POSIX shell: between single quotes nothing but they has a meaning (XCU section 2.2.2).
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
