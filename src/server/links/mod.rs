//! Files that links lead to: kept for a while in a folder of the server's, and removed when their time is over.
//!
//! Each is one file, whose name says until when: the header fields of its answer, an empty line, its content. It gets
//! its name when all of it is on the disk, so that what has one is whole, whatever happened meanwhile.

mod kept;
mod key;
mod writing;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use actix_rt::time::sleep;
use http::header::{self, HeaderValue};

use self::kept::Kept;
use self::key::KeyFile;
use self::writing::Room;
use super::download::Told;
use super::opened::{Asking, away};
use crate::call::{Content, Head, Reason, Refusal};
use crate::model::Limits;
use crate::pipeline::{self, Of, Reply};
use crate::plan::Plan;
use crate::transfer::{LINKS, Link};

/// How often is looked for files whose time is over.
const SWEEP_TIME: Duration = Duration::from_secs(2);

/// The files that links lead to.
#[derive(Debug, Default)]
pub(in crate::server) struct Links {
    folder: PathBuf,
    key: KeyFile,
    /// Bytes of those that have their name, whichever server of the folder wrote them. Between two sweeps it may be more
    /// than there are, never less than this server wrote.
    kept: AtomicU64,
    /// Bytes of those that this server is writing.
    writing: AtomicU64,
}

impl Links {
    /// Those in the folder of the server's own files; what was left there by a server that did not end is removed, what
    /// is none of ours stays. Nothing is made before the first link is.
    pub(super) fn new(data: &Path) -> Self {
        let folder = data.join("links");
        let links = Self { key: KeyFile::new(data.join("links.key")), folder, ..Self::default() };
        if let Err(error) = links.find() {
            log::warn!("{}: {error}", links.folder.display());
        }
        links
    }

    /// Counts what is there, and removes what nobody is writing any more.
    fn find(&self) -> io::Result<()> {
        self.each(|path, link| if link.is_none() { writing::remove_left(path) } else { Ok(()) })?;
        self.sweep(now())
    }

    /// Shows all files, each with its link; those that are being written, and those of others, have none.
    fn each(&self, mut show: impl FnMut(&Path, Option<Link>) -> io::Result<()>) -> io::Result<()> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let path = entry?.path();
            let link = path.file_name().and_then(|name| name.to_str()).and_then(Link::from_name);
            match show(&path, link) {
                // Another server of the same folder may have been faster.
                Err(error) if error.kind() != ErrorKind::NotFound => log::warn!("{}: {error}", path.display()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the files whose time is over, and counts the others anew: another server of the folder, or whoever looks
    /// after the machine, may have written or removed some.
    fn sweep(&self, now: u64) -> io::Result<()> {
        let before = self.kept.load(Ordering::Relaxed);
        let mut found = 0;
        self.each(|path, link| {
            match link {
                Some(link) if link.expires <= now => fs::remove_file(path)?,
                Some(_) => found += path.metadata()?.len(),
                None => {}
            }
            Ok(())
        })?;
        // What was finished meanwhile may have been seen or not: it stays counted.
        self.kept.fetch_add(found, Ordering::Relaxed);
        self.kept.fetch_sub(before, Ordering::Relaxed);
        Ok(())
    }

    /// Removes the files whose time is over, as long as the server runs.
    pub(super) async fn keep_clean(self: Arc<Self>) {
        loop {
            sleep(SWEEP_TIME).await;
            if self.kept.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let links = Arc::clone(&self);
            if let Err(error) = away(move || links.sweep(now())).await {
                log::warn!("{}: {error}", self.folder.display());
            }
        }
    }

    /// Keeps a file, and gives its link.
    ///
    /// # Errors
    /// There is no room for it, it cannot be kept, or it breaks off.
    pub(super) async fn make(
        self: &Arc<Self>,
        limits: &Limits,
        told: Told,
        content: Content,
    ) -> Result<String, Refusal> {
        let failed = |error: io::Error| Refusal::internal(format_args!("no link to a file can be made: {error}"));
        let own = Arc::clone(self);
        let key = away(move || own.key.get_or_make()).await.map_err(failed)?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| failed(io::Error::other(error)))?;
        let room = Room { links: self, most: limits.links, taken: 0 };
        let link = writing::keep(room, Link::new(nonce, 0), limits.link, told, content).await?;
        Ok(link.target(&key))
    }

    /// The answer to a request for what a link leads to.
    pub(super) async fn answer(self: &Arc<Self>, plan: &Plan, head: &Arc<Head>) -> Reply {
        if let Some(reply) = pipeline::unread(plan, head) {
            return reply;
        }
        let refuse = |reason| pipeline::refuse(plan, head, Of::Page, Refusal::new(reason));
        if !head.uri.path().starts_with(LINKS) {
            return refuse(Reason::UnknownService { similar: Vec::new() });
        }
        let (own, asking) = (Arc::clone(self), Arc::clone(head));
        let opened = match away(move || own.open(&asking)).await {
            Ok(Found::Kept(Kept { told, file, start })) => {
                let asking = Asking { head: Arc::clone(head), status: 200 };
                asking.behind(start, file, told.facts.clone()).await.map(|opened| (told, opened))
            }
            Ok(Found::Invalid) => return refuse(Reason::InvalidLink),
            Ok(Found::Gone) => return refuse(Reason::Gone),
            Err(error) => Err(error),
        };
        match opened {
            Ok((told, opened)) => {
                let headers = vec![
                    // The link is a secret that the answer must not spread.
                    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
                    (header::CACHE_CONTROL, HeaderValue::from_static("private")),
                ];
                told.reply(opened, 200, headers)
            }
            Err(error) => {
                let refusal = Refusal::internal(format_args!("the file of a link cannot be sent: {error}"));
                pipeline::refuse(plan, head, Of::Page, refusal)
            }
        }
    }

    /// What a request is for.
    fn open(&self, head: &Head) -> io::Result<Found> {
        let Some(key) = self.key.get()? else { return Ok(Found::Invalid) };
        let Some(link) = Link::read(head.uri.path(), head.query(), &key) else {
            return Ok(Found::Invalid);
        };
        if link.expires <= now() {
            return Ok(Found::Gone);
        }
        match kept::open(&self.folder.join(link.name())) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Gone),
            kept => kept.map(Found::Kept),
        }
    }
}

/// What a link leads to.
enum Found {
    /// A file.
    Kept(Kept),
    /// Nothing: nobody was given that link.
    Invalid,
    /// Nothing any more.
    Gone,
}

/// Whether a request is for what links lead to, or would.
pub(super) fn is_own(head: &Head) -> bool {
    head.uri.path().starts_with("/-/")
}

/// Seconds since the beginning of 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
