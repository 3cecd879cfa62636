//! What of a request cannot be decoded.

/// What of a request cannot be decoded, and why, with a place where there is one; nothing of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A `%` in the path without two hexadecimal digits behind it.
    PathEscape,
    /// A segment of the path that is not UTF-8.
    PathEncoding,
    /// A body that breaks off, or is not coded as it is announced.
    BodyBroken,
    /// A JSON body that is not UTF-8 from this byte on.
    JsonEncoding {
        /// From 0.
        byte: usize,
    },
    /// A JSON body that is no object.
    JsonKind,
    /// A body that is no JSON from here on.
    JsonSyntax {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// A JSON body that ends too early.
    JsonEnd {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// A multipart body whose Content-Type has no boundary.
    MultipartBoundary,
    /// A multipart body without a part among its first bytes.
    MultipartStart {
        /// How many bytes are searched.
        most: usize,
    },
    /// A part that does not begin where and as it should.
    MultipartPart {
        /// From 1.
        part: u64,
    },
    /// A part whose header fields are broken.
    MultipartHead {
        /// From 1.
        part: u64,
    },
    /// A part without a name.
    MultipartName {
        /// From 1.
        part: u64,
    },
    /// A part whose name is too long.
    MultipartLongName {
        /// From 1.
        part: u64,
        /// How many bytes a name has at most.
        most: usize,
    },
    /// A multipart body that ends within a part.
    MultipartEnd {
        /// From 1.
        part: u64,
    },
}

impl Unreadable {
    /// What serde_json says, without what it quotes of the text.
    pub(crate) fn json(error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() { Self::JsonEnd { line, column } } else { Self::JsonSyntax { line, column } }
    }
}
