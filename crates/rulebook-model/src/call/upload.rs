//! Uploaded files. The server stores the content of each upload in a temporary file.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use tempfile::TempPath;

/// A handle of an uploaded file. The temporary file is removed when the last clone of the handle is dropped.
///
/// Handlers of methods receive an `Upload` as the argument for a parameter of the type `file`. Two `Upload`s are equal
/// if they refer to the same uploaded file.
#[derive(Debug, Clone)]
pub struct Upload(Arc<UploadData>);

#[derive(Debug)]
struct UploadData {
    filename: String,
    media_type: String,
    size: u64,
    /// The path of the temporary file; `None` if the content was discarded.
    path: Option<TempPath>,
    /// The BLAKE3 hash of the content; `None` if it was not computed.
    hash: Option<[u8; 32]>,
}

impl Upload {
    /// Creates a handle for a received file of `size` bytes. Without a `path`, the handle has no content: it describes
    /// a file that was discarded because no parameter accepts it. `hash` is the BLAKE3 hash of the content.
    #[doc(hidden)] // Only the server receives files.
    pub fn new(
        filename: String,
        media_type: String,
        size: u64,
        path: Option<TempPath>,
        hash: Option<[u8; 32]>,
    ) -> Self {
        Self(Arc::new(UploadData { filename, media_type, size, path, hash }))
    }

    /// Returns the file name that the client sent, without folders. Do not use the name in a file path, because it may
    /// contain any character.
    #[must_use]
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// Returns the media type that was detected from the content. The media type that the client sent is ignored.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.0.media_type
    }

    /// Returns the size of the file in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// Returns the path of the temporary file. The file exists until the last handle is dropped or `Store::stage` moves
    /// the file to a store. To keep the file, copy or link it, or pass the upload to `Store::stage`.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path.as_deref().unwrap_or(Path::new(""))
    }

    /// Returns the BLAKE3 hash of the content, or `None` if the program does not store files (`Rulebook::keep_files`).
    #[must_use]
    pub fn hash(&self) -> Option<&[u8; 32]> {
        self.0.hash.as_ref()
    }

    /// The name that an upload passes to `deserialize_newtype_struct`, by which a deserializer recognizes it.
    #[doc(hidden)] // Only the deserializer of arguments uses it.
    pub const NEWTYPE_NAME: &'static str = "$rulebook::Upload";

    /// Passes the handle to the visitor that a deserializer received with the name [`Upload::NEWTYPE_NAME`].
    ///
    /// serde's data model has no type for a file handle. Therefore, this function stores the handle in a thread-local
    /// variable, and the visitor takes the handle from this variable before the function returns.
    #[doc(hidden)] // Only the deserializer of arguments calls it.
    pub fn deserialize_into<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        UPLOAD_FOR_VISITOR.set(Some(self));
        let value = visitor.visit_unit();
        UPLOAD_FOR_VISITOR.set(None);
        value
    }
}

thread_local! {
    /// The handle that [`Upload::deserialize_into`] passes to the visitor.
    static UPLOAD_FOR_VISITOR: RefCell<Option<Upload>> = const { RefCell::new(None) };
}

impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct UploadVisitor;
        impl<'de> Visitor<'de> for UploadVisitor {
            type Value = Upload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an uploaded file")
            }

            fn visit_unit<E: Error>(self) -> Result<Upload, E> {
                UPLOAD_FOR_VISITOR
                    .take()
                    .ok_or_else(|| E::custom("only a parameter of type `file` holds an uploaded file"))
            }

            // A deserializer that does not recognize `NEWTYPE_NAME` calls this function.
            fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Upload, D::Error> {
                self.visit_unit()
            }
        }
        deserializer.deserialize_newtype_struct(Self::NEWTYPE_NAME, UploadVisitor)
    }
}

impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut file = serializer.serialize_struct("Upload", 3)?;
        file.serialize_field("filename", self.filename())?;
        file.serialize_field("size", &self.size())?;
        file.serialize_field("media_type", self.media_type())?;
        file.end()
    }
}
