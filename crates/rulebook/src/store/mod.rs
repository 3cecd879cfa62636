//! Storage for files that clients upload to the API and download from it.
//!
//! This Rust module reads and writes stored files. It recovers the files after a crash: if the server has confirmed an
//! upload to the client, the file is complete; if not, the file does not exist. This Rust module must not depend on
//! requests.
//!
//! A store has a storage that implements the trait [`FileEngine`]: a local folder (`folder`), or another one, such as
//! an object storage.

mod engine;
#[cfg(feature = "files")]
mod folder;
mod lazy;
mod links;

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

pub use rulebook_model::filename::{FileName, FileNameError, FilePatterns, PatternError};
use tempfile::TempPath;

use crate::call::{Content, Download, Upload, UploadContent};
pub use crate::transfer::{FileInfo, LinkId, LinkKey, Precondition};
use crate::transfer::{SAMPLE_LEN, detect_media_type};

pub use engine::{ContentWriter, FileEngine, NewFile, StoreError};
pub(crate) use lazy::{LazyStore, OpenEngine};
pub(crate) use links::LinkFolder;
pub use links::{LinkContent, LinkFiles, LinkUses, LinkWriter, NewLink, OpenLink, link_size};

/// The number of bytes that are copied at once from an uploaded file.
const COPY_CHUNK_LEN: usize = 256 << 10;

/// A store of files in a folder, or in another storage. A clone of this value uses the same storage.
///
/// Every method except [`Store::read_nonblocking`] waits for disk operations or for another server, so asynchronous
/// code must call it in `spawn_blocking`.
///
/// ```
/// use rulebook::store::{FileName, Precondition, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let store = Store::open(folder)?;
/// let name = FileName::parse("articles/1.txt")?;
/// let mut writer = store.writer(1 << 20)?;
/// writer.write(b"Once upon a time")?;
/// let info = store.publish(writer.finish()?, &name, &Precondition::absent())?;
/// assert_eq!(store.info(&name)?, info);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    engine: Arc<dyn FileEngine>,
}

/// An open file of the store.
#[derive(Debug)]
#[non_exhaustive]
pub struct StoredFile {
    /// The content of the file.
    pub content: Content,
    /// The length, entity tag and modification time of the file.
    pub info: FileInfo,
}

/// A file to be published together with others by [`Store::publish_all`].
#[derive(Debug)]
pub struct Publication {
    /// The file to publish. Its content is complete.
    pub staged: StagedFile,
    /// The name under which the file is published.
    pub name: FileName,
    /// The condition that the existing file with this name, or its absence, must meet.
    pub precondition: Precondition,
}

/// The folders and files in a folder of the store, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The folders in the folder, each with its full name in the store.
    pub folders: Vec<FileName>,
    /// The files in the folder, each with its full name in the store.
    pub files: Vec<FileName>,
}

