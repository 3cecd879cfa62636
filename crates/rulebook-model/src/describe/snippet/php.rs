//! Example calls in PHP 7.3 and later, with the extension `curl`.

use askama::Template;
use serde_json::Value as Json;

use super::NAME_AND_PASSWORD;
use super::request::{FormPart, SampleBody, SampleRequest};
use crate::call::HttpMethod;
use crate::model::Idempotency;

/// A PHP script that sends a request.
#[derive(Template)]
#[template(path = "snippets/php.txt", escape = "none")]
pub(super) struct PhpCode<'r> {
    pub(super) request: &'r SampleRequest,
}

impl PhpCode<'_> {
    /// Returns the parts of a form in which several parts have the same name. A PHP array of fields cannot contain such
    /// parts, so that the script writes the multipart body (RFC 7578) itself.
    fn repeated_parts(&self) -> Option<&[(String, FormPart)]> {
        let SampleBody::Multipart(parts) = &self.request.body else { return None };
        let is_repeated = |(index, (name, _)): (usize, &(String, _))| parts[..index].iter().any(|it| it.0 == *name);
        parts.iter().enumerate().any(is_repeated).then_some(parts)
    }

    /// Formats the parameters of `Content-Disposition` of a part. Quotes in names are percent-encoded, as browsers do.
    fn disposition(&self, name: &str, part: &FormPart) -> String {
        let name = name.replace('"', "%22");
        self.literal(&match part {
            FormPart::Text(_) => format!("name=\"{name}\""),
            FormPart::File(file) => format!("name=\"{name}\"; filename=\"{file}\""),
        })
    }

    fn content(&self, part: &FormPart) -> String {
        match part {
            FormPart::Text(text) => self.literal(text),
            FormPart::File(file) => format!("file_get_contents({})", self.literal(file)),
        }
    }

    /// Formats a part as an item of the array from which curl writes a multipart body.
    fn field(&self, part: &FormPart) -> String {
        match part {
            FormPart::Text(text) => self.literal(text),
            FormPart::File(file) => format!("new CURLFile({})", self.literal(file)),
        }
    }

    /// Returns the header fields as string expressions.
    fn headers(&self) -> Vec<String> {
        let form = || self.repeated_parts().map(|_| "multipart/form-data; boundary=boundary42");
        let content_type = self.request.media_type().or_else(form);
        let content_type = content_type.map(|content_type| format!("Content-Type: {content_type}"));
        let key = format!("{} . bin2hex(random_bytes(16))", self.literal(&format!("{}: ", Idempotency::HEADER)));
        let key = self.request.needs_key.then_some(key);
        let literal = |header: String| self.literal(&header);
        self.request.curl_headers().map(literal).chain(content_type.map(literal)).chain(key).collect()
    }

    /// Returns the lines of a JSON value in a string literal. PHP would convert some values that are written as PHP
    /// arrays, such as an empty object.
    fn json_lines(&self, json: &Json) -> Vec<String> {
        serde_json::to_string_pretty(json).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Formats a string literal: in single quotes, or in double quotes if the text contains control characters.
    fn literal(&self, text: &str) -> String {
        if !text.contains(char::is_control) {
            return format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        }
        let escape = |character: char| match character {
            '\n' => "\\n".to_owned(),
            '"' | '\\' | '$' => format!("\\{character}"),
            _ if character.is_control() => format!("\\u{{{:x}}}", u32::from(character)),
            _ => character.to_string(),
        };
        format!("\"{}\"", text.chars().map(escape).collect::<String>())
    }
}
