//! A file on its way into the store.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use cap_std::fs::OpenOptions;
use tempfile::TempPath;

use super::{Folder, hash};
use crate::call::Upload;
use crate::store::StoreError;
use crate::transfer::{Facts, SAMPLE, sniff};

/// A file that is being written. It is gone when this is dropped.
#[derive(Debug)]
pub struct Writer {
    file: File,
    temporary: Temporary,
    hasher: blake3::Hasher,
    length: u64,
    limit: u64,
    /// Its first bytes, one more than are looked at.
    start: Vec<u8>,
}

/// A file that has been written and has no name yet. It is gone when this is dropped.
#[derive(Debug)]
pub struct Staged {
    temporary: Temporary,
    hash: blake3::Hash,
    media_type: Cow<'static, str>,
    facts: Facts,
}

/// A file among those on their way; removed when this is dropped, unless it has gone from there.
#[derive(Debug)]
pub(super) struct Temporary {
    folder: Arc<Folder>,
    called: String,
    gone: bool,
}

impl Writer {
    pub(in crate::store) fn new(folder: &Arc<Folder>, limit: u64) -> Result<Self, StoreError> {
        let called = folder.staging.name();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = folder.staging.own().open_with(&called, &options);
        let file = file.map_err(StoreError::io("making a file"))?.into_std();
        Ok(Self {
            file,
            temporary: Temporary::new(folder, called),
            hasher: blake3::Hasher::new(),
            length: 0,
            limit,
            start: Vec::new(),
        })
    }

    /// Writes the next bytes, as they are: large pieces cost less than many small ones.
    ///
    /// # Errors
    /// The file would be longer than its limit, or the disk refuses. Drop it then.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let length = self.length.saturating_add(bytes.len() as u64);
        if length > self.limit {
            return Err(StoreError::TooLong(self.limit));
        }
        self.file.write_all(bytes).map_err(StoreError::io("writing a file"))?;
        let looked_at = bytes.len().min((SAMPLE + 1).saturating_sub(self.start.len()));
        self.start.extend_from_slice(&bytes[..looked_at]);
        self.hasher.update(bytes);
        self.length = length;
        Ok(())
    }

    /// How many bytes have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Ends the file and brings it to the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(self) -> Result<Staged, StoreError> {
        let Self { file, temporary, hasher, start, .. } = self;
        Staged::new(&file, temporary, hasher.finalize(), sniff(&start).into())
    }

    /// Ends the file as one that came with a request, under the name that the client gave it. It may be lost in a crash
    /// until it is published.
    ///
    /// # Errors
    /// The folder that this program works in is gone.
    pub(crate) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        let Self { temporary, hasher, start, length, .. } = self;
        let path = temporary.into_path().map_err(StoreError::io("finishing a file"))?;
        Ok(Upload::hashed(filename, sniff(&start).to_owned(), length, path, *hasher.finalize().as_bytes()))
    }
}

impl Staged {
    /// Brings a file that has been written to the disk.
    pub(super) fn new(
        file: &File,
        temporary: Temporary,
        hash: blake3::Hash,
        media_type: Cow<'static, str>,
    ) -> Result<Self, StoreError> {
        let io = StoreError::io("finishing a file");
        // Where none can be kept, its tag is another one.
        if let Err(error) = hash::keep(file, hash.to_hex().as_str()) {
            log::debug!("the hash of a stored file is not kept: {error}");
        }
        file.sync_all().map_err(&io)?;
        let facts = hash::facts(file, &file.metadata().map_err(&io)?);
        Ok(Self { temporary, hash, media_type, facts })
    }

    /// What is known of it; it stays so when it is published.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The BLAKE3 of its content in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.to_hex().to_string()
    }

    /// The media type that its content was recognised as.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// What it is called among the files on their way.
    pub(super) fn called(&self) -> &str {
        &self.temporary.called
    }

    /// It is not there any more, or must stay there.
    pub(super) fn leave(mut self) -> Facts {
        self.temporary.gone = true;
        self.facts
    }
}

impl Temporary {
    /// What is called so among the files on their way.
    pub(super) fn new(folder: &Arc<Folder>, called: String) -> Self {
        Self { folder: Arc::clone(folder), called, gone: false }
    }

    /// The path that it has, which has to see to it from now on.
    fn into_path(mut self) -> io::Result<TempPath> {
        let path = TempPath::try_from_path(self.folder.path.join(self.folder.staging.path()).join(&self.called))?;
        self.gone = true;
        Ok(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.gone {
            // What cannot be removed now is removed at the next start.
            let _ = self.folder.staging.own().remove_file(&self.called);
        }
    }
}
