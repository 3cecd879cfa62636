//! A file that came with a request, in a temporary file of its own.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use tempfile::TempPath;

/// A handle on an uploaded file. The temporary file is removed when the last handle is dropped.
///
/// It can stand in a handler's argument type, where the parameter's type is `file`.
#[derive(Debug, Clone)]
pub struct Upload(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    filename: String,
    media_type: String,
    size: u64,
    /// None where the file was not kept, and for the sample.
    path: Option<TempPath>,
    /// The BLAKE3 of its content, where it was made on the way.
    hash: Option<[u8; 32]>,
}

impl Upload {
    /// A file of `size` bytes that stands at `path`.
    pub(crate) fn new(filename: String, media_type: String, size: u64, path: TempPath) -> Self {
        Self(Arc::new(Inner { filename, media_type, size, path: Some(path), hash: None }))
    }

    /// The same, of whose content this is the BLAKE3.
    pub(crate) fn hashed(filename: String, media_type: String, size: u64, path: TempPath, hash: [u8; 32]) -> Self {
        Self(Arc::new(Inner { filename, media_type, size, path: Some(path), hash: Some(hash) }))
    }

    /// What is known of a file that was thrown away as it came, for the refusal: no parameter takes it.
    pub(crate) fn not_kept(filename: String, media_type: String, size: u64) -> Self {
        Self(Arc::new(Inner { filename, media_type, size, path: None, hash: None }))
    }

    /// A handle on no file, for trying types out at start.
    pub(crate) fn sample() -> Self {
        Self::not_kept("sample".to_owned(), "application/octet-stream".to_owned(), 0)
    }

    /// The name that the client gave, without any folders. It is not fit for a path on this machine.
    #[must_use]
    pub fn filename(&self) -> &str {
        &self.0.filename
    }

    /// The media type that the content was recognised as; never what the client said.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.0.media_type
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.size
    }

    /// Where it stands for as long as a handle lives, and until a store has taken it. Copy or link it to keep it, or hand
    /// it to [`Store::stage`](crate::store::Store::stage).
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path.as_deref().unwrap_or(Path::new(""))
    }

    /// The BLAKE3 of its content, which is made of uploads in programs that keep files
    /// ([`Rulebook::keep_files`](crate::Rulebook::keep_files)).
    #[must_use]
    pub fn hash(&self) -> Option<&[u8; 32]> {
        self.0.hash.as_ref()
    }

    /// The name under which a deserializer is asked for a handle.
    pub(crate) const NEWTYPE: &'static str = "$rulebook::Upload";

    /// Gives the handle to a visitor that was asked for under [`Upload::NEWTYPE`].
    ///
    /// serde's data model has no place for a handle, so it goes beside it: it is put down here and
    /// taken up by the visitor within the same call.
    pub(crate) fn hand_over<'de, V: Visitor<'de>, E: Error>(self, visitor: V) -> Result<V::Value, E> {
        HANDED.set(Some(self));
        let value = visitor.visit_unit();
        HANDED.set(None);
        value
    }
}

thread_local! {
    static HANDED: RefCell<Option<Upload>> = const { RefCell::new(None) };
}

impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Taker;
        impl<'de> Visitor<'de> for Taker {
            type Value = Upload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an uploaded file")
            }

            fn visit_unit<E: Error>(self) -> Result<Upload, E> {
                HANDED.take().ok_or_else(|| E::custom("only a parameter of type `file` holds an uploaded file"))
            }

            // What a deserializer does that knows nothing of handles.
            fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Upload, D::Error> {
                self.visit_unit()
            }
        }
        deserializer.deserialize_newtype_struct(Self::NEWTYPE, Taker)
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
