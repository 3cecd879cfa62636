//! Frames of HTTP/2 (RFC 9113) and header fields in the coding of RFC 7541, valid or not.

/// The bytes with which a client begins a connection of HTTP/2.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The maximum length of the payload of a frame, as long as the server does not allow more.
pub const MAX_PAYLOAD_LEN: usize = 16 << 10;

/// The type DATA.
pub const DATA: u8 = 0;
/// The type HEADERS.
pub const HEADERS: u8 = 1;
/// The type PRIORITY.
pub const PRIORITY: u8 = 2;
/// The type RST_STREAM.
pub const RST_STREAM: u8 = 3;
/// The type SETTINGS.
pub const SETTINGS: u8 = 4;
/// The type PING.
pub const PING: u8 = 6;
/// The type GOAWAY.
pub const GOAWAY: u8 = 7;
/// The type WINDOW_UPDATE.
pub const WINDOW_UPDATE: u8 = 8;
/// The type CONTINUATION.
pub const CONTINUATION: u8 = 9;

/// The flag END_STREAM of HEADERS and DATA, and ACK of SETTINGS and PING.
pub const END_STREAM: u8 = 1;
/// The flag END_HEADERS.
pub const END_HEADERS: u8 = 4;

/// Appends a frame.
pub fn push_frame(output: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    // No payload of this program is longer than a frame allows, which is 2^24 - 1.
    let length = (payload.len() as u32).to_be_bytes();
    output.extend_from_slice(&length[1..]);
    output.extend_from_slice(&[kind, flags]);
    output.extend_from_slice(&stream.to_be_bytes());
    output.extend_from_slice(payload);
}

/// Returns a frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(9 + payload.len());
    push_frame(&mut output, kind, flags, stream, payload);
    output
}

/// Returns the beginning of a connection: the preface, and a SETTINGS frame with these settings.
pub fn opening(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut output = PREFACE.to_vec();
    push_frame(&mut output, SETTINGS, 0, 0, &settings_payload(settings));
    output
}

/// Returns the payload of a SETTINGS frame.
pub fn settings_payload(settings: &[(u16, u32)]) -> Vec<u8> {
    settings.iter().flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect()
}

/// The setting SETTINGS_INITIAL_WINDOW_SIZE.
pub const INITIAL_WINDOW_SIZE: u16 = 4;

/// Returns the coded pseudo-header fields of a request, and further header fields. No field is added to the table of
/// the connection.
pub fn request_fields(method: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut output = Vec::new();
    for (name, value) in [(":method", method), (":scheme", "http"), (":path", path), (":authority", "attack.test")] {
        push_field(&mut output, name, value);
    }
    for (name, value) in fields {
        push_field(&mut output, name, value);
    }
    output
}

/// Appends a header field as a literal that is not added to the table of the connection (RFC 7541 section 6.2.2).
pub fn push_field(output: &mut Vec<u8>, name: &str, value: &str) {
    output.push(0);
    push_text(output, name.as_bytes());
    push_text(output, value.as_bytes());
}

/// Appends a header field as a literal that is added to the table of the connection (RFC 7541 section 6.2.1).
pub fn push_indexed_field(output: &mut Vec<u8>, name: &str, value: &str) {
    output.push(0x40);
    push_text(output, name.as_bytes());
    push_text(output, value.as_bytes());
}

/// Appends the length of a text, and the text without Huffman coding (RFC 7541 section 5.2).
fn push_text(output: &mut Vec<u8>, text: &[u8]) {
    const PREFIX_MAX: usize = 127;
    // Each byte of the length has seven bits.
    if text.len() < PREFIX_MAX {
        output.push(text.len() as u8);
    } else {
        output.push(PREFIX_MAX as u8);
        let mut rest = text.len() - PREFIX_MAX;
        while rest >= 128 {
            output.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        output.push(rest as u8);
    }
    output.extend_from_slice(text);
}

/// Appends header fields as one HEADERS frame and as many CONTINUATION frames as they need.
pub fn push_request(output: &mut Vec<u8>, stream: u32, has_body: bool, fields: &[u8]) {
    let mut pieces = fields.chunks(MAX_PAYLOAD_LEN).peekable();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() { END_HEADERS } else { 0 };
        let flags = if kind == HEADERS && !has_body { end | END_STREAM } else { end };
        push_frame(output, kind, flags, stream, piece);
        kind = CONTINUATION;
    }
}

/// Removes complete frames from the beginning of `received`, and calls `each` with type, flags, stream and payload.
pub fn take_frames(received: &mut Vec<u8>, mut each: impl FnMut(u8, u8, u32, &[u8])) {
    let mut at = 0;
    while let Some(head) = received.get(at..at + 9) {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let (kind, flags) = (head[3], head[4]);
        let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
        let Some(payload) = received.get(at + 9..at + 9 + length) else { break };
        each(kind, flags, stream, payload);
        at += 9 + length;
    }
    received.drain(..at);
}
