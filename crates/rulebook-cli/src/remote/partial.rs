//! Partially fetched files. They are stored beside their target until they are complete.
//!
//! `NAME.part` contains the received bytes, `NAME.part.tag` the digest of the complete file. Without the digest, a
//! later attempt could not detect that it combines parts of different contents, so that it starts from the beginning.

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use blake3::Hasher;

use super::client::CHUNK;
use super::{Digest, TransferError, Verification};

/// The received part of a file.
pub(super) struct PartialFile {
    target: PathBuf,
    path: PathBuf,
    tag_path: PathBuf,
    /// The open `.part` file; `None` before anything has been received.
    file: Option<File>,
    /// The digest that the complete file must have, if the server sent one.
    tag: Option<Digest>,
    hasher: Hasher,
    length: u64,
}

impl PartialFile {
    /// Opens the part of this file that earlier attempts received, if it exists.
    ///
    /// # Errors
    /// Fails if the part cannot be read, another process is writing it, or something other than a file has the path of
    /// the target or the part.
    pub(super) fn open(target: &Path) -> Result<Self, TransferError> {
        let path = append(target, ".part");
        let tag_path = append(target, ".part.tag");
        for path in [target, &path, &tag_path] {
            check_replaceable(path).map_err(TransferError::file(path))?;
        }
        let target = target.to_owned();
        let mut part = Self { target, path, tag_path, file: None, tag: None, hasher: Hasher::new(), length: 0 };
        let mut file = match File::options().read(true).write(true).open(&part.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(part),
            Err(error) => return Err(TransferError::file(&part.path)(error)),
        };
        part.lock(&file)?;
        let tag = fs::read_to_string(&part.tag_path).ok();
        part.tag = tag.and_then(|tag| Digest::from_tag(tag.trim_end()));
        if part.tag.is_some() {
            part.length = hash_file(&mut file, &mut part.hasher).map_err(TransferError::file(&part.path))?;
        }
        part.file = Some(file);
        Ok(part)
    }

    /// Returns the number of received bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the digest of the complete file if the transfer can be resumed.
    pub(super) fn resumable(&self) -> Option<Digest> {
        self.tag.filter(|_| self.length > 0)
    }

    /// Discards the received bytes, and starts again to receive content with this digest.
    ///
    /// # Errors
    /// Fails if the files cannot be written.
    pub(super) fn restart(&mut self, tag: Option<Digest>) -> Result<(), TransferError> {
        let file_error = TransferError::file(&self.path);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let options = File::options().read(true).write(true).create(true).truncate(false).to_owned();
                let file = options.open(&self.path).map_err(&file_error)?;
                self.lock(&file)?;
                file
            }
        };
        file.set_len(0).and_then(|()| file.rewind()).map_err(&file_error)?;
        self.hasher.reset();
        self.length = 0;
        // The digest is written only after the old bytes have been removed, because they do not belong to the new
        // content.
        match tag {
            Some(tag) => fs::write(&self.tag_path, format!("{}\n", tag.tag())),
            None => remove(&self.tag_path),
        }
        .map_err(TransferError::file(&self.tag_path))?;
        self.tag = tag;
        self.file = Some(file);
        Ok(())
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// Fails if the bytes cannot be written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), TransferError> {
        let written = match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Err(ErrorKind::NotFound.into()),
        };
        if let Err(error) = written {
            // An unknown number of the bytes has been written, so that the transfer cannot be resumed.
            self.tag = None;
            return Err(TransferError::file(&self.path)(error));
        }
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Returns `true` if the received bytes have the digest of the complete file.
    pub(super) fn is_complete(&self) -> bool {
        self.tag == Some(Digest::of(&self.hasher))
    }

    /// Verifies the digest and renames the complete file to its target. If the digest differs, the file is discarded.
    ///
    /// # Errors
    /// Fails if the digest differs from the server's, or the file cannot be written.
    pub(super) fn finish(&mut self) -> Result<(Digest, Verification), TransferError> {
        let digest = Digest::of(&self.hasher);
        let verification = match digest.verify(self.tag) {
            Ok(verification) => verification,
            Err(error) => {
                self.discard()?;
                return Err(error);
            }
        };
        if let Some(file) = self.file.take() {
            file.sync_all().map_err(TransferError::file(&self.path))?;
            // Windows does not rename open files.
            drop(file);
        }
        fs::rename(&self.path, &self.target).map_err(TransferError::file(&self.target))?;
        let _ = remove(&self.tag_path);
        sync_folder(&self.target).map_err(TransferError::file(&self.target))?;
        Ok((digest, verification))
    }

    /// Removes the received part.
    ///
    /// # Errors
    /// Fails if the files cannot be removed.
    pub(super) fn discard(&mut self) -> Result<(), TransferError> {
        self.file = None;
        self.tag = None;
        self.length = 0;
        self.hasher.reset();
        remove(&self.path).and_then(|()| remove(&self.tag_path)).map_err(TransferError::file(&self.path))
    }

    /// Locks the part against other processes.
    fn lock(&self, file: &File) -> Result<(), TransferError> {
        match file.try_lock() {
            // Another process may have renamed the file to its target after this process opened it and before it locked
            // it.
            Ok(()) if is_at(file, &self.path) => Ok(()),
            Ok(()) | Err(TryLockError::WouldBlock) => Err(TransferError::Busy(self.target.clone())),
            // Some file systems do not support locks.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(()),
            Err(TryLockError::Error(error)) => Err(TransferError::file(&self.path)(error)),
        }
    }
}

/// Hashes a file from beginning to end and returns its length. The file's position is then at its end.
fn hash_file(file: &mut File, hasher: &mut Hasher) -> io::Result<u64> {
    file.seek(SeekFrom::Start(0))?;
    let mut chunk = vec![0; CHUNK];
    let mut length = 0;
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(length),
            Ok(read) => {
                hasher.update(&chunk[..read]);
                length += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Appends a suffix to a path.
fn append(path: &Path, suffix: &str) -> PathBuf {
    let mut appended = OsString::from(path);
    appended.push(suffix);
    appended.into()
}

/// Fails if the path exists and is not a file: for example a device, a folder, or a link, which would be followed or
/// replaced.
fn check_replaceable(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            Err(io::Error::new(ErrorKind::InvalidInput, "exists and is not a regular file"))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file, if it exists.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Returns `true` if the path still leads to the open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(id).ok() == fs::metadata(path).map(id).ok()
}

/// Returns `true`, because other systems do not rename open files.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Syncs the folder of a file to the disk, so that a crash does not lose the file's name.
#[cfg(unix)]
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Does nothing: other systems cannot sync folders.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
