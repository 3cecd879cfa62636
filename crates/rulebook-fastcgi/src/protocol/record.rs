//! The records of FastCGI 1.0: encodes those that a client sends, and decodes those that a server sends.
//!
//! A record has a header of 8 bytes (version, type, request id, length of the content, length of the padding), its
//! content, and padding. This client sends one request at a time on a connection. Each request has another id, so that
//! a response that a server sends too late, or twice, is not mistaken for that of the next request.

use bytes::{Buf, Bytes, BytesMut};

const HEADER_LEN: usize = 8;
const VERSION: u8 = 1;
/// The id in records whose request has no id yet. It is the id of records that belong to no request.
const NO_ID: u16 = 0;
/// The maximum length of the content of a record.
const MAX_CONTENT_LEN: usize = u16::MAX as usize;

const BEGIN_REQUEST: u8 = 1;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const STDERR: u8 = 7;

/// The role of the server: it responds to a request.
const RESPONDER: u8 = 1;
/// The flag of a request after which the server keeps the connection open.
const KEEP_CONNECTION: u8 = 1;
/// The length of the content of an end record.
const END_LEN: usize = 8;

/// Encodes the records with which a request begins: the begin record and all parameters. [`set_request_id`] sets their
/// id.
/// Fails if a parameter does not fit into a record: php-fpm requires that none is split. The error is a message.
pub fn encode_head(parameters: &[(&str, &[u8])]) -> Result<Vec<u8>, String> {
    let mut to = Vec::with_capacity(1024);
    push_record(&mut to, NO_ID, BEGIN_REQUEST, &[0, RESPONDER, KEEP_CONNECTION, 0, 0, 0, 0, 0]);
    let mut content = Vec::with_capacity(1024);
    for (name, value) in parameters {
        let len = pair_len(name.len(), value.len());
        if len > MAX_CONTENT_LEN {
            let len = value.len();
            return Err(format!("the parameter {name} has {len} bytes, more than a FastCGI record can contain"));
        }
        if content.len() + len > MAX_CONTENT_LEN {
            push_record(&mut to, NO_ID, PARAMS, &content);
            content.clear();
        }
        push_pair(&mut content, name, value);
    }
    if !content.is_empty() {
        push_record(&mut to, NO_ID, PARAMS, &content);
    }
    push_record(&mut to, NO_ID, PARAMS, &[]);
    Ok(to)
}

/// Appends a parameter to the records that [`encode_head`] has returned. A parameter that does not fit into a record is
/// not sent.
pub fn append_parameter(head: &mut Vec<u8>, name: &str, value: &[u8]) {
    if pair_len(name.len(), value.len()) > MAX_CONTENT_LEN {
        return;
    }
    // The last record is empty, and ends the parameters.
    head.truncate(head.len().saturating_sub(HEADER_LEN));
    let mut content = Vec::with_capacity(pair_len(name.len(), value.len()));
    push_pair(&mut content, name, value);
    push_record(head, NO_ID, PARAMS, &content);
    push_record(head, NO_ID, PARAMS, &[]);
}

/// Appends a record of the request's body; empty content ends the body. `content` has at most [`MAX_CONTENT_LEN`]
/// bytes.
pub fn push_stdin(to: &mut Vec<u8>, id: u16, content: &[u8]) {
    push_record(to, id, STDIN, content);
}

/// Sets the id of a request in all its records. `id` is not 0.
pub fn set_request_id(mut records: &mut [u8], id: u16) {
    while let Some((header, rest)) = records.split_at_mut_checked(HEADER_LEN) {
        header[2..4].copy_from_slice(&id.to_be_bytes());
        let len = usize::from(u16::from_be_bytes([header[4], header[5]])) + usize::from(header[6]);
        records = rest.get_mut(len..).unwrap_or_default();
    }
}

fn push_record(to: &mut Vec<u8>, id: u16, kind: u8, content: &[u8]) {
    let [id_high, id_low] = id.to_be_bytes();
    let len = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let [len_high, len_low] = len.to_be_bytes();
    to.extend_from_slice(&[VERSION, kind, id_high, id_low, len_high, len_low, 0, 0]);
    to.extend_from_slice(&content[..usize::from(len)]);
}

/// Lengths up to 127 are encoded as one byte, others as four.
fn length_len(len: usize) -> usize {
    if len < 0x80 { 1 } else { 4 }
}

fn pair_len(name: usize, value: usize) -> usize {
    length_len(name).saturating_add(length_len(value)).saturating_add(name).saturating_add(value)
}

