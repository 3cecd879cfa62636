//! Uploaded files. The content of an upload is in a temporary file, or in memory if it is short.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

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
    content: UploadContent,
    /// The BLAKE3 hash of the content; `None` if it was not computed.
    hash: Option<[u8; 32]>,
}

/// Where the temporary files of uploads are created.
#[doc(hidden)] // Only the server receives files.
pub trait TemporaryFiles: Send + Sync {
    /// Creates a temporary file with this content.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    fn create(&self, content: &[u8]) -> io::Result<TempPath>;
}

/// Where the content of an upload is.
#[doc(hidden)] // Only the server receives files.
pub enum UploadContent {
    /// Nowhere: no parameter accepts the file.
    Discarded,
    /// In a temporary file.
    File(TempPath),
    /// In memory, and in a temporary file once a handler has asked for its path. Creating many files costs much more
    /// than receiving them.
    Memory {
        /// The whole content.
        bytes: Vec<u8>,
        /// Where the temporary file is created.
        files: Arc<dyn TemporaryFiles>,
        /// The temporary file, if there is one.
        file: OnceLock<TempPath>,
    },
}

impl fmt::Debug for UploadContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discarded => f.write_str("Discarded"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Memory { file, .. } => f.debug_struct("Memory").field("file", file).finish_non_exhaustive(),
        }
    }
}

impl Upload {
    /// Creates a handle for a received file of `size` bytes. `hash` is the BLAKE3 hash of the content.
    #[doc(hidden)] // Only the server receives files.
    pub fn new(
        filename: String,
        media_type: String,
        size: u64,
        content: UploadContent,
        hash: Option<[u8; 32]>,
    ) -> Self {
        Self(Arc::new(UploadData { filename, media_type, size, content, hash }))
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

    /// Returns the content if it is in memory, as that of a short file is; otherwise `None`, and the content is in the
    /// file at [`path`](Self::path).
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        match &self.0.content {
            UploadContent::Memory { bytes, .. } => Some(bytes),
            UploadContent::File(_) | UploadContent::Discarded => None,
        }
    }

    /// Returns the path of the temporary file. If the content is in memory, the first call creates the file. The file
    /// exists until the last handle is dropped or `Store::stage` moves the file to a store. To keep the file, copy or
    /// link it, or pass the upload to `Store::stage`.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    pub fn path(&self) -> io::Result<&Path> {
        match &self.0.content {
            UploadContent::Discarded => Err(io::ErrorKind::NotFound.into()),
            UploadContent::File(path) => Ok(path),
            UploadContent::Memory { bytes, files, file } => match file.get() {
                Some(path) => Ok(path),
                None => {
                    let created = files.create(bytes)?;
                    // If another thread was faster, the file that was created here is removed.
                    Ok(file.get_or_init(|| created))
                }
            },
        }
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