impl Store {
    /// Opens the folder of a store, and creates the folder if it does not exist. If an earlier program ended while it
    /// published files, this call completes or reverts the publication and removes the temporary files of that program.
    /// Several programs may open the same folder at the same time.
    ///
    /// The store keeps the folder open. If the folder is renamed, the store continues to use it, and ignores any folder
    /// that is created at the old path later.
    ///
    /// # Errors
    /// Fails if the folder cannot be opened or created, if an interrupted publication can be neither completed nor
    /// reverted, or if this crate was compiled without the feature `files`.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { engine: open_folder(folder)? })
    }

    /// Returns the store of the files in a storage other than a folder.
    ///
    /// # Errors
    /// Never fails.
    pub fn with_engine(engine: Arc<dyn FileEngine>) -> Result<Self, StoreError> {
        Ok(Self { engine })
    }

    /// Checks that a storage other than a folder can be used.
    ///
    /// # Errors
    /// Fails if [`FileEngine::check`] fails.
    pub fn check(&self) -> Result<(), StoreError> {
        self.engine.check()
    }

    /// Opens a file for reading. Symbolic links are never followed, not even those that point into the store.
    ///
    /// The entity tag is the hash of the content, if a store published the file and no other program has written to the
    /// file since. Otherwise the entity tag is derived from the metadata of the file.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if no file has this name, and [`StoreError::Io`] if the file cannot be opened.
    pub fn read(&self, name: &FileName) -> Result<StoredFile, StoreError> {
        self.engine.read(name)
    }

    /// Opens a file for reading only if this does not need to wait for the disk. The result is the same as that of
    /// [`Store::read`], except that the content of a small file may be in memory. Returns `None` if opening might have
    /// to wait; the caller must then use [`Store::read`].
    ///
    /// On Linux, this succeeds for files on a local file system that were opened recently. On other systems, and for
    /// files in other storages, it always returns `None`.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if no file has this name.
    #[must_use]
    pub fn read_nonblocking(&self, name: &FileName) -> Option<Result<StoredFile, StoreError>> {
        self.engine.read_nonblocking(name)
    }

    /// Returns the length, entity tag and modification time of a file.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if no file has this name, and [`StoreError::Io`] if the file cannot be opened.
    pub fn info(&self, name: &FileName) -> Result<FileInfo, StoreError> {
        self.engine.info(name)
    }

    /// Lists the content of a folder. `None` is the top folder of the store. Files and folders whose names are not
    /// valid in the store are omitted.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if no folder has this name, and [`StoreError::Io`] if the folder cannot be
    /// read.
    pub fn list(&self, folder: Option<&FileName>) -> Result<Listing, StoreError> {
        self.engine.list(folder)
    }

    /// Creates a temporary file in the store and returns a writer for it. The file can have at most `limit` bytes.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    pub fn writer(&self, limit: u64) -> Result<Writer, StoreError> {
        Writer::new(&self.engine, limit)
    }

    /// Converts an uploaded file to a [`StagedFile`], which can be published. If the server has written the upload into
    /// the folder of this store, the file is moved; otherwise its content is copied.
    ///
    /// # Errors
    /// Fails if the upload has been staged already, or if the disk has no space for a copy.
    pub fn stage(&self, upload: &Upload) -> Result<StagedFile, StoreError> {
        let io = StoreError::io_during("taking over an uploaded file");
        if let Some(bytes) = upload.bytes() {
            let mut writer = self.writer(u64::MAX)?;
            writer.write(bytes)?;
            return writer.finish();
        }
        let upload_path = upload.path().map_err(&io)?;
        let name = upload_path.file_name().and_then(|name| name.to_str());
        if let (Some(name), Some(hash)) = (name, upload.hash())
            && self.engine.content_path(name).is_some_and(|path| path == upload_path)
        {
            let (hash, media_type) = (blake3::Hash::from_bytes(*hash), upload.media_type().to_owned().into());
            return StagedFile::new(Arc::clone(&self.engine), name.to_owned(), &hash, upload.size(), media_type);
        }
        let mut file = File::open(upload_path).map_err(&io)?;
        let mut writer = self.writer(u64::MAX)?;
        let mut chunk = vec![0; COPY_CHUNK_LEN];
        loop {
            let read = file.read(&mut chunk).map_err(&io)?;
            if read == 0 {
                return writer.finish();
            }
            writer.write(&chunk[..read])?;
        }
    }

    /// Returns the absolute path that the folder had when the store was opened; `None` if the files are in another
    /// storage.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.engine.path()
    }

    /// Returns where the files are, for people: the absolute path of the folder, or the URL of another storage.
    #[must_use]
    pub fn location(&self) -> String {
        self.engine.location()
    }

    /// Returns the files of download links in the storage; `None` if the storage cannot have them.
    pub(crate) fn links(&self) -> Option<Arc<dyn LinkFiles>> {
        self.engine.links()
    }

    /// Publishes a staged file under a name, and creates the folders in the name. At any time, and even after a crash,
    /// readers see either the previous file with this name or the new file. When this function returns, the file has
    /// been written to the disk.
    ///
    /// No other store of this folder, in this program or another, can change the file between the check of the
    /// precondition and the publication. A program that writes to the folder without a store is not prevented from
    /// changing the file in between.
    ///
    /// # Errors
    /// Fails if the precondition is not met, if the name belongs to something other than a file, or if the disk fails.
    /// On an error, the staged file is removed. There is one exception: if the disk fails in the last step, after the
    /// file was renamed, the new file may remain.
    pub fn publish(
        &self,
        staged: StagedFile,
        name: &FileName,
        precondition: &Precondition,
    ) -> Result<FileInfo, StoreError> {
        let publication = Publication { staged, name: name.clone(), precondition: precondition.clone() };
        let mut infos = self.publish_all(vec![publication])?;
        infos.pop().ok_or_else(|| StoreError::NotFound(name.clone()))
    }

    /// Publishes several staged files: all of them or, if an error occurs, none. If the program crashes in between, the
    /// next [`Store::open`] completes or reverts the publication. During the publication, readers may see some of the
    /// new files but not yet others. If one of several files replaces an existing file, the file system must support
    /// hard links.
    ///
    /// # Errors
    /// Fails if [`Store::publish`] would fail for one of the files, or if two of the files have the same name. Then no
    /// file is published, and replaced files are restored.
    pub fn publish_all(&self, files: Vec<Publication>) -> Result<Vec<FileInfo>, StoreError> {
        let mut names = HashSet::new();
        if let Some(duplicate) = files.iter().find(|file| !names.insert(&file.name)) {
            return Err(StoreError::DuplicateName(duplicate.name.clone()));
        }
        if files.iter().any(|file| !Arc::ptr_eq(&self.engine, &file.staged.engine)) {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "another store has staged the file");
            return Err(StoreError::io_during("publishing a file")(error));
        }
        let new_file = |Publication { staged, name, precondition }: Publication| {
            let (content, hash, info) = staged.release();
            NewFile { content, hash, info, name, precondition }
        };
        self.engine.publish(&files.into_iter().map(new_file).collect::<Vec<_>>())
    }
}

#[cfg(feature = "files")]
fn open_folder(folder: &Path) -> Result<Arc<dyn FileEngine>, StoreError> {
    Ok(Arc::new(folder::Folder::open(folder)?))
}

