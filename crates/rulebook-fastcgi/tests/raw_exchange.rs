//! Requests and responses, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value as Json;

/// A response, without the header fields that all responses of a server have.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub media_type: Option<String>,
    /// The values of `Location`, `Set-Cookie`, `Content-Disposition` and `X-Own`.
    pub fields: Vec<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Json {
        let text = String::from_utf8_lossy(&self.body);
        let mut json: Json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        // Servers describe the absence and the length of a body in different ways.
        if let Some(fields) = json["data"].get_mut("fields").and_then(Json::as_object_mut) {
            fields.retain(|name, _| name != "HTTP_CONTENT_LENGTH");
        }
        if json["data"]["type"] == "" {
            json["data"]["type"] = Json::Null;
        }
        json
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request, and returns the response. The request has the version 1.0, so that the body is sent as it is.
pub fn send(address: SocketAddr, request: &RawRequest) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let length =
        if request.body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", request.body.len()) };
    let fields = request.fields.iter().map(|field| format!("{field}\r\n")).collect::<String>();
    let head = format!("{} HTTP/1.0\r\nHost: api.test\r\n{fields}{length}\r\n", request.line);
    stream.write_all(&[head.as_bytes(), &request.body[..]].concat()).unwrap();
    let mut received = Vec::new();
    stream.read_to_end(&mut received).unwrap();
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or_else(|| panic!("{request:?}"));
    let head = String::from_utf8_lossy(&received[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|status| status.parse().ok());
    let fields: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let named = |name: &str| -> Vec<String> {
        let named = fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| (*value).to_owned()).collect()
    };
    let compared = ["location", "set-cookie", "content-disposition", "x-own"];
    Answer {
        status: status.unwrap(),
        media_type: named("content-type").first().map(|value| value.to_lowercase()),
        fields: compared.iter().flat_map(|name| named(name)).collect(),
        body: received.split_off(end + 4),
    }
}

/// A request without its version and `Host`.
#[derive(Debug)]
pub struct RawRequest {
    pub line: String,
    pub fields: Vec<String>,
    pub body: Vec<u8>,
}

impl RawRequest {
    pub fn new(line: impl Into<String>) -> Self {
        Self { line: line.into(), fields: Vec::new(), body: Vec::new() }
    }

    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.fields.push(field.into());
        self
    }

    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        if media_type.is_empty() { self } else { self.field(format!("Content-Type: {media_type}")) }
    }

    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body)
    }
}
