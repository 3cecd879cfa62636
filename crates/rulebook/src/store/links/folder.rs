//! The files of links in a local folder.
//!
//! The name of a file contains the time at which the link expires. A file gets this name only after its whole content
//! has been written to the disk, so that a file with such a name is complete even after a crash.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::NamedTempFile;

use super::folder_file::{format_start, open};
use super::{LinkFiles, LinkWriter, NewLink, OpenLink, StoreError, link_size};
use crate::regular_file::open_regular_file;
use crate::secret;
use crate::time::unix_time;
use crate::transfer::{LinkId, LinkKey};

const UNFINISHED_PREFIX: &str = "writing.";
const WRITE: &str = "storing the file of a link";
const READ_KEY: &str = "reading the key of links";
const READ: &str = "opening the file of a link";

#[derive(Debug)]
pub(crate) struct LinkFolder {
    folder: PathBuf,
    /// The file with the signing key, which is created together with the first link.
    key_file: PathBuf,
    /// The total size of all complete files in the folder, including the files that other servers wrote.
    /// Between two searches for expired files the number may be too high, but it always includes the files that this
    /// server wrote.
    stored_bytes: Arc<AtomicU64>,
}

impl LinkFolder {
    /// Returns the files of links in the data folder of a server, and deletes the unfinished files of a server that
    /// crashed. Files of other programs are kept. The folder of links is created together with the first link.
    pub(crate) fn open(data: &Path) -> Self {
        let links = Self { folder: data.join("links"), key_file: data.join("links.key"), stored_bytes: Arc::default() };
        if let Err(error) = links.delete_unfinished_and_expired() {
            log::warn!("{}: {error}", links.folder.display());
        }
        links
    }

    /// Deletes unfinished and expired files, and computes the total size of the remaining files.
    fn delete_unfinished_and_expired(&self) -> io::Result<()> {
        self.for_each_file(|path, link| if link.is_none() { remove_unfinished(path) } else { Ok(()) })?;
        self.delete_expired(unix_time())
    }

    /// Calls `visit` with the path of each file in the folder and the link to which it belongs. The link is `None` for
    /// an unfinished file and for a file of another program.
    fn for_each_file(&self, mut visit: impl FnMut(&Path, Option<LinkId>) -> io::Result<()>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let link = path.file_name().and_then(|name| name.to_str()).and_then(LinkId::parse);
            match visit(&path, link) {
                // If another server that uses the same folder has deleted the file, this is not an error.
                Err(error) if error.kind() != io::ErrorKind::NotFound => log::warn!("{}: {error}", path.display()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes expired files. Computes the total size of the remaining files again, because another server or an
    /// administrator may have added or deleted files.
    fn delete_expired(&self, now: u64) -> io::Result<()> {
        let before = self.stored_bytes.load(Ordering::Relaxed);
        let mut bytes = 0;
        self.for_each_file(|path, link| {
            match link {
                Some(link) if link.expires() <= now => fs::remove_file(path)?,
                Some(_) => bytes += link_size(path.metadata()?.len()),
                None => {}
            }
            Ok(())
        })?;
        // A file that was completed during the search may have been visited or not. In both cases its size is included.
        self.stored_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.stored_bytes.fetch_sub(before, Ordering::Relaxed);
        Ok(())
    }

    /// Creates an unfinished file. Only the user that runs the server can read its folder. The file is locked while it
    /// is open, so that another server does not remove it.
    fn create_unfinished(&self) -> io::Result<NamedTempFile> {
        secret::create_private_folder(&self.folder)?;
        let file = tempfile::Builder::new().prefix(UNFINISHED_PREFIX).tempfile_in(&self.folder)?;
        file.as_file().lock()?;
        Ok(file)
    }
}

impl LinkFiles for LinkFolder {
    fn location(&self) -> String {
        self.folder.display().to_string()
    }

    fn key(&self) -> Result<Option<LinkKey>, StoreError> {
        match secret::read(&self.key_file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(|key| Some(LinkKey::new(key))).map_err(StoreError::io_during(READ_KEY)),
        }
    }

    fn create_key(&self) -> Result<LinkKey, StoreError> {
        secret::read_or_create(&self.key_file).map(LinkKey::new).map_err(StoreError::io_during(READ_KEY))
    }

    fn create(&self, link: NewLink) -> Result<Box<dyn LinkWriter>, StoreError> {
        let io = StoreError::io_during(WRITE);
        let start = format_start(&link.head, link.uses).map_err(&io)?;
        let mut file = self.create_unfinished().map_err(&io)?;
        file.write_all(&start).map_err(&io)?;
        Ok(Box::new(FolderWriter {
            file,
            length: start.len() as u64,
            nonce: link.nonce,
            folder: self.folder.clone(),
            stored_bytes: Arc::clone(&self.stored_bytes),
        }))
    }

    fn open(&self, id: &LinkId) -> Result<Option<OpenLink>, StoreError> {
        open(&self.folder.join(id.to_string())).map_err(StoreError::io_during(READ))
    }

    fn stored_bytes(&self) -> u64 {
        self.stored_bytes.load(Ordering::Relaxed)
    }

    fn needs_clean_up(&self) -> bool {
        self.stored_bytes() > 0
    }

    fn clean_up(&self) -> Result<(), StoreError> {
        self.delete_expired(unix_time()).map_err(StoreError::io_during("deleting the files of expired links"))
    }
}

#[derive(Debug)]
struct FolderWriter {
    file: NamedTempFile,
    length: u64,
    nonce: [u8; 16],
    folder: PathBuf,
    stored_bytes: Arc<AtomicU64>,
}

impl LinkWriter for FolderWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(StoreError::io_during(WRITE))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>, lifetime: u64) -> Result<LinkId, StoreError> {
        self.complete(lifetime).map_err(StoreError::io_during(WRITE))
    }
}

impl FolderWriter {
    fn complete(self, lifetime: u64) -> io::Result<LinkId> {
        self.file.as_file().sync_all()?;
        let id = LinkId::new(self.nonce, unix_time().saturating_add(lifetime));
        let path = self.folder.join(id.to_string());
        self.file.persist_noclobber(&path)?;
        let synced = sync_folder(&self.folder);
        // A file that cannot be deleted needs space until its link has expired.
        if synced.is_ok() || fs::remove_file(&path).is_err() {
            self.stored_bytes.fetch_add(link_size(self.length), Ordering::Relaxed);
        }
        synced.map(|()| id)
    }
}

/// Writes a folder to the disk, so that a crash does not lose the names of its files.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Deletes a file if its name is that of an unfinished file and no server is writing it. Files with other names are
/// kept: the folder may be a symbolic link to a folder that other programs use as well.
fn remove_unfinished(path: &Path) -> io::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str());
    if !name.is_some_and(|name| name.starts_with(UNFINISHED_PREFIX)) {
        return Ok(());
    }
    match open_regular_file(path)?.try_lock() {
        Ok(()) => fs::remove_file(path),
        // Another server that uses the same folder is writing the file.
        Err(_) => Ok(()),
    }
}
