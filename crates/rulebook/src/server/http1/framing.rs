//! How the body of a request is delimited (RFC 9112 sections 6 and 7), and the decoder of the chunked coding.

use std::io;

use bytes::{Bytes, BytesMut};
use memchr::memchr;

/// The maximum length in bytes of a line with the size of a chunk, including its extensions.
const MAX_SIZE_LINE: usize = 1 << 10;
/// The maximum length in bytes of the trailer section of a chunked body, which is discarded.
const MAX_TRAILERS: usize = 16 << 10;
/// The length in bytes from which the data of a chunk is returned without a copy. Shorter chunks are joined: each piece
/// of a body costs work in the stages that read it, however short it is.
const MIN_SHARED_CHUNK: usize = 4 << 10;

/// How the rest of a request's body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// The body has this number of further bytes.
    Length(u64),
    /// The body has the chunked coding.
    Chunked(ChunkState),
}

/// The position in a body that has the chunked coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkState {
    /// At the line with the size of the next chunk.
    Size,
    /// In the data of a chunk, which has this number of further bytes.
    Data(u64),
    /// At the line end after the data of a chunk.
    DataEnd,
    /// In the trailer section, of which this number of bytes has been discarded.
    Trailers(usize),
    /// After the body.
    Ended,
}

impl Framing {
    /// Returns `true` if the whole body has been taken.
    pub(super) fn has_ended(self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(ChunkState::Ended))
    }

    /// Takes the bytes of the body from the beginning of `received`, as many as it contains. They are empty if more
    /// bytes have to be received first, or if the body [has ended](Framing::has_ended).
    ///
    /// # Errors
    /// Fails if the chunked coding is invalid.
    pub(super) fn take(&mut self, received: &mut BytesMut) -> io::Result<Bytes> {
        match self {
            Self::Length(left) => Ok(take_data(left, received)),
            Self::Chunked(state) => state.take(received),
        }
    }
}

/// Takes at most `left` bytes, and subtracts their number from `left`.
fn take_data(left: &mut u64, received: &mut BytesMut) -> Bytes {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(received.len());
    *left -= length as u64;
    received.split_to(length).freeze()
}

impl ChunkState {
    fn take(&mut self, received: &mut BytesMut) -> io::Result<Bytes> {
        let mut joined = BytesMut::new();
        while self.skip_delimiters(received)? {
            let Self::Data(left) = self else { break };
            if received.is_empty() {
                break;
            }
            let is_long = received.len() >= MIN_SHARED_CHUNK && *left >= MIN_SHARED_CHUNK as u64;
            if is_long && !joined.is_empty() {
                break;
            }
            let data = take_data(left, received);
            if *left == 0 {
                *self = Self::DataEnd;
            }
            if is_long {
                return Ok(data);
            }
            joined.extend_from_slice(&data);
        }
        Ok(joined.freeze())
    }

    /// Advances to the data of a chunk or to the end of the body. Returns `false` if more bytes have to be received
    /// first.
    fn skip_delimiters(&mut self, received: &mut BytesMut) -> io::Result<bool> {
        loop {
            match self {
                Self::Data(_) | Self::Ended => return Ok(true),
                Self::Size => {
                    let searched = &received[..received.len().min(MAX_SIZE_LINE)];
                    let Some(end) = memchr(b'\n', searched) else {
                        let is_too_long = searched.len() == MAX_SIZE_LINE;
                        return if is_too_long { Err(invalid_chunk()) } else { Ok(false) };
                    };
                    let size = parse_size_line(&received.split_to(end + 1)).ok_or_else(invalid_chunk)?;
                    *self = if size == 0 { Self::Trailers(0) } else { Self::Data(size) };
                }
                Self::DataEnd => match received.get(..2) {
                    Some(b"\r\n") => {
                        let _ = received.split_to(2);
                        *self = Self::Size;
                    }
                    Some(_) => return Err(invalid_chunk()),
                    None => return Ok(false),
                },
                Self::Trailers(discarded) => {
                    let Some(end) = memchr(b'\n', received) else {
                        let is_too_long = *discarded + received.len() > MAX_TRAILERS;
                        return if is_too_long { Err(invalid_chunk()) } else { Ok(false) };
                    };
                    *discarded += end + 1;
                    if *discarded > MAX_TRAILERS {
                        return Err(invalid_chunk());
                    }
                    let line = received.split_to(end + 1);
                    if line.len() < 2 || memchr(b'\r', &line) != Some(line.len() - 2) {
                        return Err(invalid_chunk());
                    }
                    if line.len() == 2 {
                        *self = Self::Ended;
                    }
                }
            }
        }
    }
}

