//! Partially fetched files.
//!
//! While a file with the path `NAME` is fetched, `NAME.part` contains the received bytes, and `NAME.part.tag`
//! the digest of the complete file. A later attempt resumes the transfer only if the file
//! on the server still has this digest. Without a digest, it starts from the beginning.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};

use blake3::{Hash, Hasher};

use super::digest::{etag, parse_etag, verify};
use super::{TransferError, Verification};

/// The bytes of a file that have been received so far.
pub(super) struct PartialFile {
    local_path: PathBuf,
    part_path: PathBuf,
    tag_path: PathBuf,
    /// The open `.part` file; `None` before anything has been received.
    file: Option<File>,
    /// The digest that the complete file must have, if the server sent one.
    expected_digest: Option<Hash>,
    hasher: Hasher,
}

impl PartialFile {
    /// Opens the `.part` file for a local path, if an earlier attempt has left this file.
    pub(super) fn open(local_path: &Path) -> Result<Self, TransferError> {
        let part_path = with_suffix(local_path, ".part");
        let tag_path = with_suffix(local_path, ".part.tag");
        for path in [local_path, &part_path, &tag_path] {
            require_replaceable(path).map_err(TransferError::at_path(path))?;
        }
        let mut part = Self {
            local_path: local_path.to_owned(),
            part_path,
            tag_path,
            file: None,
            expected_digest: None,
            hasher: Hasher::new(),
        };
        let file = match File::options().read(true).write(true).open(&part.part_path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(part),
            Err(error) => return Err(TransferError::at_path(&part.part_path)(error)),
        };
        part.lock_part_file(&file)?;
        let tag = fs::read_to_string(&part.tag_path).ok();
        part.expected_digest = tag.and_then(|tag| parse_etag(tag.trim_end()));
        if part.expected_digest.is_some() {
            // After the file has been read, writing to it appends to it.
            part.hasher.update_reader(&file).map_err(TransferError::at_path(&part.part_path))?;
        }
        part.file = Some(file);
        Ok(part)
    }

    /// Returns the number of received bytes.
    pub(super) fn length(&self) -> u64 {
        self.hasher.count()
    }

    /// Returns the digest of the complete file if the transfer can be resumed, otherwise `None`.
    pub(super) fn resumable_digest(&self) -> Option<Hash> {
        self.expected_digest.filter(|_| self.length() > 0)
    }

    /// Discards the received bytes. `digest` is the digest of the file that the server sends now; `None` if unknown.
    pub(super) fn restart(&mut self, digest: Option<Hash>) -> Result<(), TransferError> {
        let file_error = TransferError::at_path(&self.part_path);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let options = File::options().read(true).write(true).create(true).truncate(false).to_owned();
                let file = options.open(&self.part_path).map_err(&file_error)?;
                self.lock_part_file(&file)?;
                file
            }
        };
        file.set_len(0).and_then(|()| file.rewind()).map_err(&file_error)?;
        self.hasher.reset();
        // The new digest is written after the old bytes have been removed, because they do not belong to the new file.
        match digest {
            Some(digest) => fs::write(&self.tag_path, format!("{}\n", etag(digest))),
            None => remove_if_exists(&self.tag_path),
        }
        .map_err(TransferError::at_path(&self.tag_path))?;
        self.expected_digest = digest;
        self.file = Some(file);
        Ok(())
    }

    /// Appends received bytes to the `.part` file.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(ErrorKind::NotFound.into()),
        };
        if let Err(error) = written {
            // It is unknown how many of the bytes have been written, so that the transfer cannot be resumed.
            self.expected_digest = None;
            return Err(TransferError::at_path(&self.part_path)(error));
        }
        self.hasher.update(bytes);
        Ok(())
    }

    /// Returns `true` if the digest of the received bytes is that of the complete file.
    pub(super) fn is_complete(&self) -> bool {
        self.expected_digest == Some(self.hasher.finalize())
    }

    /// Verifies the digest of the received bytes and renames the `.part` file to the local path. If the digest differs
    /// from the server's, the received bytes are discarded.
    pub(super) fn finish(&mut self) -> Result<(Hash, Verification), TransferError> {
        let digest = self.hasher.finalize();
        let verification = match verify(digest, self.expected_digest) {
            Ok(verification) => verification,
            Err(error) => {
                self.discard()?;
                return Err(error);
            }
        };
        if let Some(file) = self.file.take() {
            file.sync_all().map_err(TransferError::at_path(&self.part_path))?;
            // Windows cannot rename an open file.
            drop(file);
        }
        fs::rename(&self.part_path, &self.local_path).map_err(TransferError::at_path(&self.local_path))?;
        let _ = remove_if_exists(&self.tag_path);
        sync_folder(&self.local_path).map_err(TransferError::at_path(&self.local_path))?;
        Ok((digest, verification))
    }

    /// Removes the `.part` file and the file with its digest.
    pub(super) fn discard(&mut self) -> Result<(), TransferError> {
        self.file = None;
        self.expected_digest = None;
        self.hasher.reset();
        remove_if_exists(&self.part_path)
            .and_then(|()| remove_if_exists(&self.tag_path))
            .map_err(TransferError::at_path(&self.part_path))
    }

    /// Locks the `.part` file, so that no other process writes it.
    fn lock_part_file(&self, file: &File) -> Result<(), TransferError> {
        match file.try_lock() {
            // Between opening and locking, another process may have renamed the file. It then has another path.
            Ok(()) if is_file_at(file, &self.part_path) => Ok(()),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(TransferError::FileBusy(self.local_path.clone())),
            // Some file systems do not support locks.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
            Err(TryLockError::Error(error)) => Err(TransferError::at_path(&self.part_path)(error)),
        }
    }
}

/// Returns the path with a suffix appended to its last segment.
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut appended = OsString::from(path);
    appended.push(suffix);
    appended.into()
}

/// Fails if the path exists and is not a regular file, but for example a device, a folder, or a symbolic link.
fn require_replaceable(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(ErrorKind::InvalidInput, "exists and is not a regular file"))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file, if it exists.
fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns `true` if the open file still has this path.
#[cfg(unix)]
fn is_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(id).ok() == fs::metadata(path).map(id).ok()
}

/// Returns `true`, because systems other than Unix do not rename open files.
#[cfg(not(unix))]
fn is_file_at(_: &File, _: &Path) -> bool {
    true
}

/// Writes the folder that contains the file to the disk, so that a crash does not lose the new name of the file.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Does nothing, because systems other than Unix cannot write a folder to the disk explicitly.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
