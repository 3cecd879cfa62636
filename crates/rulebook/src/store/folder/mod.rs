//! The implementation of the file store in a local folder.
//!
//! The folder of the store is kept open. A file is opened relative to it: one folder of the file's path after the
//! other, without following links. So neither a file name, nor changes that other programs make to the folder
//! meanwhile, can lead to a file outside of the store's folder.

mod content;
mod hash;
mod journal;
#[cfg(target_os = "linux")]
mod nonblocking;
mod publish;
mod resolve;
#[cfg(target_os = "linux")]
mod small_files;
mod staging;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::{ContentWriter, FileEngine, FileName, Listing, NewFile, StoreError, StoredFile};
use crate::call::Content;
use crate::secret::create_private_folder;
use crate::transfer::FileInfo;
use content::FolderContent;
use resolve::{OpenError, OpenedFile};
use staging::Staging;

#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
    path: PathBuf,
    staging: Arc<Staging>,
    /// `true` if the folder is on a local file system, so that files can be opened with [`nonblocking`].
    #[cfg(target_os = "linux")]
    is_local: bool,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let io = StoreError::io_during("opening the folder of stored files");
        let open = |path| Dir::open_ambient_dir(path, ambient_authority());
        if !path.is_dir() {
            create_private_folder(path).map_err(&io)?;
            // The new folder is written to the disk, because a crash must not lose it together with the files in it.
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            open(parent).and_then(|parent| resolve::sync_dir(&parent)).map_err(&io)?;
        }
        let root = open(path).map_err(&io)?;
        let staging = Arc::new(Staging::create(&root)?);
        Ok(Self {
            #[cfg(target_os = "linux")]
            is_local: nonblocking::is_local(&root),
            path: path.canonicalize().map_err(&io)?,
            root,
            staging,
        })
    }
}

impl FileEngine for Folder {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn read(&self, name: &FileName) -> Result<StoredFile, StoreError> {
        let (folders, file) = name.folders_and_last_part();
        let opened =
            resolve::open_folder_path(&self.root, folders).and_then(|folder| resolve::open_file(&folder, file));
        let OpenedFile { file, metadata } = opened.map_err(|error| read_error(name, error))?;
        let info = hash::file_info(&file, &metadata);
        Ok(StoredFile { content: Content::File(file), info })
    }

    #[cfg(target_os = "linux")]
    fn read_nonblocking(&self, name: &FileName) -> Option<Result<StoredFile, StoreError>> {
        if !self.is_local {
            return None;
        }
        if let Some((bytes, info)) = small_files::recall(&self.root, name) {
            return Some(Ok(StoredFile { content: Content::Bytes(bytes), info }));
        }
        let opened = match nonblocking::open_cached(&self.root, name)? {
            Ok(opened) => opened,
            Err(error) => return Some(Err(read_error(name, error))),
        };
        let info = hash::file_info(&opened.file, &opened.metadata);
        let content = match small_files::read_and_remember(name, &opened, &info) {
            Some(bytes) => Content::Bytes(bytes),
            None => Content::File(opened.file),
        };
        Some(Ok(StoredFile { content, info }))
    }

    fn list(&self, name: Option<&FileName>) -> Result<Listing, StoreError> {
        let io = StoreError::io_during("listing stored files");
        let folder = resolve::open_folder_path(&self.root, name.into_iter().flat_map(FileName::parts));
        let folder = folder.map_err(|error| match name {
            Some(name) => read_error(name, error),
            None => io(std::io::ErrorKind::NotFound.into()),
        })?;
        let mut listing = Listing::default();
        for entry in folder.entries().map_err(&io)? {
            let entry = entry.map_err(&io)?;
            let kind = entry.file_type().map_err(&io)?;
            let Some(name) = entry.file_name().to_str().and_then(|part| FileName::child(name, part)) else { continue };
            if kind.is_dir() {
                listing.folders.push(name);
            } else if kind.is_file() {
                listing.files.push(name);
            }
        }
        listing.folders.sort();
        listing.files.sort();
        Ok(listing)
    }

    fn create(&self) -> Result<Box<dyn ContentWriter>, StoreError> {
        Ok(Box::new(FolderContent::create(&self.staging)?))
    }

    fn seal(&self, content: &str, hash: &str, _: u64) -> Result<FileInfo, StoreError> {
        content::seal(&self.staging, content, hash)
    }

    fn publish(&self, files: &[NewFile]) -> Result<Vec<FileInfo>, StoreError> {
        self.publish_contents(files)
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    fn content_path(&self, content: &str) -> Option<PathBuf> {
        Some(self.path.join(self.staging.path()).join(content))
    }

    fn discard(&self, content: &str) {
        // If this fails, the file will be removed together with the staging folder.
        let _ = self.staging.dir().remove_file(content);
    }
}

/// Converts an error of opening a file for reading. If the name belongs to something other than a file, the error is
/// the same as for a name that does not exist.
fn read_error(name: &FileName, error: OpenError) -> StoreError {
    match error {
        OpenError::NotFound | OpenError::WrongType => StoreError::NotFound(name.clone()),
        OpenError::Io(error) => StoreError::io_during("opening a stored file")(error),
    }
}
