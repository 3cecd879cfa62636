//! Storage for files that clients upload and download.
//!
//! This module reads and writes stored files, and recovers them after a crash: a file whose upload was confirmed to the
//! client is complete, and a file whose upload was not confirmed does not exist. This module must not depend on
//! requests.
//!
//! Files are kept in a local folder, and only the submodule `folder` depends on that. The types here suit any storage:
//! a backend for an object store would be a second implementation behind [`Store`] and return its files as a
//! [`Content::Stream`].

mod error;
#[cfg_attr(not(feature = "files"), path = "without_folder.rs")]
mod folder;
mod lazy;

use std::path::Path;
use std::sync::Arc;

pub use crate::transfer::{FileInfo, Precondition};
pub use error::StoreError;
pub use folder::{StagedFile, Writer};
pub(crate) use lazy::LazyStore;
pub use rulebook_model::filename::{FileName, FileNameError, FilePatterns, PatternError};

use crate::call::{Content, Download, Upload};
use folder::Folder;

/// A store of files in a folder. A clone refers to the same folder.
///
/// Every method except [`Store::read_nonblocking`] blocks on disk operations: asynchronous code calls it in
/// `spawn_blocking`.
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
    folder: Arc<Folder>,
}

/// An open file of the store.
#[derive(Debug)]
#[non_exhaustive]
pub struct StoredFile {
    /// The content.
    pub content: Content,
    /// Length, entity tag and modification time.
    pub info: FileInfo,
}

/// A file that is ready to be published, for [`Store::publish_all`].
#[derive(Debug)]
pub struct Publication {
    /// The completely written file.
    pub staged: StagedFile,
    /// The name to publish the file under.
    pub name: FileName,
    /// The condition on the file that has the name now.
    pub precondition: Precondition,
}

/// The content of a folder of the store, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Listing {
    /// The folders, with their full names.
    pub folders: Vec<FileName>,
    /// The files, with their full names.
    pub files: Vec<FileName>,
}

impl Store {
    /// Opens the folder, and creates it if it does not exist. If an earlier program ended while it published files,
    /// this completes or reverts that publication and removes its temporary files. Several programs may open the same
    /// folder at once.
    ///
    /// The store holds the folder open. It follows the folder if that is renamed, and ignores a folder that is created
    /// later at the old path.
    ///
    /// # Errors
    /// Fails if the folder cannot be opened or created, or an interrupted publication can be neither completed nor
    /// reverted.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { folder: Arc::new(Folder::open(folder)?) })
    }

    /// Opens a file. Symbolic links are never followed, not even within the store.
    ///
    /// The entity tag is the hash of the content if a store published the file and no program has modified it in place
    /// since. Otherwise it is derived from the metadata of the file.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such file, [`StoreError::Io`] if it cannot be opened.
    pub fn read(&self, name: &FileName) -> Result<StoredFile, StoreError> {
        let (file, info) = self.folder.read(name)?;
        Ok(StoredFile { content: Content::File(file), info })
    }

    /// Opens a file only if this needs no disk access, with the same result as [`Store::read`]. Returns `None` if
    /// opening might block; the caller must then use [`Store::read`].
    ///
    /// On Linux this succeeds for files on local file systems that were opened recently; on other systems it always
    /// returns `None`.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such file.
    #[must_use]
    pub fn read_nonblocking(&self, name: &FileName) -> Option<Result<StoredFile, StoreError>> {
        let read = self.folder.read_nonblocking(name)?;
        Some(read.map(|(file, info)| StoredFile { content: Content::File(file), info }))
    }

    /// Returns length, entity tag and modification time of a file.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such file, [`StoreError::Io`] if it cannot be opened.
    pub fn info(&self, name: &FileName) -> Result<FileInfo, StoreError> {
        Ok(self.folder.read(name)?.1)
    }

    /// Lists a folder; `None` means the top folder. Entries with names that no client can request are omitted.
    ///
    /// # Errors
    /// Returns [`StoreError::NotFound`] if there is no such folder, [`StoreError::Io`] if it cannot be read.
    pub fn list(&self, folder: Option<&FileName>) -> Result<Listing, StoreError> {
        self.folder.list(folder)
    }

    /// Creates a temporary file with a maximum length of `limit` bytes.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    pub fn writer(&self, limit: u64) -> Result<Writer, StoreError> {
        Writer::new(&self.folder, limit)
    }

    /// Stages an uploaded file for publication. An upload that the server received into the folder of this store is
    /// moved; any other is copied.
    ///
    /// # Errors
    /// Fails if the upload was staged already, or there is no space for a copy.
    pub fn stage(&self, upload: &Upload) -> Result<StagedFile, StoreError> {
        self.folder.stage(upload)
    }

    /// Returns the absolute path that the folder had when the store was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Publishes a staged file under a name, and creates the folders in the name. Readers see either the previous file,
    /// if there was one, or the new one, even after a crash. When this returns, the file has been synced to the disk.
    ///
    /// The precondition is checked atomically with respect to all stores of this folder, in this program or another.
    /// Programs that write to the folder directly are not prevented from changing it meanwhile.
    ///
    /// # Errors
    /// Fails if the precondition is not met, the name belongs to something other than a file, or the disk fails. The
    /// staged file is then removed. Only if the disk fails in the last step, after the file was renamed, may the new
    /// file remain.
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

    /// Publishes several staged files: all of them or, on an error, none. If the program crashes in between, the next
    /// [`Store::open`] completes or reverts the publication. Readers may see some of the files before the others.
    /// Replacing existing files with several new ones requires a file system with hard links.
    ///
    /// # Errors
    /// Fails if [`Store::publish`] would fail for one of the files, or two of them have the same name. No file is
    /// published then, and replaced files are restored.
    pub fn publish_all(&self, files: Vec<Publication>) -> Result<Vec<FileInfo>, StoreError> {
        self.folder.publish(files)
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
