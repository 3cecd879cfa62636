//! The files of download links: the interface of their storages, and the storage in a folder.
//!
//! A link has a head and a content. The head is a text that the server writes and reads; a storage only keeps it. This
//! folder must not depend on requests: it verifies no signatures, and checks no expiry times before it opens a file.

mod folder;
mod folder_file;

use std::fmt;
use std::fs::File;
use std::num::NonZeroU32;

pub(crate) use folder::LinkFolder;

use super::StoreError;
use crate::call::RangedContent;
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

/// Returns the number of bytes as which the file of a link counts, from the length of its head and content: whole
/// blocks of 4 KiB, and one for metadata. Otherwise, many short files could use much more space than the limit allows.
#[must_use]
pub fn link_size(length: u64) -> u64 {
    length.div_ceil(BLOCK_SIZE).saturating_add(1).saturating_mul(BLOCK_SIZE)
}
