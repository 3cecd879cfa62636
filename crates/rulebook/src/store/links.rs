//! The files of download links: the interface of their storages, and the storage in a folder.
//!
//! A link has a head and a content. The head is a text that the server writes and reads; a storage only keeps it. This
//! file must not depend on requests: it verifies no signatures, and checks no expiry times before it opens a file.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::NamedTempFile;

use super::StoreError;
use crate::call::RangedContent;
use crate::regular_file::open_regular_file;
use crate::secret;
use crate::time::unix_time;
use crate::transfer::{LinkId, LinkKey};

/// The number of bytes of a block. Each file of a link counts as whole blocks.
const BLOCK_SIZE: u64 = 4 << 10;

/// A storage for the files of download links, which several servers can share. [`FileEngine::links`] returns it.
///
/// A link that one server has created can be used at every server with the same storage. The server calls most
/// functions on threads that may wait. The following must not wait, because they run on threads that handle requests:
/// [`LinkFiles::location`], [`LinkFiles::can_redirect`], [`LinkFiles::stored_bytes`], [`LinkFiles::needs_clean_up`],
/// and dropping a [`LinkWriter`], [`OpenLink`] or [`LinkUses`].
///
/// [`FileEngine::links`]: super::FileEngine::links
pub trait LinkFiles: fmt::Debug + Send + Sync + 'static {
    /// Returns the location of the storage, for messages and logs. It must not contain secrets. Does not wait.
    fn location(&self) -> String;

    /// Returns the key with which links are signed; `None` if no link has been created yet. All servers have the same
    /// key. The server remembers it.
    ///
    /// # Errors
    /// Fails if the key cannot be read.
    fn key(&self) -> Result<Option<LinkKey>, StoreError>;

    /// Returns the key with which links are signed. If it does not exist, creates it at random: if several servers do
    /// so at the same time, all get the same key.
    ///
    /// # Errors
    /// Fails if the key can be neither read nor created.
    fn create_key(&self) -> Result<LinkKey, StoreError>;

    /// Begins to store the file of a link, and returns the writer of its content.
    ///
    /// # Errors
    /// Fails if the file cannot be created.
    fn create(&self, link: NewLink) -> Result<Box<dyn LinkWriter>, StoreError>;

    /// Opens the file of a link. Returns `None` if the file does not exist, or if no downloads are left.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    fn open(&self, id: &LinkId) -> Result<Option<OpenLink>, StoreError>;

    /// Returns `true` if clients can be redirected to the storage. Does not wait.
    fn can_redirect(&self) -> bool {
        false
    }

    /// Returns a URL at which a client can request the content of a link from the storage itself, for a short time. The
    /// response of the storage should contain these header fields. Returns `None` if the storage has no such URLs.
    ///
    /// # Errors
    /// Fails if the URL cannot be signed.
    fn redirect_url(&self, id: &LinkId, response_fields: &[(&str, &str)]) -> Result<Option<String>, StoreError> {
        let _ = (id, response_fields);
        Ok(None)
    }

    /// Returns the [size](link_size) of all complete files. The number may be too high: it may include files that have
    /// been deleted since the storage was last searched. It includes all other files that this server has completed,
    /// and those of other servers that the last search has found. Does not wait.
    fn stored_bytes(&self) -> u64;

    /// Searches the storage, and updates [`LinkFiles::stored_bytes`], unless it has been updated a short time ago. The
    /// server calls this function before it creates and before it completes a file. The default does nothing: it is for
    /// storages in which [`LinkFiles::clean_up`] updates the number often enough.
    ///
    /// # Errors
    /// Fails if the files cannot be listed.
    fn refresh_stored_bytes(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Returns `true` if [`LinkFiles::clean_up`] should be called now. Does not wait. The server calls this function
    /// every two seconds.
    fn needs_clean_up(&self) -> bool;

    /// Deletes expired files, and what killed servers have left.
    ///
    /// # Errors
    /// Fails if the files cannot be listed or deleted.
    fn clean_up(&self) -> Result<(), StoreError>;
}

