//! Creates multipart bodies as browsers send them (RFC 7578). The HTML standard defines how names are escaped.

use rulebook::RequestId;

/// A part of a multipart body: a file if it has a file name, otherwise a text field.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) content: Vec<u8>,
}

/// Returns the media type and the bytes of a body with these parts. The media type contains the boundary of the parts.
pub(super) fn encode(parts: &[Part]) -> (String, Vec<u8>) {
    let boundary = format!("rulebook-{}", RequestId::random());
    let mut body = Vec::new();
    for Part { name, filename, content } in parts {
        let mut disposition = format!("form-data; name=\"{}\"", escape_name(name));
        if let Some(filename) = filename {
            disposition += &format!("; filename=\"{}\"", escape_name(filename));
        }
        body.extend(format!("--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n").into_bytes());
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").into_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

fn escape_name(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
