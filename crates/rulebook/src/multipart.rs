//! Forms with files (`multipart/form-data`, RFC 7578) that a program sends to other servers, and the parts of those
//! that it receives.

use bytes::Bytes;

use crate::call::{RequestId, Upload};

/// Writes a form with files. The content of a file has the type `F`, for example an open file or an [`Upload`]: the
/// program reads it when it sends the form.
///
/// ```
/// use rulebook::multipart::{MultipartForm, MultipartPiece};
///
/// let mut form = MultipartForm::new();
/// form.field("title", "Sunset");
/// form.file("photo", "sunset.jpg", Some("image/jpeg"), vec![0xff_u8, 0xd8]);
/// assert!(form.media_type().starts_with("multipart/form-data; boundary="));
/// let mut body = Vec::new();
/// for piece in form.finish() {
///     match piece {
///         MultipartPiece::Bytes(bytes) => body.extend_from_slice(&bytes),
///         MultipartPiece::File(content) => body.extend(content),
///     }
/// }
/// ```
///
/// [`Upload`]: crate::Upload
#[derive(Debug)]
pub struct MultipartForm<F> {
    boundary: String,
    escape: fn(&str) -> String,
    pieces: Vec<MultipartPiece<F>>,
    /// The bytes after the last file.
    written: Vec<u8>,
}

/// A piece of a form with files. The pieces together are the body of the request.
#[derive(Debug, Clone)]
pub enum MultipartPiece<F> {
    /// Fields, and what is between files.
    Bytes(Bytes),
    /// The content of a file.
    File(F),
}

/// A part of a multipart body.
#[derive(Debug, Clone)]
pub struct BodyPart {
    /// The field name of the part, which selects the parameter.
    pub name: String,
    /// The text or file that the part contains.
    pub content: BodyPartContent,
}

/// The content of a part of a multipart body.
#[derive(Debug, Clone)]
pub enum BodyPartContent {
    /// The bytes of a part that has no file name.
    Field(Bytes),
    /// The uploaded file of a part that has a file name.
    File(Upload),
    /// An uploaded file that is not an argument, because no parameter accepts files with this name, or because the user
    /// has selected no file. Its name contains folders if the client has sent them.
    OtherFile {
        /// The file.
        upload: Upload,
        /// The media type that the client has sent; `None` if it has sent none.
        media_type: Option<Box<str>>,
    },
}

impl<F> MultipartForm<F> {
    /// Creates a form without fields.
    #[must_use]
    pub fn new() -> Self {
        // The boundary has 128 random bits, so that no content contains it.
        let boundary = format!("rulebook-{}{}", RequestId::random(), RequestId::random());
        Self { boundary, escape: escape_name, pieces: Vec::new(), written: Vec::new() }
    }

    /// Sets how the names of fields and files are escaped. Without it, quotes and line breaks are percent-encoded, as
    /// browsers do (RFC 7578 section 2).
    #[must_use]
    pub fn with_escape(mut self, escape: fn(&str) -> String) -> Self {
        self.escape = escape;
        self
    }

    /// Returns the value of `Content-Type`, which contains the boundary between the fields.
    #[must_use]
    pub fn media_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    /// Adds a field that is not a file.
    pub fn field(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.begin(name, "");
        self.written.extend_from_slice(value.as_ref());
        self.written.extend_from_slice(b"\r\n");
    }

    /// Adds a file. Control characters in its media type are omitted.
    pub fn file(&mut self, name: &str, filename: &str, media_type: Option<&str>, content: F) {
        let mut attributes = format!("; filename=\"{}\"", (self.escape)(filename));
        if let Some(media_type) = media_type {
            attributes += "\r\nContent-Type: ";
            attributes.extend(media_type.chars().filter(|char| !char.is_control()));
        }
        self.begin(name, &attributes);
        let before = std::mem::replace(&mut self.written, b"\r\n".to_vec());
        self.pieces.push(MultipartPiece::Bytes(before.into()));
        self.pieces.push(MultipartPiece::File(content));
    }

    /// Returns the pieces of the complete form.
    #[must_use]
    pub fn finish(mut self) -> Vec<MultipartPiece<F>> {
        self.written.extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        self.pieces.push(MultipartPiece::Bytes(self.written.into()));
        self.pieces
    }

    /// Writes the head of a field. `attributes` follow its name.
    fn begin(&mut self, name: &str, attributes: &str) {
        let name = (self.escape)(name);
        let head =
            format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"{attributes}\r\n\r\n", self.boundary);
        self.written.extend_from_slice(head.as_bytes());
    }
}

impl<F> Default for MultipartForm<F> {
    fn default() -> Self {
        Self::new()
    }
}

/// Encodes the characters that end a quoted name.
fn escape_name(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}
