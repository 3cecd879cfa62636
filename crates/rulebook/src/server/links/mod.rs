//! Signed download links and their files. Each link leads to a file in a folder of the server, which is deleted when
//! the link expires.
//!
//! Such a file contains the header fields of the response, an empty line and the content. The name of the file contains
//! the time at which the link expires. A file gets this name only after its whole content has been written to the disk,
//! so that a file with such a name is complete even after a crash.

mod link_file;
mod link_key_file;
mod write_link_file;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use actix_rt::time::sleep;
use http::header::{self, HeaderName, HeaderValue};
use rulebook_model::model::Limits;

use self::link_file::LinkFile;
use self::link_key_file::LinkKeyFile;
use self::write_link_file::Reservation;
use super::download::FileHeaders;
use super::open_file::{FileRequest, cannot_send, on_other_thread};
use super::state::ServerState;
use rulebook_model::error::ErrorCode;

use crate::call::{ApiError, Content, Head};
use crate::pipeline::{ErrorContext, Reply, respond_with_error};
use crate::plan::Plan;
use crate::transfer::{LINK_PREFIX, SignedLink};

/// The size in bytes of a block of the disk.
const BLOCK_SIZE: u64 = 4 << 10;
/// The time between two searches for files whose links have expired.
const SWEEP_INTERVAL: Duration = Duration::from_secs(2);

/// The files to which signed links lead.
#[derive(Debug, Default)]
pub(in crate::server) struct Links {
    folder: PathBuf,
    key_file: LinkKeyFile,
    /// The total [size on the disk](size_on_disk) of all complete files in the folder, including the files that other
    /// servers wrote.
    /// Between two searches for expired files the number may be too high, but it always includes the files that this
    /// server wrote.
    stored_bytes: AtomicU64,
    /// The number of bytes that are reserved for files that this server is writing.
    unfinished_bytes: AtomicU64,
    /// `true` once the task that deletes expired files has been started.
    has_sweep_task: AtomicBool,
}

impl Links {
    /// Returns the files of links in the data folder of the server, and deletes the unfinished files of a server that
    /// crashed. Files of other programs are kept. The folder of links is created together with the first link.
    pub(super) fn new(data: &Path) -> Self {
        let folder = data.join("links");
        let links = Self { key_file: LinkKeyFile::new(data.join("links.key")), folder, ..Self::default() };
        if let Err(error) = links.delete_unfinished_and_expired() {
            log::warn!("{}: {error}", links.folder.display());
        }
        links
    }

    /// Deletes unfinished and expired files, and computes the total size of the remaining files.
    fn delete_unfinished_and_expired(&self) -> io::Result<()> {
        self.for_each_file(
            |path, link| if link.is_none() { write_link_file::remove_unfinished(path) } else { Ok(()) },
        )?;
        self.delete_expired(unix_time())
    }

