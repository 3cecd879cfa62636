//! Example calls in PHP 7.3 and later, with the extension `curl`.

use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::sample_name_and_password;
use crate::call::HttpMethod;

/// Returns a PHP script that sends the request.
pub(super) fn format_php_code(request: &SampleRequest) -> String {
    let mut before = String::new();
    let mut options = Vec::new();
    if request.http != HttpMethod::Get {
        options.push(format!("CURLOPT_CUSTOMREQUEST => {}", string_literal(request.http.as_str())));
    }
    let mut headers = request.headers.clone();
    let body = match &request.body {
        SampleBody::Empty => None,
        SampleBody::Json(json) => {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
            Some(json_literal(json))
        }
        SampleBody::Multipart(parts) if has_repeated_name(parts) => {
            before.push_str(&multipart_statements(parts));
            headers.push(("Content-Type".to_owned(), "multipart/form-data; boundary=boundary42".to_owned()));
            Some("$body".to_owned())
        }
        SampleBody::Multipart(parts) => Some(fields_literal(parts)),
    };
    if request.has_password {
        options.push(format!("CURLOPT_USERPWD => {}", string_literal(&sample_name_and_password())));
    }
    if !headers.is_empty() {
        // As in the curl command, a header field without a value has a semicolon instead of a colon.
        let field = |(name, value): &(String, String)| {
            if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") }
        };
        let fields = headers.iter().map(|header| format!("        {},\n", string_literal(&field(header))));
        options.push(format!("CURLOPT_HTTPHEADER => [\n{}    ]", fields.collect::<String>()));
    }
    options.extend(body.map(|body| format!("CURLOPT_POSTFIELDS => {body}")));
    options.push("CURLOPT_RETURNTRANSFER => true".to_owned());
    let options: String = options.into_iter().map(|option| format!("    {option},\n")).collect();
    let url = string_literal(&request.url);
    let shown = if request.returns_file { "strlen($response), ' bytes'" } else { "$response" };
    format!(
        "<?php\n{before}$request = curl_init({url});\ncurl_setopt_array($request, [\n{options}]);\n\
         $response = curl_exec($request);\n\
         echo curl_getinfo($request, CURLINFO_RESPONSE_CODE), ' ', {shown}, \"\\n\";"
    )
}

/// Returns `true` if several parts of a form have the same name. A PHP array of fields cannot contain such parts.
fn has_repeated_name(parts: &[(String, FormPart)]) -> bool {
    parts.iter().enumerate().any(|(index, (name, _))| parts[..index].iter().any(|(other, _)| other == name))
}

/// Formats the parts of a form as an array, from which curl writes a multipart body.
fn fields_literal(parts: &[(String, FormPart)]) -> String {
    let field = |(name, part): &(String, FormPart)| {
        let value = match part {
            FormPart::Text(text) => string_literal(text),
            FormPart::File(file) => format!("new CURLFile({})", string_literal(file)),
        };
        format!("        {} => {value},\n", string_literal(name))
    };
    format!("[\n{}    ]", parts.iter().map(field).collect::<String>())
}

/// Returns statements that write a multipart body (RFC 7578) to the variable `$body`.
fn multipart_statements(parts: &[(String, FormPart)]) -> String {
    let part = |(name, part): &(String, FormPart)| {
        // Quotes in names are percent-encoded, as browsers do.
        let name = name.replace('"', "%22");
        let (disposition, content) = match part {
            FormPart::Text(text) => (format!("name=\"{name}\""), string_literal(text)),
            FormPart::File(file) => (
                format!("name=\"{name}\"; filename=\"{file}\""),
                format!("file_get_contents({})", string_literal(file)),
            ),
        };
        format!("    [{}, {content}],\n", string_literal(&disposition))
    };
    format!(
        "$body = '';\nforeach ([\n{}] as [$disposition, $content]) {{\n    $body .= \"--boundary42\\r\\n\"\n        \
         . \"Content-Disposition: form-data; $disposition\\r\\n\\r\\n$content\\r\\n\";\n}}\n\
         $body .= \"--boundary42--\\r\\n\";\n",
        parts.iter().map(part).collect::<String>()
    )
}

/// Formats a JSON value as a string literal with several lines. PHP would convert some values that are written as PHP
/// arrays, such as an empty object.
fn json_literal(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    // PHP removes the indentation of the closing identifier from all lines.
    let lines: String = pretty.lines().map(|line| format!("        {line}\n")).collect();
    format!("<<<'JSON'\n{lines}        JSON")
}

/// Formats a string literal: in single quotes, or in double quotes if the text contains control characters.
fn string_literal(text: &str) -> String {
    if !text.contains(char::is_control) {
        return format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    let mut literal = "\"".to_owned();
    for character in text.chars() {
        match character {
            '\n' => literal.push_str("\\n"),
            '"' | '\\' | '$' => literal.extend(['\\', character]),
            _ if character.is_control() => literal.push_str(&format!("\\u{{{:x}}}", u32::from(character))),
            _ => literal.push(character),
        }
    }
    literal + "\""
}
