//! The bytes of a client that have been received before actix may have them.
//!
//! actix decodes each head that it has, and keeps several kilobytes for it until its request is handled. It therefore
//! gets no more than one complete head at a time.

use bytes::{Buf, BytesMut};
use memchr::memchr_iter;
use tokio::io::ReadBuf;

/// Bytes that have been received, but that actix does not have yet.
#[derive(Debug, Default)]
pub(super) struct BytesAhead {
    bytes: BytesMut,
    /// `true` once the client has closed its side.
    pub(super) is_end: bool,
}

/// What a piece of heads contains.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// No end of a head.
    Part,
    /// The end of a head, and this number of bytes behind it.
    End(usize),
    /// The ends of several heads. The first one is at this position.
    SeveralEnds(usize),
}

impl Piece {
    /// Returns what a piece contains. An empty line ends a head (RFC 9112 section 2.1); a line may also end with a
    /// single LF, and empty lines before a head are ignored (section 2.2). An end whose bytes are in two pieces is not
    /// found.
    fn of(bytes: &[u8]) -> Self {
        let begin = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
        let mut ends = memchr_iter(b'\n', &bytes[begin..]).filter_map(|at| match bytes[begin + at + 1..] {
            [b'\r', b'\n', ..] => Some(begin + at + 3),
            [b'\n', ..] => Some(begin + at + 2),
            _ => None,
        });
        match (ends.next(), ends.next()) {
            (None, _) => Self::Part,
            (Some(end), None) => Self::End(bytes.len() - end),
            (Some(first), Some(_)) => Self::SeveralEnds(first),
        }
    }
}

impl BytesAhead {
    /// Returns the number of bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns `true` if there are no bytes.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Adds bytes that have been received.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Passes as many bytes as possible to `buffer`, of heads at most one complete one. Returns what they contain if
    /// they are heads.
    pub(super) fn pass(&mut self, are_heads: bool, buffer: &mut ReadBuf<'_>) -> Option<Piece> {
        let length = self.len().min(buffer.remaining());
        let piece = are_heads.then(|| Piece::of(&self.bytes[..length]));
        let length = if let Some(Piece::SeveralEnds(first)) = piece { first } else { length };
        buffer.put_slice(&self.bytes[..length]);
        self.bytes.advance(length);
        if self.is_empty() {
            self.bytes = BytesMut::new();
        }
        piece
    }

    /// Takes what follows the first complete head from `buffer`, whose bytes from `begin` on are heads that have just
    /// been received, if they contain the end of another one. Returns what they contained.
    pub(super) fn keep_further_heads(&mut self, buffer: &mut ReadBuf<'_>, begin: usize) -> Piece {
        let piece = Piece::of(&buffer.filled()[begin..]);
        if let Piece::SeveralEnds(first) = piece {
            self.add(&buffer.filled()[begin + first..]);
            buffer.set_filled(begin + first);
        }
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_contain_at_most_one_end_of_a_head() {
        for (received, pieces) in [
            ("GET / HTTP/1.1\r\na: b\r\n", &["GET / HTTP/1.1\r\na: b\r\n"][..]),
            ("a\r\n\r\nbody", &["a\r\n\r\nbody"]),
            ("a\r\n\r\nb\r\n\r\nc\n\nd", &["a\r\n\r\n", "b\r\n\r\n", "c\n\nd"]),
            ("a\n\r\nb\r\n\nc", &["a\n\r\n", "b\r\n\nc"]),
            ("\r\n\r\n\r\na\r\n\r\n\n\n\n", &["\r\n\r\n\r\na\r\n\r\n", "\n\n\n"]),
        ] {
            let mut ahead = BytesAhead::default();
            ahead.add(received.as_bytes());
            let mut passed = Vec::new();
            while !ahead.is_empty() {
                let mut memory = [0; 64];
                let mut buffer = ReadBuf::new(&mut memory);
                ahead.pass(true, &mut buffer);
                passed.push(String::from_utf8(buffer.filled().to_vec()).unwrap());
            }
            assert_eq!(passed, pieces, "{received:?}");
        }
    }
}
