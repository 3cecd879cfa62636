//! Example calls in Go 1.16 and later, with the standard library.

use askama::Template;
use serde_json::Value as Json;

use super::request::{FormPart, SampleBody, SampleRequest};
use super::{NAME_PLACEHOLDER, PASSWORD_PLACEHOLDER};
use crate::model::Idempotency;

/// A Go program that sends a request.
#[derive(Template)]
#[template(path = "snippets/go.txt", escape = "none")]
pub(super) struct GoCode<'r> {
    pub(super) request: &'r SampleRequest,
}

impl GoCode<'_> {
    fn imports(&self) -> Vec<&'static str> {
        let mut imports = vec!["fmt", "io", "log", "net/http"];
        match &self.request.body {
            SampleBody::Empty => {}
            SampleBody::Json(_) => imports.push("strings"),
            SampleBody::Multipart(_) => imports.extend(["bytes", "mime/multipart"]),
            SampleBody::File(_) => imports.push("bytes"),
        }
        imports.extend(self.request.sends_files().then_some("os"));
        imports.extend(self.request.needs_key.then_some("crypto/rand"));
        imports.sort_unstable();
        imports
    }

    /// Returns the expression for the body, which the statements before the request define.
    fn body(&self) -> &'static str {
        match &self.request.body {
            SampleBody::Empty => "nil",
            SampleBody::Json(_) | SampleBody::File(_) => "body",
            SampleBody::Multipart(_) => "&body",
        }
    }

    /// Formats an interpreted string literal. Every JSON string is also a Go string if it contains no byte order mark,
    /// which Go source code cannot contain.
    fn literal(&self, text: &str) -> String {
        Json::from(text).to_string().replace('\u{FEFF}', "\\ufeff")
    }

    /// Formats a JSON value as a string literal: with several lines if Go can express them, otherwise on one line.
    fn json_literal(&self, json: &Json) -> String {
        let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
        // A raw string literal cannot contain these characters (Go specification, String literals).
        if pretty.contains(['`', '\r', '\u{FEFF}']) { self.literal(&json.to_string()) } else { format!("`{pretty}`") }
    }
}
