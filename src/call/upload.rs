//! A file that came with a request, in a temporary file of its own.

use std::path::Path;

use serde::ser::{Serialize, SerializeStruct, Serializer};
use tempfile::TempPath;

/// An uploaded file. The temporary file is removed when the last handle is dropped.
#[derive(Debug)]
pub struct Upload {
    filename: String,
    media_type: String,
    size: u64,
    path: TempPath,
}

impl Upload {
    /// A file of `size` bytes that stands at `path`.
    pub(crate) fn new(filename: String, media_type: String, size: u64, path: TempPath) -> Self {
        Self {
            filename,
            media_type,
            size,
            path,
        }
    }

    /// The name that the client gave, without any folders. It is not fit for a path on this machine.
    #[must_use]
    pub fn filename(&self) -> &str {
        &self.filename
    }

    /// The media type that the content was recognised as; never what the client said.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where it stands for as long as this handle lives. Copy or link it to keep it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl PartialEq for Upload {
    fn eq(&self, other: &Self) -> bool {
        self.path.as_os_str() == other.path.as_os_str()
    }
}

impl Serialize for Upload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut file = serializer.serialize_struct("Upload", 3)?;
        file.serialize_field("filename", &self.filename)?;
        file.serialize_field("size", &self.size)?;
        file.serialize_field("media_type", &self.media_type)?;
        file.end()
    }
}
