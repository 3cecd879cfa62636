//! Multipart bodies as browsers write them (RFC 7578, and the HTML standard on the names in them).

use crate::call::RequestId;

/// A part of a multipart body; one with a file name is a file.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) content: Vec<u8>,
}

/// The body with its media type.
pub(super) fn write(parts: &[Part]) -> (String, Vec<u8>) {
    let boundary = format!("rulebook-{}", RequestId::random());
    let mut body = Vec::new();
    for Part { name, filename, content } in parts {
        let mut disposition = format!("form-data; name=\"{}\"", escaped(name));
        if let Some(filename) = filename {
            disposition += &format!("; filename=\"{}\"", escaped(filename));
        }
        body.extend(format!("--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n").into_bytes());
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