    /// Calls `visit` with the path of each file in the folder and the link to which it belongs. The link is `None` for
    /// an unfinished file and for a file of another program.
    fn for_each_file(&self, mut visit: impl FnMut(&Path, Option<SignedLink>) -> io::Result<()>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let link = path.file_name().and_then(|name| name.to_str()).and_then(SignedLink::from_file_name);
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
                Some(link) if link.expires <= now => fs::remove_file(path)?,
                Some(_) => bytes += size_on_disk(path.metadata()?.len()),
                None => {}
            }
            Ok(())
        })?;
        // A file that was completed during the search may have been visited or not. In both cases its size is included.
        self.stored_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.stored_bytes.fetch_sub(before, Ordering::Relaxed);
        Ok(())
    }

    /// Starts a task in the actix runtime of this thread, which regularly deletes expired files. Further calls have no
    /// effect.
    pub(super) fn start_sweeping(self: &Arc<Self>) {
        if !self.has_sweep_task.swap(true, Ordering::Relaxed) {
            actix_rt::spawn(Arc::clone(self).sweep_regularly());
        }
    }

    async fn sweep_regularly(self: Arc<Self>) {
        loop {
            sleep(SWEEP_INTERVAL).await;
            if self.stored_bytes.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let links = Arc::clone(&self);
            if let Err(error) = on_other_thread(move || links.delete_expired(unix_time())).await {
                log::warn!("{}: {error}", self.folder.display());
            }
        }
    }

    /// Stores a file, and returns the path and the query of the link to it.
    ///
    /// # Errors
    /// Fails if the files of all links together would exceed `limits.links`, if the file cannot be stored, or if its
    /// content cannot be read.
    pub(super) async fn create_link(
        self: &Arc<Self>,
        limits: &Limits,
        headers: FileHeaders,
        content: Content,
    ) -> Result<String, ApiError> {
        let failed = |error: io::Error| ApiError::internal(format_args!("no link to a file can be created: {error}"));
        let links = Arc::clone(self);
        let key = on_other_thread(move || links.key_file.read_or_create()).await.map_err(failed)?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| failed(io::Error::other(error)))?;
        let reservation = Reservation { links: self, max_bytes: limits.links, reserved_bytes: 0 };
        let link =
            write_link_file::write_link_file(reservation, SignedLink::new(nonce, 0), limits.link, headers, content)
                .await?;
        Ok(link.path_and_query(&key))
    }

    /// Replies to a GET or HEAD request for a link with the file of the link.
    pub(super) async fn respond_to_link(self: &Arc<Self>, plan: &Plan, head: &Arc<Head>, state: &ServerState) -> Reply {
        let respond_with_error = |error| respond_with_error(plan, head, ErrorContext::ServerPath, error);
        if !head.uri.path().starts_with(LINK_PREFIX) {
            return respond_with_error(ApiError::unknown_service());
        }
        let (links, request) = (Arc::clone(self), Arc::clone(head));
        let opened = match on_other_thread(move || links.open_link(&request)).await {
            Ok(LinkTarget::File(LinkFile { headers, file, content_offset })) => {
                let request = FileRequest { head, status: 200, state };
                request
                    .part_of_file_from(content_offset, file, headers.info.clone())
                    .await
                    .map(|opened| (headers, opened))
            }
            Ok(LinkTarget::Invalid) => return respond_with_error(ApiError::plain(ErrorCode::InvalidLink)),
            Ok(LinkTarget::Gone) => return respond_with_error(ApiError::plain(ErrorCode::Gone)),
            Err(error) => Err(cannot_send(&error)),
        };
        match opened {
            Ok((headers, opened)) => {
                // A link is a secret. Therefore browsers must not send it to other sites in the field `Referer`.
                let referrer = (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
                let mut reply = headers.into_reply(opened, 200, vec![referrer]);
                make_private(&mut reply.headers);
                reply
            }
            Err(error) => respond_with_error(error),
        }
    }

    /// Verifies the link in a request, and opens its file.
    fn open_link(&self, head: &Head) -> io::Result<LinkTarget> {
        let Some(key) = self.key_file.read()? else { return Ok(LinkTarget::Invalid) };
        let Some(link) = SignedLink::verify(head.uri.path(), head.query(), &key) else {
            return Ok(LinkTarget::Invalid);
        };
        if link.expires <= unix_time() {
            return Ok(LinkTarget::Gone);
        }
        match link_file::open_link_file(&self.folder.join(link.file_name())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LinkTarget::Gone),
            opened => opened.map(LinkTarget::File),
        }
    }
}

/// Forbids shared caches to store a response (RFC 9111 section 5.2.2.7), in addition to what the method has set.
fn make_private(headers: &mut Vec<(HeaderName, HeaderValue)>) {
    let mut fields = headers.iter_mut().filter(|(name, _)| *name == header::CACHE_CONTROL).peekable();
    if fields.peek().is_none() {
        headers.push((header::CACHE_CONTROL, HeaderValue::from_static("private")));
        return;
    }
    for (_, value) in fields {
        let forbids = |word| value.to_str().is_ok_and(|text| text.to_ascii_lowercase().contains(word));
        if !["private", "no-store"].into_iter().any(forbids) {
            let joined = [b"private, ", value.as_bytes()].concat();
            *value = HeaderValue::from_bytes(&joined).unwrap_or_else(|_| HeaderValue::from_static("private"));
        }
    }
}

/// The result of looking up a link.
enum LinkTarget {
    /// The link is valid, and this is its file.
    File(LinkFile),
    /// The server has not signed a link with this path and query.
    Invalid,
    /// The link has expired, or its file has been deleted.
    Gone,
}

/// Returns the number of bytes that a file of this length occupies on the disk: whole blocks, and one for its metadata.
/// Otherwise, many short files could fill the disk although their lengths are within the limit.
fn size_on_disk(length: u64) -> u64 {
    length.div_ceil(BLOCK_SIZE).saturating_add(1).saturating_mul(BLOCK_SIZE)
}

/// Returns the current time in seconds since the Unix epoch.
fn unix_time() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
