//! A request that can be changed before its bytes are written.

/// A request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The HTTP method.
    pub method: Vec<u8>,
    /// The request target.
    pub target: Vec<u8>,
    /// The version, for example `HTTP/1.1`.
    pub version: &'static str,
    /// The header fields, without those that delimit the body.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body; `None` if the request has no body.
    pub body: Option<Vec<u8>>,
    /// The length of chunks, and the text of an extension after each size, if the body has the chunked coding.
    pub chunks: Option<(usize, &'static str)>,
}

impl Request {
    /// Returns the bytes of the request.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = [&self.method[..], b" ", &self.target, b" ", self.version.as_bytes(), b"\r\n"].concat();
        for (name, value) in &self.fields {
            bytes.extend_from_slice(&[&name[..], b": ", value, b"\r\n"].concat());
        }
        match (&self.body, &self.chunks) {
            (None, _) => bytes.extend_from_slice(b"\r\n"),
            (Some(body), None) => {
                bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
                bytes.extend_from_slice(body);
            }
            (Some(body), Some((length, extension))) => {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(*length) {
                    bytes.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
                    bytes.extend_from_slice(&[chunk, b"\r\n"].concat());
                }
                bytes.extend_from_slice(b"0\r\n\r\n");
            }
        }
        bytes
    }

    /// Adds a header field.
    pub fn push_field(&mut self, name: &[u8], value: &[u8]) {
        self.fields.push((name.to_vec(), value.to_vec()));
    }
}