/// A link whose file will be stored.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewLink {
    /// The random bytes of the id.
    pub nonce: [u8; 16],
    /// The head, which [`OpenLink::head`] returns.
    pub head: Vec<u8>,
    /// The maximum number of downloads; `None` if it is not limited.
    pub uses: Option<NonZeroU32>,
}

/// Writes the content of a link. Dropping the writer deletes what has been written, without waiting for another server.
pub trait LinkWriter: fmt::Debug + Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// Fails if the storage fails. The server then drops the writer.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;

    /// Completes the file and stores it durably, so that it exists even after a crash. The link expires `lifetime`
    /// seconds after the whole content has been stored.
    ///
    /// # Errors
    /// Fails if the storage fails. Then the file is deleted.
    fn finish(self: Box<Self>, lifetime: u64) -> Result<LinkId, StoreError>;
}

/// The open file of a link.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpenLink {
    /// The head.
    pub head: Vec<u8>,
    /// The length of the content in bytes.
    pub length: u64,
    /// The content.
    pub content: LinkContent,
    /// Counts the downloads; `None` if their number is not limited.
    pub uses: Option<Box<dyn LinkUses>>,
}

/// The content of a link.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkContent {
    /// In an open file.
    File {
        /// The open file. Its read position is not used.
        file: File,
        /// The offset at which the content begins.
        offset: u64,
    },
    /// In another storage.
    Ranged(RangedContent),
}

/// Counts the downloads of a link whose number is limited.
pub trait LinkUses: fmt::Debug + Send {
    /// Counts one download. Returns `false` if no downloads are left; then the content must not be sent. No other
    /// server can count the same download, even if servers call this function at the same time.
    ///
    /// After the last download, the storage deletes the file. If `is_redirected` is `true`, the client gets the content
    /// from the storage: then the file must remain until the client has received it.
    ///
    /// # Errors
    /// Fails if it is not known whether the download has been counted. Then the content must not be sent.
    fn claim(self: Box<Self>, is_redirected: bool) -> Result<bool, StoreError>;
}

impl NewLink {
    /// Creates the value.
    #[must_use]
    pub fn new(nonce: [u8; 16], head: Vec<u8>, uses: Option<NonZeroU32>) -> Self {
        Self { nonce, head, uses }
    }
}

impl OpenLink {
    /// Creates the value, for an implementation of [`LinkFiles::open`].
    #[must_use]
    pub fn new(head: Vec<u8>, length: u64, content: LinkContent, uses: Option<Box<dyn LinkUses>>) -> Self {
        Self { head, length, content, uses }
    }
}

/// Returns for how many bytes the file of a link counts, from the length of its head and content: whole blocks of 4
/// KiB, and one for metadata. Otherwise, many short files could use much more space than the limit allows.
#[must_use]
pub fn link_size(length: u64) -> u64 {
    length.div_ceil(BLOCK_SIZE).saturating_add(1).saturating_mul(BLOCK_SIZE)
}

// The files of links in a local folder.
//
// The name of a file contains the time at which the link expires. A file gets this name only after its whole content
// has been written to the disk, so that a file with such a name is complete even after a crash.

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
        let unfinished =
            |path: &Path, link: Option<LinkId>| if link.is_none() { remove_unfinished(path) } else { Ok(()) };
        if let Err(error) = links.for_each_file(unfinished).and_then(|()| links.delete_expired(unix_time())) {
            log::warn!("{}: {error}", links.folder.display());
        }
        links
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

// The format of the file of a link in a folder: the number of downloads that are left, if it is limited; the head,
// which ends with an empty line; and the content.
//
// The number is a line of fixed length, which is written in place while the file is locked.

