//! Finds the parts of HTTP/1 messages in what a client sends, before actix parses it.

use std::borrow::Cow;
use std::ops::Range;

use actix_http::RequestHead;
use bytes::BytesMut;
use http::header;
use memchr::{memchr, memchr2};
use percent_encoding::{AsciiSet, percent_encode};

/// The ASCII characters that browsers, curl and PHP send in a request target, and that actix refuses there, although it
/// reads them if they are percent-encoded. It also refuses all that is not ASCII.
const REFUSED_IN_TARGET: &AsciiSet = &AsciiSet::EMPTY.add(b'"').add(b'<').add(b'>').add(b'`');

/// The part of a message to which the next byte belongs (RFC 9112 sections 2.1, 6.3 and 7.1).
///
/// actix decodes every head that it has. It keeps several kilobytes for each, and writes a response in the way that the
/// last of them asks for, not that of its own request. The stream therefore gives it one head at a time, and nothing
/// behind the body of a request before its response has been made. Whether a message is valid is for actix to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// The head of the next request. Empty lines before it are ignored (section 2.2).
    Start,
    /// The method of a request, which a blank ends.
    Method,
    /// The request target and the version behind it: the rest of the first line.
    Target,
    /// A line of a head, which an empty line ends.
    Head { is_line_empty: bool },
    /// What follows a head that actix has not decoded yet.
    BehindHead,
    /// A body, of which this number of bytes, at least one, has not come.
    Body(u64),
    /// The size of a chunk, whose digits so far have this value.
    ChunkSize(u64),
    /// The rest of the line with this size of a chunk.
    ChunkExtension(u64),
    /// The data of a chunk, of which this number of bytes, at least one, has not come.
    ChunkData(u64),
    /// The line end behind the data of a chunk.
    ChunkEnd,
    /// A line behind the last chunk, which an empty line ends.
    Trailer { is_line_empty: bool },
}

impl Position {
    /// Returns the position behind a head that has been decoded.
    pub(super) fn behind(head: &RequestHead) -> Self {
        if head.headers.contains_key(header::TRANSFER_ENCODING) {
            return Self::ChunkSize(0);
        }
        let length = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        match length.and_then(|length| length.trim().parse().ok()) {
            Some(length @ 1..) => Self::Body(length),
            _ => Self::Start,
        }
    }

    /// Moves on over bytes, at most to the end of the head or of the body. Returns the number of these bytes.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if *self == Self::Start {
            at = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
            if at < bytes.len() {
                *self = Self::Method;
            }
        }
        while at < bytes.len() && !matches!(self, Self::Start | Self::BehindHead) {
            let (length, next) = self.step(&bytes[at..]);
            at += length;
            *self = next;
        }
        at
    }

    /// Returns the next bytes with a request target that is percent-encoded as far as actix requires it; `None` if
    /// these bytes need no change.
    pub(super) fn encode_target(self, bytes: &[u8]) -> Option<BytesMut> {
        let target = self.target_in(bytes);
        if !bytes[target.clone()].iter().any(|byte| !byte.is_ascii() || b"\"<>`".contains(byte)) {
            return None;
        }
        let encoded = Cow::from(percent_encode(&bytes[target.clone()], REFUSED_IN_TARGET));
        let mut changed = BytesMut::with_capacity(target.start + encoded.len() + (bytes.len() - target.end));
        changed.extend_from_slice(&bytes[..target.start]);
        changed.extend_from_slice(encoded.as_bytes());
        changed.extend_from_slice(&bytes[target.end..]);
        Some(changed)
    }

    /// Returns where the next bytes contain a request target and the version behind it, as far as they have come.
    fn target_in(self, bytes: &[u8]) -> Range<usize> {
        let start = match self {
            Self::Start | Self::Method => {
                let method = bytes.iter().position(|byte| self != Self::Start || !b"\r\n".contains(byte));
                let method = method.unwrap_or(bytes.len());
                let end = memchr2(b' ', b'\n', &bytes[method..]).map(|length| method + length);
                end.filter(|end| bytes[*end] == b' ').map_or(bytes.len(), |end| end + 1)
            }
            Self::Target => 0,
            _ => bytes.len(),
        };
        start..memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length)
    }

    /// Returns the length of the next element, or of its part in these bytes, and the position behind it.
    fn step(self, bytes: &[u8]) -> (usize, Self) {
        let line_end = || memchr(b'\n', bytes).map(|at| at + 1);
        let line = |is_empty, more: fn(bool) -> Self, end| match line_end() {
            Some(length) if is_empty && matches!(bytes[..length], [b'\n'] | [b'\r', b'\n']) => (length, end),
            Some(length) => (length, more(true)),
            None => (bytes.len(), more(is_empty && bytes == b"\r")),
        };
        let data = |left: u64, more: fn(u64) -> Self, end| {
            let length = left.min(bytes.len() as u64);
            (length as usize, if length == left { end } else { more(left - length) })
        };
        match self {
            Self::Start | Self::BehindHead => (0, self),
            Self::Method => match memchr2(b' ', b'\n', bytes) {
                Some(at) if bytes[at] == b' ' => (at + 1, Self::Target),
                Some(at) => (at + 1, Self::Head { is_line_empty: true }),
                None => (bytes.len(), self),
            },
            Self::Target => {
                line_end().map_or((bytes.len(), self), |length| (length, Self::Head { is_line_empty: true }))
            }
            Self::Head { is_line_empty } => {
                line(is_line_empty, |is_line_empty| Self::Head { is_line_empty }, Self::BehindHead)
            }
            Self::Trailer { is_line_empty } => {
                line(is_line_empty, |is_line_empty| Self::Trailer { is_line_empty }, Self::Start)
            }
            Self::Body(left) => data(left, Self::Body, Self::Start),
            Self::ChunkData(left) => data(left, Self::ChunkData, Self::ChunkEnd),
            Self::ChunkSize(size) => match char::from(bytes[0]).to_digit(16) {
                Some(digit) => (1, Self::ChunkSize(size.saturating_mul(16).saturating_add(digit.into()))),
                None => (0, Self::ChunkExtension(size)),
            },
            Self::ChunkExtension(size) => match (line_end(), size) {
                (None, _) => (bytes.len(), self),
                (Some(length), 0) => (length, Self::Trailer { is_line_empty: true }),
                (Some(length), _) => (length, Self::ChunkData(size)),
            },
            Self::ChunkEnd => line_end().map_or((bytes.len(), self), |length| (length, Self::ChunkSize(0))),
        }
    }
}