#[cfg(not(feature = "files"))]
fn open_folder(_: &Path) -> Result<Arc<dyn FileEngine>, StoreError> {
    let why = "the crate `rulebook` was compiled without the feature `files`";
    Err(StoreError::io_during("opening the folder")(io::Error::new(io::ErrorKind::Unsupported, why)))
}

impl StoredFile {
    /// Returns a file for an implementation of [`FileEngine::read`].
    #[must_use]
    pub fn new(content: Content, info: FileInfo) -> Self {
        Self { content, info }
    }
}

impl From<StoredFile> for Download {
    fn from(file: StoredFile) -> Self {
        let StoredFile { content, info } = file;
        let mut download = Self::file(content);
        download.etag = info.etag;
        download.modified = info.modified;
        download.length = info.length;
        download.has_file_metadata = true;
        download
    }
}

/// A temporary file that is being written. Dropping the writer removes the file.
#[derive(Debug)]
pub struct Writer {
    engine: Arc<dyn FileEngine>,
    content: Box<dyn ContentWriter>,
    hasher: blake3::Hasher,
    length: u64,
    max_length: u64,
    /// The first bytes of the file, from which its media type is detected: at most [`SAMPLE_LEN`] + 1 bytes.
    first_bytes: Vec<u8>,
}

impl Writer {
    fn new(engine: &Arc<dyn FileEngine>, max_length: u64) -> Result<Self, StoreError> {
        Ok(Self {
            engine: Arc::clone(engine),
            content: engine.create()?,
            hasher: blake3::Hasher::new(),
            length: 0,
            max_length,
            first_bytes: Vec::new(),
        })
    }

    /// Appends bytes to the file. In a folder, the writer has no buffer: each call writes to the file, so that few
    /// calls with many bytes are faster than many calls with few bytes.
    ///
    /// # Errors
    /// Returns [`StoreError::TooLarge`] if the file would become longer than its maximum length, or the error of the
    /// storage. After an error, the file is incomplete, and the caller must drop the writer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let length = self.length.saturating_add(bytes.len() as u64);
        if length > self.max_length {
            return Err(StoreError::TooLarge(self.max_length));
        }
        self.content.write(bytes)?;
        self.length = length;
        self.hasher.update(bytes);
        let sampled = bytes.len().min((SAMPLE_LEN + 1).saturating_sub(self.first_bytes.len()));
        self.first_bytes.extend_from_slice(&bytes[..sampled]);
        Ok(())
    }

    /// Returns the number of bytes that have been written.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Completes the file, and stores its content durably.
    ///
    /// # Errors
    /// Fails if the content cannot be written to the storage.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        let media_type = detect_media_type(&self.first_bytes).into();
        StagedFile::new(self.engine, self.content.finish()?, &self.hasher.finalize(), self.length, media_type)
    }

    /// Completes the file and converts it to an upload. `filename` is the name that the client sent. The content is not
    /// yet written to the disk: until the file is published, a crash may lose it.
    pub(crate) fn into_upload(self, filename: String) -> Result<Upload, StoreError> {
        let (media_type, length) = (detect_media_type(&self.first_bytes).to_owned(), self.length);
        let hash = self.hasher.finalize().into();
        Ok(Upload::new(filename, media_type, length, UploadContent::File(self.into_temporary_file()?), Some(hash)))
    }

    pub(crate) fn into_temporary_file(self) -> Result<TempPath, StoreError> {
        let content = self.content.finish()?;
        let path = self.engine.content_path(&content).ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported));
        path.and_then(TempPath::try_from_path).map_err(StoreError::io_during("finishing a file"))
    }
}

/// A temporary file whose content is complete and that can be published. Dropping it removes the file.
#[derive(Debug)]
pub struct StagedFile {
    engine: Arc<dyn FileEngine>,
    /// The id of the content. Empty after the storage has taken over the content.
    content: String,
    hash: String,
    media_type: Cow<'static, str>,
    info: FileInfo,
}

impl StagedFile {
    fn new(
        engine: Arc<dyn FileEngine>,
        content: String,
        hash: &blake3::Hash,
        length: u64,
        media_type: Cow<'static, str>,
    ) -> Result<Self, StoreError> {
        let hash = hash.to_hex().to_string();
        let mut staged = Self { engine, content, hash, media_type, info: FileInfo::default() };
        staged.info = staged.engine.seal(&staged.content, &staged.hash, length)?;
        Ok(staged)
    }

    /// Returns the length, entity tag and modification time of the file. Publishing the file does not change them.
    #[must_use]
    pub fn info(&self) -> &FileInfo {
        &self.info
    }

    /// Returns the BLAKE3 hash of the content as 64 hexadecimal digits.
    #[must_use]
    pub fn hash(&self) -> String {
        self.hash.clone()
    }

    /// Returns the media type that was detected from the content.
    #[must_use]
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the id, the hash and the metadata of the content, which the storage then takes over.
    fn release(mut self) -> (String, String, FileInfo) {
        let Self { content, hash, info, .. } = &mut self;
        (std::mem::take(content), std::mem::take(hash), std::mem::take(info))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.content.is_empty() {
            self.engine.discard(&self.content);
        }
    }
}