/// The maximum length of the line with the number and of the head, in bytes.
const MAX_HEAD_LEN: u64 = 64 << 10;
/// The beginning of the line with the number of downloads that are left. No header field begins in this way.
const USES_PREFIX: &str = ":uses ";
const USES_DIGITS: usize = 10;
/// The length of the line with its line feed.
const USES_LEN: usize = USES_PREFIX.len() + USES_DIGITS + 1;

fn format_start(head: &[u8], uses: Option<NonZeroU32>) -> io::Result<Vec<u8>> {
    let start = match uses {
        Some(uses) => [format_uses(uses.get()).as_bytes(), head].concat(),
        None => head.to_vec(),
    };
    if start.len() as u64 > MAX_HEAD_LEN {
        return Err(io::Error::other("the header fields are too long"));
    }
    Ok(start)
}

fn format_uses(uses: u32) -> String {
    format!("{USES_PREFIX}{uses:0USES_DIGITS$}\n")
}

/// `None` if the bytes are not the line with the number.
fn parse_uses(line: &[u8]) -> Option<u32> {
    std::str::from_utf8(line).ok()?.strip_prefix(USES_PREFIX)?.strip_suffix('\n')?.parse().ok()
}

/// Returns `None` if the file does not exist, or if no downloads are left.
fn open(path: &Path) -> io::Result<Option<OpenLink>> {
    let mut file = match open_regular_file(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let (start, offset) = read_start(&mut file)?;
    let length = file.metadata()?.len().checked_sub(offset).ok_or_else(malformed_file_error)?;
    let content = LinkContent::File { file, offset };
    if !start.starts_with(USES_PREFIX.as_bytes()) {
        return Ok(Some(OpenLink::new(start, length, content, None)));
    }
    let (line, head) = start.split_at_checked(USES_LEN).ok_or_else(malformed_file_error)?;
    if parse_uses(line).ok_or_else(malformed_file_error)? == 0 {
        return Ok(None);
    }
    let uses = Box::new(FolderUses(path.to_owned()));
    Ok(Some(OpenLink::new(head.to_vec(), length, content, Some(uses))))
}

/// Reads the beginning of the file until the empty line. Returns it with the offset at which the content begins.
fn read_start(file: &mut File) -> io::Result<(Vec<u8>, u64)> {
    let mut reader = BufReader::new(file.take(MAX_HEAD_LEN));
    let mut start = Vec::new();
    loop {
        let read = reader.read_until(b'\n', &mut start)?;
        match read {
            1 if start.ends_with(b"\n") => break,
            _ if read > 0 && start.ends_with(b"\n") => {}
            _ => return Err(malformed_file_error()),
        }
    }
    let offset = start.len() as u64;
    Ok((start, offset))
}

/// Counts the downloads of the file with this path.
#[derive(Debug)]
struct FolderUses(PathBuf);

impl LinkUses for FolderUses {
    fn claim(self: Box<Self>, _: bool) -> Result<bool, StoreError> {
        match self.try_claim() {
            // The link has expired, or another download was the last.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            claimed => claimed.map_err(StoreError::io_during("counting a download")),
        }
    }
}

impl FolderUses {
    fn try_claim(&self) -> io::Result<bool> {
        let mut file = OpenOptions::new().read(true).write(true).open(&self.0)?;
        // Closing the file unlocks it.
        file.lock()?;
        let mut line = [0; USES_LEN];
        file.read_exact(&mut line)?;
        // A file that was deleted after it was opened contains the number 0.
        let Some(left) = parse_uses(&line).ok_or_else(malformed_file_error)?.checked_sub(1) else { return Ok(false) };
        file.seek(SeekFrom::Start(0))?;
        file.write_all(format_uses(left).as_bytes())?;
        file.sync_data()?;
        // The download has been counted. The file is deleted at the latest when the link has expired.
        if left == 0
            && let Err(error) = fs::remove_file(&self.0)
            && error.kind() != ErrorKind::NotFound
        {
            log::error!("{}: the file of a link without further downloads is not deleted: {error}", self.0.display());
        }
        Ok(true)
    }
}

fn malformed_file_error() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it is not the file of a link")
}
