//! Files at signed links. They are stored in a folder of the server and deleted when they expire.
//!
//! Each file contains the header fields of the response, an empty line and the content. Its name contains the time at
//! which it expires. The file gets this name only when all of it is on the disk, so that a file with such a name is
//! complete even after a crash.

mod key;
mod link_file;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use actix_rt::time::sleep;
use http::header::{self, HeaderValue};
use rulebook_model::model::Limits;

use self::key::KeyFile;
use self::link_file::LinkFile;
use self::write::Reservation;
use super::download::FileHeaders;
use super::open_file::{FileRequest, on_other_thread};
use rulebook_model::error::ErrorCode;

use crate::call::{ApiError, Content, Head};
use crate::pipeline::{ErrorContext, Reply, respond_with_error};
use crate::plan::Plan;
use crate::transfer::{LINK_PREFIX, Link};

/// The time between two searches for expired files.
const SWEEP_INTERVAL: Duration = Duration::from_secs(2);

/// The files at signed links.
#[derive(Debug, Default)]
pub(in crate::server) struct Links {
    folder: PathBuf,
    key: KeyFile,
    /// The total size in bytes of all complete files, including those that other servers wrote to the folder. Between
    /// two sweeps it can be too high, but it always includes the files that this server wrote.
    stored: AtomicU64,
    /// The number of bytes of the files that this server is writing.
    writing: AtomicU64,
    /// `true` once the task that deletes expired files has started.
    sweeping: AtomicBool,
}

impl Links {
    /// Returns the files in the data folder of the server. Deletes unfinished files of a server that crashed; files
    /// that are not links are kept. The folder itself is created together with the first link.
    pub(super) fn new(data: &Path) -> Self {
        let folder = data.join("links");
        let links = Self { key: KeyFile::new(data.join("links.key")), folder, ..Self::default() };
        if let Err(error) = links.clean_up() {
            log::warn!("{}: {error}", links.folder.display());
        }
        links
    }

    /// Deletes unfinished and expired files, and computes the total size of the others.
    fn clean_up(&self) -> io::Result<()> {
        self.for_each(|path, link| if link.is_none() { write::remove_unfinished(path) } else { Ok(()) })?;
        self.sweep(now())
    }

    /// Calls `visit` with each file in the folder and its link. The link is `None` for files that are unfinished or do
    /// not belong to a link.
    fn for_each(&self, mut visit: impl FnMut(&Path, Option<Link>) -> io::Result<()>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let link = path.file_name().and_then(|name| name.to_str()).and_then(Link::from_name);
            match visit(&path, link) {
                // Another server of the same folder may have deleted it.
                Err(error) if error.kind() != io::ErrorKind::NotFound => log::warn!("{}: {error}", path.display()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes expired files, and computes the total size again, because another server or an administrator may have
    /// added or deleted files.
    fn sweep(&self, now: u64) -> io::Result<()> {
        let before = self.stored.load(Ordering::Relaxed);
        let mut bytes = 0;
        self.for_each(|path, link| {
            match link {
                Some(link) if link.expires <= now => fs::remove_file(path)?,
                Some(_) => bytes += path.metadata()?.len(),
                None => {}
            }
            Ok(())
        })?;
        // A file that was finished during the sweep may have been visited or not. It is counted in any case.
        self.stored.fetch_add(bytes, Ordering::Relaxed);
        self.stored.fetch_sub(before, Ordering::Relaxed);
        Ok(())
    }

    /// Starts a task that regularly deletes expired files, in the actix runtime of this thread. Further calls have no
    /// effect.
    pub(super) fn start_sweeping(self: &Arc<Self>) {
        if !self.sweeping.swap(true, Ordering::Relaxed) {
            actix_rt::spawn(Arc::clone(self).sweep_regularly());
        }
    }

    async fn sweep_regularly(self: Arc<Self>) {
        loop {
            sleep(SWEEP_INTERVAL).await;
            if self.stored.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let links = Arc::clone(&self);
            if let Err(error) = on_other_thread(move || links.sweep(now())).await {
                log::warn!("{}: {error}", self.folder.display());
            }
        }
    }

    /// Stores a file and returns its link, as path and query.
    ///
    /// # Errors
    /// Fails if the files of all links would exceed `limits.links`, the file cannot be stored, or its content cannot be
    /// read.
    pub(super) async fn create(
        self: &Arc<Self>,
        limits: &Limits,
        headers: FileHeaders,
        content: Content,
    ) -> Result<String, ApiError> {
        let failed = |error: io::Error| ApiError::internal(format_args!("no link to a file can be created: {error}"));
        let links = Arc::clone(self);
        let key = on_other_thread(move || links.key.get_or_create()).await.map_err(failed)?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| failed(io::Error::other(error)))?;
        let reservation = Reservation { links: self, max: limits.links, bytes: 0 };
        let link = write::store(reservation, Link::new(nonce, 0), limits.link, headers, content).await?;
        Ok(link.target(&key))
    }

    /// Replies to GET or HEAD with the file of a link.
    pub(super) async fn respond(self: &Arc<Self>, plan: &Plan, head: &Arc<Head>) -> Reply {
        let respond_with_error = |error| respond_with_error(plan, head, ErrorContext::ServerPath, error);
        if !head.uri.path().starts_with(LINK_PREFIX) {
            return respond_with_error(ApiError::unknown_service());
        }
        let (links, request) = (Arc::clone(self), Arc::clone(head));
        let opened = match on_other_thread(move || links.open(&request)).await {
            Ok(LinkTarget::File(LinkFile { headers, file, start })) => {
                let request = FileRequest { head: Arc::clone(head), status: 200 };
                request.file_from(start, file, headers.facts.clone()).await.map(|opened| (headers, opened))
            }
            Ok(LinkTarget::Invalid) => return respond_with_error(ApiError::plain(ErrorCode::InvalidLink)),
            Ok(LinkTarget::Gone) => return respond_with_error(ApiError::plain(ErrorCode::Gone)),
            Err(error) => Err(error),
        };
        match opened {
            Ok((headers, opened)) => {
                let more = vec![
                    // The link is a secret, so that browsers must not send it to other sites as the referrer.
                    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
                    (header::CACHE_CONTROL, HeaderValue::from_static("private")),
                ];
                headers.reply(opened, 200, more)
            }
            Err(error) => {
                respond_with_error(ApiError::internal(format_args!("the file of a link cannot be sent: {error}")))
            }
        }
    }

    /// Opens the file of a link.
    fn open(&self, head: &Head) -> io::Result<LinkTarget> {
        let Some(key) = self.key.get()? else { return Ok(LinkTarget::Invalid) };
        let Some(link) = Link::verify(head.uri.path(), head.query(), &key) else {
            return Ok(LinkTarget::Invalid);
        };
        if link.expires <= now() {
            return Ok(LinkTarget::Gone);
        }
        match link_file::open(&self.folder.join(link.name())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LinkTarget::Gone),
            opened => opened.map(LinkTarget::File),
        }
    }
}

/// The target of a link.
enum LinkTarget {
    /// A file.
    File(LinkFile),
    /// The server has not signed this link.
    Invalid,
    /// The link has expired, or its file has been deleted.
    Gone,
}

/// Returns the current time in seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
