//! The reasons why a request cannot be decoded.

use serde::Serialize;

/// The reason why a request cannot be decoded, and the position of the error where it is known. It never contains
/// content of the request. The serialized names are those of its message in the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum MalformedRequest {
    /// A `%` in the path is not followed by two hexadecimal digits.
    PathEscape,
    /// A segment of the path is not UTF-8.
    PathEncoding,
    /// The header field `Idempotency-Key` is not a string, or occurs more than once.
    IdempotencyKey,
    /// The body ends too early, or its transfer coding is malformed.
    BodyBroken,
    /// A JSON body is not UTF-8.
    JsonEncoding {
        /// The index of the first invalid byte, from 0.
        byte: usize,
    },
    /// A JSON body is valid JSON but not an object.
    JsonKind,
    /// A JSON body has a syntax error.
    JsonSyntax {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1.
        column: usize,
    },
    /// A JSON body ends too early.
    JsonEnd {
        /// The line of the error, from 1.
        line: usize,
        /// The column of the error in bytes, from 1.
        column: usize,
    },
    /// The Content-Type of a multipart body has no boundary.
    MultipartBoundary,
    /// The first bytes of a multipart body contain no part.
    MultipartStart {
        /// The number of bytes that were searched for the first part.
        searched: usize,
    },
    /// A part of a multipart body does not begin with a valid boundary.
    MultipartPart {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// The header fields of a part of a multipart body are malformed.
    MultipartHead {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// A part of a multipart body has no name.
    MultipartName {
        /// The number of the multipart part, from 1.
        part: u64,
    },
    /// The name of a part of a multipart body is too long.
    MultipartLongName {
        /// The number of the multipart part, from 1.
        part: u64,
        /// The maximum length of a name in bytes.
        max: usize,
    },
    /// A multipart body ends inside of a part.
    MultipartEnd {
        /// The number of the multipart part, from 1.
        part: u64,
    },
}

impl MalformedRequest {
    /// Converts an error of serde_json. Only its position is kept, because its message may quote the body.
    #[must_use]
    pub fn from_json_error(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() { Self::JsonEnd { line, column } } else { Self::JsonSyntax { line, column } }
    }
}
