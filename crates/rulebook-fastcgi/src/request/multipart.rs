//! Encodes the fields of a form as `multipart/form-data` (RFC 7578), in which PHP reads uploaded files.

use bytes::Bytes;

use super::form::Field;
use crate::protocol::BodyPart;

/// The name of each part's boundary, before its random digits.
const BOUNDARY_PREFIX: &str = "rulebook-";

/// A multipart body.
#[derive(Debug)]
pub struct Multipart {
    /// The value of Content-Type.
    pub content_type: String,
    /// The body. Files are read when it is sent.
    pub body: Vec<BodyPart>,
    /// The length of the body in bytes.
    pub len: u64,
}

/// Encodes the fields of a form, whose names contain no line breaks.
pub fn multipart(fields: Vec<Field>) -> Result<Multipart, getrandom::Error> {
    // No content can contain the boundary on purpose, because it is random.
    let mut random = [0; 16];
    getrandom::fill(&mut random)?;
    Ok(with_boundary(fields, &format!("{BOUNDARY_PREFIX}{}", hex::encode(random))))
}

fn with_boundary(fields: Vec<Field>, boundary: &str) -> Multipart {
    let (mut body, mut text, mut len) = (Vec::new(), String::new(), 0);
    for field in fields {
        text.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name="));
        match field {
            Field::Text(name, value) => {
                text.push_str(&format!("{}\r\n\r\n{value}\r\n", quoted_name(&name)));
            }
            Field::File(name, upload) => {
                let media_type = header_text(upload.media_type());
                let (name, filename) = (quoted_name(&name), quoted_filename(upload.filename()));
                text.push_str(&format!("{name}; filename={filename}\r\nContent-Type: {media_type}\r\n\r\n"));
                len += text.len() as u64 + upload.size();
                body.push(BodyPart::Bytes(Bytes::from(std::mem::replace(&mut text, "\r\n".to_owned()))));
                body.push(BodyPart::File(upload));
            }
        }
    }
    text.push_str(&format!("--{boundary}--\r\n"));
    len += text.len() as u64;
    body.push(BodyPart::Bytes(Bytes::from(text)));
    Multipart { content_type: format!("multipart/form-data; boundary={boundary}"), body, len }
}

/// Returns the name of a field in quotes. PHP removes backslashes before quotes and backslashes. The name contains no
/// line break.
fn quoted_name(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns the name of a file in quotes. PHP reads a backslash before a quote as an escape, so that both are
/// percent-encoded, as browsers do with quotes.
fn quoted_filename(name: &str) -> String {
    let mut quoted = String::with_capacity(name.len() + 2);
    quoted.push('"');
    for char in name.chars() {
        match char {
            '"' => quoted.push_str("%22"),
            '\\' => quoted.push_str("%5C"),
            char if char.is_control() => quoted.push('_'),
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a text that fits into one line.
fn header_text(text: &str) -> String {
    text.chars().filter(|char| !char.is_control()).collect()
}
