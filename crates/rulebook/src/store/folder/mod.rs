//! The implementation of the file store in a local folder.
//!
//! The folder of the store is kept open. A file is opened relative to it: one folder of the file's path after the
//! other, without following links. So neither a file name, nor changes that other programs make to the folder
//! meanwhile, can lead to a file outside of the store's folder. An extended attribute of a file contains the hash of
//! its content.

#[cfg(target_os = "linux")]
mod linux;
mod publish;

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};

use super::{ContentWriter, FileEngine, FileName, Listing, NewFile, StoreError, StoredFile};
use crate::call::{Content, ETag};
use crate::secret::{create_private_folder, folder_of};
use crate::transfer::{FileInfo, etag_from_metadata};

#[cfg(target_os = "linux")]
use linux::{is_local, open_cached, read_and_remember, recall};
use publish::{FolderContent, Staging, seal};

#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
    path: PathBuf,
    staging: Arc<Staging>,
    /// `true` if the folder is on a local file system, so that files can be opened with [`linux`].
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
            // The new folder is written to the disk, because a crash must not lose it together with the files in it.
            open(folder_of(path)).and_then(|parent| sync_dir(&parent)).map_err(&io)?;
        }
        let root = open(path).map_err(&io)?;
        let staging = Arc::new(Staging::create(&root)?);
        Ok(Self {
            #[cfg(target_os = "linux")]
            is_local: is_local(&root),
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
        let opened = open_folder_path(&self.root, folders).and_then(|folder| open_file(&folder, file));
        let OpenedFile { file, metadata } = opened.map_err(|error| read_error(name, error))?;
        let info = file_info(&file, &metadata);
        Ok(StoredFile { content: Content::File(file), info })
    }

    #[cfg(target_os = "linux")]
    fn read_nonblocking(&self, name: &FileName) -> Option<Result<StoredFile, StoreError>> {
        if !self.is_local {
            return None;
        }
        if let Some((bytes, info)) = recall(&self.root, name) {
            return Some(Ok(StoredFile { content: Content::Bytes(bytes), info }));
        }
        let opened = match open_cached(&self.root, name)? {
            Ok(opened) => opened,
            Err(error) => return Some(Err(read_error(name, error))),
        };
        let info = file_info(&opened.file, &opened.metadata);
        let content = match read_and_remember(name, &opened, &info) {
            Some(bytes) => Content::Bytes(bytes),
            None => Content::File(opened.file),
        };
        Some(Ok(StoredFile { content, info }))
    }

    fn list(&self, name: Option<&FileName>) -> Result<Listing, StoreError> {
        let io = StoreError::io_during("listing stored files");
        let folder = open_folder_path(&self.root, name.into_iter().flat_map(FileName::parts));
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
        seal(&self.staging, content, hash)
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
        let _ = self.staging.dir.remove_file(content);
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

#[derive(Debug)]
enum OpenError {
    NotFound,
    /// The name belongs to something of another type: a link, a pipe, or a folder instead of a file.
    WrongType,
    Io(io::Error),
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => error,
            OpenError::NotFound => ErrorKind::NotFound.into(),
            OpenError::WrongType => ErrorKind::NotADirectory.into(),
        }
    }
}

fn open_dir(folder: &Dir, part: &str) -> Result<Dir, OpenError> {
    folder.open_dir_nofollow(part).map_err(|error| open_error(folder, part, error, FileType::is_dir))
}

/// `parts` are the segments of the path, relative to the folder `from`.
fn open_folder_path<'p>(from: &Dir, parts: impl Iterator<Item = &'p str>) -> Result<Dir, OpenError> {
    let mut folder = from.try_clone().map_err(OpenError::Io)?;
    for part in parts {
        folder = open_dir(&folder, part)?;
    }
    Ok(folder)
}

#[derive(Debug)]
struct OpenedFile {
    file: File,
    metadata: Metadata,
}

fn open_file(folder: &Dir, part: &str) -> Result<OpenedFile, OpenError> {
    let mut options = OpenOptions::new();
    // Without `nonblock`, opening a named pipe would wait for a program that writes to the pipe.
    options.read(true).follow(FollowSymlinks::No).nonblock(true);
    let opened = folder.open_with(part, &options);
    let file = opened.map_err(|error| open_error(folder, part, error, FileType::is_file))?.into_std();
    let metadata = file.metadata().map_err(OpenError::Io)?;
    if metadata.is_file() { Ok(OpenedFile { file, metadata }) } else { Err(OpenError::WrongType) }
}

