//! The one door to stored files.
//!
//! In charge of keeping and giving files, and of what is left of them by a crash: the whole of what was acknowledged,
//! nothing of what was not. Must not know of requests.
//!
//! Files are kept in a local folder, `folder`, which alone knows that. All else here would be said of any place: what
//! keeps files elsewhere, such as an object store, is a second way for [`Store`] to do the same, and its files come as a
//! [`Content::Stream`].

mod error;
mod folder;
mod opening;

use std::path::Path;
use std::sync::Arc;

pub use crate::filename::{Name, NameError, PatternError, Patterns};
pub use crate::transfer::{Facts, Precondition};
pub use error::StoreError;
pub use folder::{Staged, Writer};
pub use opening::StoreFolder;

use crate::call::{Content, Download, Upload};
use folder::Folder;

/// Where files are kept. Clones are the same place.
///
/// All of it but [`Store::read_at_once`] waits for the disk: asynchronous code calls it by `spawn_blocking`.
///
/// ```
/// use rulebook::store::{Name, Precondition, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// let store = Store::open(folder)?;
/// let name = Name::parse("articles/1.txt")?;
/// let mut writer = store.writer(1 << 20)?;
/// writer.write(b"Once upon a time")?;
/// let facts = store.publish(writer.finish()?, &name, &Precondition::absent())?;
/// assert_eq!(store.facts(&name)?, facts);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    folder: Arc<Folder>,
}

/// A file of the store, open.
#[derive(Debug)]
pub struct Found {
    /// What is in it.
    pub content: Content,
    /// What is known of it.
    pub facts: Facts,
}

/// A file that is ready to be published.
#[derive(Debug)]
pub struct Publication {
    /// The file.
    pub staged: Staged,
    /// What it is to be called.
    pub name: Name,
    /// In which state the file of this name must be.
    pub precondition: Precondition,
}

/// What is in a folder of the store, in the order of the names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Its folders.
    pub folders: Vec<Name>,
    /// Its files.
    pub files: Vec<Name>,
}

impl Store {
    /// Opens the folder, or makes it. What was being published when a program before was ended is finished, and what it
    /// had not come to publish is removed. Several programs may have the folder open at once.
    ///
    /// The folder stays open: it can be renamed, and what is put in its place is not looked at.
    ///
    /// # Errors
    /// It cannot be opened or made, or what was begun in it can be neither finished nor undone.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Ok(Self { folder: Arc::new(Folder::open(folder)?) })
    }

    /// Opens a file. No symbolic link is followed, wherever it leads.
    ///
    /// Its tag is that of its content where it was published here and has not been changed in its place since, else
    /// one of what its folder knows of it.
    ///
    /// # Errors
    /// It is missing, or cannot be opened.
    pub fn read(&self, name: &Name) -> Result<Found, StoreError> {
        let (file, facts) = self.folder.read(name)?;
        Ok(Found { content: Content::File(file), facts })
    }

    /// Opens a file without waiting for the disk: none where that cannot be, and [`Store::read`] has to be asked. It says
    /// the same.
    ///
    /// On Linux, files of local file systems that have been opened lately are opened so; on other systems none.
    ///
    /// # Errors
    /// It is missing.
    #[must_use]
    pub fn read_at_once(&self, name: &Name) -> Option<Result<Found, StoreError>> {
        let read = self.folder.read_at_once(name)?;
        Some(read.map(|(file, facts)| Found { content: Content::File(file), facts }))
    }

    /// What is known of a file.
    ///
    /// # Errors
    /// It is missing, or cannot be opened.
    pub fn facts(&self, name: &Name) -> Result<Facts, StoreError> {
        Ok(self.folder.read(name)?.1)
    }

    /// What is in a folder, the topmost one without a name. Left out is what no client can ask for.
    ///
    /// # Errors
    /// There is no such folder, or it cannot be read.
    pub fn list(&self, folder: Option<&Name>) -> Result<Listing, StoreError> {
        self.folder.list(folder)
    }

    /// Begins a file of at most so many bytes.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn writer(&self, limit: u64) -> Result<Writer, StoreError> {
        Writer::new(&self.folder, limit)
    }

    /// Takes a file that came with a request for one of its own. One that came into this store is not copied, and is not
    /// at its path any more.
    ///
    /// # Errors
    /// It was taken already, or there is no room for a copy.
    pub fn stage(&self, upload: &Upload) -> Result<Staged, StoreError> {
        self.folder.stage(upload)
    }

    /// Where its folder was when it was opened, as an absolute path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Gives a file its name, and makes the folders of the name. Who reads sees the file that was there before, if any,
    /// or this one; after a crash too. When this returns, the file is on the disk.
    ///
    /// The precondition is judged against all who write by a store, in this program or another. Who writes to the
    /// folder past it is not held off.
    ///
    /// # Errors
    /// The precondition does not hold, something else has the name, or the disk refuses. The file is gone then. Only a
    /// disk that fails when all is written already may leave it there.
    pub fn publish(&self, staged: Staged, name: &Name, precondition: &Precondition) -> Result<Facts, StoreError> {
        let one = Publication { staged, name: name.clone(), precondition: precondition.clone() };
        let mut facts = self.publish_all(vec![one])?;
        facts.pop().ok_or_else(|| StoreError::Missing(name.clone()))
    }

    /// Gives files their names, all or none, after a crash too: a crash in the midst is made good by the next
    /// [`Store::open`]. Who reads meanwhile may see some of them before others. Several files can replace others only
    /// where the file system has hard links.
    ///
    /// # Errors
    /// As of [`Store::publish`], of any of the files; or two have one name. None of them has its name then, and what was
    /// there before is there again.
    pub fn publish_all(&self, files: Vec<Publication>) -> Result<Vec<Facts>, StoreError> {
        self.folder.publish(files)
    }
}

impl From<Found> for Download {
    fn from(found: Found) -> Self {
        let Found { content, facts } = found;
        let mut download = Self::file(content);
        download.etag = facts.etag;
        download.modified = facts.modified;
        download.length = facts.length;
        download.known = true;
        download
    }
}
