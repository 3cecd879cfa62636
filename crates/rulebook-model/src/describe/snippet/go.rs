//! Example calls in Go 1.16 and later, with the standard library.

use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::{NAME_PLACEHOLDER, PASSWORD_PLACEHOLDER};

/// Returns a Go program that sends the request.
pub(super) fn format_go_code(request: &SampleRequest) -> String {
    let mut imports = vec!["fmt", "io", "log", "net/http"];
    let mut headers: Vec<(String, String)> =
        request.headers.iter().map(|(name, value)| (string_literal(name), string_literal(value))).collect();
    let mut statements = String::new();
    let body = match &request.body {
        SampleBody::Empty => "nil",
        SampleBody::Json(json) => {
            imports.push("strings");
            headers.push((string_literal("Content-Type"), string_literal("application/json")));
            statements.push_str(&format!("\tbody := strings.NewReader({})\n", json_literal(json)));
            "body"
        }
        SampleBody::Multipart(parts) => {
            imports.extend(["bytes", "mime/multipart"]);
            if parts.iter().any(|(_, part)| matches!(part, FormPart::File(_))) {
                imports.push("os");
            }
            headers.push((string_literal("Content-Type"), "form.FormDataContentType()".to_owned()));
            statements.push_str(&multipart_statements(parts));
            "&body"
        }
    };
    imports.sort_unstable();
    let imports: String = imports.into_iter().map(|name| format!("\t\"{name}\"\n")).collect();
    let (http, url) = (string_literal(request.http.as_str()), string_literal(&request.url));
    let mut statements_of_headers = String::new();
    if request.has_password {
        let (name, password) = (string_literal(NAME_PLACEHOLDER), string_literal(PASSWORD_PLACEHOLDER));
        statements_of_headers.push_str(&format!("\trequest.SetBasicAuth({name}, {password})\n"));
    }
    let set = |(name, value)| format!("\trequest.Header.Set({name}, {value})\n");
    statements_of_headers.extend(headers.into_iter().map(set));
    let shown = if request.returns_file { "len(content), \"bytes\"" } else { "string(content)" };
    format!(
        "package main\n\nimport (\n{imports})\n\nfunc main() {{\n{statements}\
         \trequest, err := http.NewRequest({http}, {url}, {body})\n{FAIL}{statements_of_headers}\
         \tresponse, err := http.DefaultClient.Do(request)\n{FAIL}\
         \tdefer response.Body.Close()\n\
         \tcontent, err := io.ReadAll(response.Body)\n{FAIL}\
         \tfmt.Println(response.StatusCode, {shown})\n}}"
    )
}

/// The statement after a call that can fail.
const FAIL: &str = "\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n";

/// Returns statements that write a multipart body to the variable `body`, with the variable `form`.
fn multipart_statements(parts: &[(String, FormPart)]) -> String {
    let mut statements = "\tvar body bytes.Buffer\n\tform := multipart.NewWriter(&body)\n".to_owned();
    if parts.iter().any(|(_, part)| matches!(part, FormPart::File(_))) {
        statements.push_str(
            "\taddFile := func(field, path string) {\n\t\tcontent, err := os.ReadFile(path)\n\
             \t\tif err != nil {\n\t\t\tlog.Fatal(err)\n\t\t}\n\
             \t\tpart, _ := form.CreateFormFile(field, path)\n\t\tpart.Write(content)\n\t}\n",
        );
    }
    for (name, part) in parts {
        let name = string_literal(name);
        statements.push_str(&match part {
            FormPart::Text(text) => format!("\tform.WriteField({name}, {})\n", string_literal(text)),
            FormPart::File(file) => format!("\taddFile({name}, {})\n", string_literal(file)),
        });
    }
    statements + "\tform.Close()\n"
}

/// Formats a JSON value as a string literal: with several lines if Go can express them, otherwise on one line.
fn json_literal(json: &Json) -> String {
    let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
    // A raw string literal cannot contain these characters (Go specification, String literals).
    if pretty.contains(['`', '\r', '\u{FEFF}']) { string_literal(&json.to_string()) } else { format!("`{pretty}`") }
}

/// Formats an interpreted string literal. Every JSON string is also a Go string if it contains no byte order mark,
/// which Go source code cannot contain.
fn string_literal(text: &str) -> String {
    Json::from(text).to_string().replace('\u{FEFF}', "\\ufeff")
}