/// Returns the size of a chunk from its line (RFC 9112 section 7.1); `None` if the line is invalid. Extensions are
/// ignored, but a control character in them is not: other servers could regard it as the end of the line.
fn parse_size_line(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n")?;
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, extensions) = line.split_at(digits);
    let is_valid = extensions.is_empty() || extensions.trim_ascii_start().starts_with(b";");
    let has_control = extensions.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    (is_valid && !has_control).then_some(size)
}

fn invalid_chunk() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the chunked coding of the body is invalid")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Decodes a chunked body that arrives in pieces of this length. Returns the body, and the bytes after it.
    fn decode(text: &[u8], piece: usize) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let (mut framing, mut received, mut body) = (Framing::Chunked(ChunkState::Size), BytesMut::new(), Vec::new());
        for part in text.chunks(piece) {
            received.extend_from_slice(part);
            loop {
                let bytes = framing.take(&mut received)?;
                body.extend_from_slice(&bytes);
                if bytes.is_empty() {
                    break;
                }
            }
        }
        Ok(framing.has_ended().then(|| (body, received.to_vec())))
    }

    #[test]
    fn a_chunked_body_is_decoded_in_whatever_pieces_it_arrives() {
        let long = [b"2000\r\n".as_slice(), &[b'x'; 0x2000], b"\r\n"].concat();
        let text = [b"1\r\na\r\nA;name=\"value\"\r\n0123456789\r\n", &long[..], b"0\r\nx: y\r\n\r\nGET /"].concat();
        let body = [b"a0123456789".as_slice(), &[b'x'; 0x2000]].concat();
        for piece in [1, 2, 7, 100, 5000, text.len()] {
            assert_eq!(decode(&text, piece).unwrap(), Some((body.clone(), b"GET /".to_vec())), "pieces of {piece}");
        }
    }

    #[test]
    fn an_incomplete_chunked_body_does_not_end() {
        let text = b"1\r\na\r\n0\r\n\r\n";
        for length in 0..text.len() {
            assert_eq!(decode(&text[..length], 3).unwrap(), None, "{length} bytes");
        }
    }

    #[test]
    fn invalid_chunks_are_refused() {
        let long_line = [b"1;".as_slice(), &[b'x'; MAX_SIZE_LINE], b"\r\na\r\n"].concat();
        let long_trailers = [b"0\r\n".as_slice(), &b"name: value\r\n".repeat(MAX_TRAILERS / 12), b"\r\n"].concat();
        let cases: [&[u8]; 18] = [
            b"nonsense\r\n",
            b"\r\n\r\n",
            b";x\r\na\r\n",
            b"1\na\r\n",
            b"1 \r\na\r\n",
            b"0x1\r\na\r\n",
            b"+1\r\na\r\n",
            b"1;\na\r\n0\r\n\r\n",
            b"1;a\rb\r\na\r\n",
            b"0\r\nx: y\rz: 1\r\n\r\n",
            b"0\r\n\n",
            b"-1\r\n",
            b"11111111111111111\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n1\r\n",
            b"0\r\nx: y\n\r\n",
            &long_line,
            &long_trailers,
        ];
        for text in cases {
            for piece in [1, text.len()] {
                assert!(decode(text, piece).is_err(), "{:?}", String::from_utf8_lossy(text));
            }
        }
    }
}
