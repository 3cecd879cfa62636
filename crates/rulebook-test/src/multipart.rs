//! Multipart bodies in the form that browsers send (RFC 7578; the HTML standard defines the escaping of names).

use rulebook::RequestId;

/// A part of a multipart body: a file if it has a file name, else a field.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) content: Vec<u8>,
}

/// Returns the media type, which contains the boundary, and the body.
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