fn push_pair(to: &mut Vec<u8>, name: &str, value: &[u8]) {
    push_length(to, name.len());
    push_length(to, value.len());
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(value);
}

fn push_length(to: &mut Vec<u8>, len: usize) {
    match u8::try_from(len) {
        Ok(short) if short < 0x80 => to.push(short),
        // Longer values are rejected before.
        _ => to.extend_from_slice(&(u32::try_from(len).unwrap_or(u32::MAX) | 0x8000_0000).to_be_bytes()),
    }
}

/// A part of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResponsePart {
    /// Bytes of the response. They are never empty.
    Stdout(Bytes),
    /// Bytes of a message for the log. They are never empty.
    Stderr(Bytes),
    /// The end of the response.
    End {
        /// Whether the server has handled the request: 0 if it has.
        protocol_status: u8,
    },
}

/// Decodes the records of one response.
#[derive(Debug)]
pub struct Decoder {
    /// The id of the request.
    id: u16,
    state: DecoderState,
    stdout_ended: bool,
    stderr_ended: bool,
}

#[derive(Debug)]
enum DecoderState {
    /// The next bytes are the header of a record.
    Header,
    /// The next bytes are the content of a record, and then its padding.
    Content { kind: u8, left: usize, padding: usize },
    /// The next bytes are the content of the end record, and then its padding.
    End { padding: usize },
    /// The next bytes are padding.
    Padding { left: usize },
    /// The end record has been received.
    Ended,
}

impl Decoder {
    pub fn new(id: u16) -> Self {
        Self { id, state: DecoderState::Header, stdout_ended: false, stderr_ended: false }
    }

    /// Removes bytes from the beginning of `buffer`, and returns the next part of the response. Returns `None` if more
    /// bytes are needed, or if the response has ended.
    /// Fails if the bytes are not the records of a response. The error is a message.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<ResponsePart>, String> {
        loop {
            match &mut self.state {
                DecoderState::Header => {
                    if buffer.len() < HEADER_LEN {
                        return Ok(None);
                    }
                    let header = buffer.split_to(HEADER_LEN);
                    self.state = self.state_after_header(&header)?;
                }
                DecoderState::Content { kind, left, padding } => {
                    if *left == 0 {
                        self.state = DecoderState::Padding { left: *padding };
                        continue;
                    }
                    if buffer.is_empty() {
                        return Ok(None);
                    }
                    let content = buffer.split_to(buffer.len().min(*left)).freeze();
                    *left -= content.len();
                    return Ok(Some(if *kind == STDOUT {
                        ResponsePart::Stdout(content)
                    } else {
                        ResponsePart::Stderr(content)
                    }));
                }
                DecoderState::End { padding } => {
                    let len = END_LEN + *padding;
                    if buffer.len() < len {
                        return Ok(None);
                    }
                    let content = buffer.split_to(len);
                    self.state = DecoderState::Ended;
                    return Ok(Some(ResponsePart::End { protocol_status: content[4] }));
                }
                DecoderState::Padding { left } => {
                    let skipped = buffer.len().min(*left);
                    buffer.advance(skipped);
                    *left -= skipped;
                    if *left > 0 {
                        return Ok(None);
                    }
                    self.state = DecoderState::Header;
                }
                DecoderState::Ended => return Ok(None),
            }
        }
    }

    fn state_after_header(&mut self, header: &[u8]) -> Result<DecoderState, String> {
        let number = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (version, kind, id) = (header[0], header[1], number(2));
        let (len, padding) = (usize::from(number(4)), usize::from(header[6]));
        if version != VERSION {
            return Err(format!("a record has the version {version}, not 1"));
        }
        if ![STDOUT, STDERR, END_REQUEST].contains(&kind) {
            return Err(format!("a record has the unexpected type {kind}"));
        }
        if id != self.id {
            return Err(format!("a record has the request id {id}, and not that of the request"));
        }
        if kind == END_REQUEST {
            return match len {
                END_LEN => Ok(DecoderState::End { padding }),
                len => Err(format!("an end record has {len} bytes, not {END_LEN}")),
            };
        }
        let ended = if kind == STDOUT { &mut self.stdout_ended } else { &mut self.stderr_ended };
        if *ended {
            return Err("a stream continues after its end".to_owned());
        }
        // A record without content ends its stream.
        *ended = len == 0;
        Ok(DecoderState::Content { kind, left: len, padding })
    }
}