/// Converts the error of opening the file or folder `part`. Operating systems report a link with different error codes;
/// therefore this function looks up the type of the entry again.
fn open_error(folder: &Dir, part: &str, error: io::Error, is_expected: fn(&FileType) -> bool) -> OpenError {
    match error.kind() {
        ErrorKind::NotFound => return OpenError::NotFound,
        // The type is not looked up again, because another program may have replaced the entry in the meantime.
        ErrorKind::NotADirectory => return OpenError::WrongType,
        _ => {}
    }
    match folder.symlink_metadata(part) {
        Ok(metadata) if is_expected(&metadata.file_type()) => OpenError::Io(error),
        Ok(_) => OpenError::WrongType,
        Err(removed) if removed.kind() == ErrorKind::NotFound => OpenError::NotFound,
        Err(_) => OpenError::Io(error),
    }
}

/// Writes the entries of a folder to the disk, so that a crash does not lose new names.
#[cfg(unix)]
fn sync_dir(folder: &Dir) -> io::Result<()> {
    // A handle that was opened with `O_PATH`, only to resolve paths, cannot be synced. Therefore the folder is opened
    // again.
    folder.open(".")?.sync_all()
}

/// Does nothing: other operating systems write folders immediately, or offer no function for it.
#[cfg(not(unix))]
fn sync_dir(_: &Dir) -> io::Result<()> {
    Ok(())
}

/// Returns `Ok(false)` instead of the error that a file does not exist, and `Ok(true)` if there is no error.
fn false_if_not_found(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

// The hash of a file's content, which is stored in an extended attribute of the file.
//
// A file keeps its attribute when it is renamed, so that publishing a file with its hash needs only one rename, and no
// separate index of hashes can become outdated. Besides the hash, the attribute contains the length and the
// modification time that the file had when it was hashed. If the file has different values later, another program has
// written to it, and the hash is ignored. On file systems without extended attributes, no hash is stored.

#[cfg(unix)]
const HASH_ATTRIBUTE: &str = "user.rulebook.blake3";
/// The maximum length of the attribute's value in bytes: a hash of 64 digits, and two numbers of at most 16 and 32
/// digits.
#[cfg(unix)]
const MAX_ATTRIBUTE_LEN: usize = 128;

/// The entity tag is the stored hash or, without one, derived from the file system's metadata.
fn file_info(file: &File, metadata: &Metadata) -> FileInfo {
    let etag = stored_etag(file, metadata).or_else(|| etag_from_metadata(metadata, SystemTime::now()));
    FileInfo { length: Some(metadata.len()), accepts_ranges: true, etag, modified: metadata.modified().ok() }
}

/// Stores the hash of a file whose content is complete.
///
/// # Errors
/// Fails if the file system has no extended attributes. A caller may ignore this error; the file then has no stored
/// hash.
fn store_hash(file: &File, hash: &str) -> io::Result<()> {
    let metadata = file.metadata()?;
    write_attribute(file, format!("{hash}{}", state_suffix(&metadata)).as_bytes())
}

/// `None` if there is no hash, or the file has changed since it was hashed.
fn stored_etag(file: &File, metadata: &Metadata) -> Option<ETag> {
    let stored = read_attribute(file)?;
    let hash = stored.strip_suffix(&state_suffix(metadata))?;
    (hash.len() == 2 * blake3::OUT_LEN && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| ETag::strong(hash))
}

/// Returns the part of the attribute's value after the hash: the length and the modification time of the file.
fn state_suffix(metadata: &Metadata) -> String {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!(" {:x} {:x}", metadata.len(), since.unwrap_or_default().as_nanos())
}

#[cfg(unix)]
fn read_attribute(file: &File) -> Option<String> {
    let mut text = [0; MAX_ATTRIBUTE_LEN];
    let length = rustix::fs::fgetxattr(file, HASH_ATTRIBUTE, &mut text).ok()?;
    std::str::from_utf8(text.get(..length)?).ok().map(str::to_owned)
}

#[cfg(unix)]
fn write_attribute(file: &File, text: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(file, HASH_ATTRIBUTE, text, rustix::fs::XattrFlags::empty())?)
}

#[cfg(not(unix))]
fn read_attribute(_: &File) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn write_attribute(_: &File, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
