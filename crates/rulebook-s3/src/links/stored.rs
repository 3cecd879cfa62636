//! Lists the files of all links, counts their bytes, and deletes those that are not needed any more.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use rulebook::store::{LinkId, StoreError, link_size};

use super::S3Links;
use super::writer::unix_time;
use crate::bucket::{Bucket, error_during, run_for_all};
use crate::keys::{LINK_CONTENTS, LINK_HEADS, LINKS, STATE};

/// After this time, the links are listed again before a link is created.
const MAX_AGE: Duration = Duration::from_secs(2);
/// If there are very many links, listing them takes at most this part of the time.
const MAX_LISTING_SHARE: u32 = 4;

/// What this server knows about the files of all links.
#[derive(Debug, Default)]
pub(super) struct Stored {
    bytes: AtomicU64,
    /// The time of the next search for expired links, in seconds since the Unix epoch.
    next_clean_up: AtomicU64,
    last_listing: Mutex<Option<LastListing>>,
}

#[derive(Debug)]
struct LastListing {
    end: Instant,
    duration: Duration,
}

impl Stored {
    /// Returns the total size of the files of all links.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Adds a file that this server has completed.
    pub(super) fn add(&self, bytes: u64, expires: u64, grace: Duration) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let deleted = expires.saturating_add(grace.as_secs()).saturating_add(1);
        self.next_clean_up.fetch_min(deleted, Ordering::Relaxed);
    }

    /// Returns `true` if there may be links to delete.
    pub(super) fn needs_clean_up(&self) -> bool {
        self.next_clean_up.load(Ordering::Relaxed) <= unix_time()
    }

    /// Lists all links, unless they have been listed a short time ago. Threads that call this function at the same time
    /// wait for one listing.
    pub(super) fn refresh(&self, list: impl FnOnce() -> Result<Listed, StoreError>) -> Result<(), StoreError> {
        let mut last = self.last_listing.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent =
            |last: &LastListing| last.end.elapsed() + last.duration < MAX_AGE.max(last.duration * MAX_LISTING_SHARE);
        if last.as_ref().is_some_and(is_recent) {
            return Ok(());
        }
        let listed = self.list(&mut last, list)?;
        if listed.has_old_files() {
            self.next_clean_up.store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) fn list_now(&self, list: impl FnOnce() -> Result<Listed, StoreError>) -> Result<Listed, StoreError> {
        let mut last = self.last_listing.lock().unwrap_or_else(PoisonError::into_inner);
        self.list(&mut last, list)
    }

    fn list(
        &self,
        last: &mut Option<LastListing>,
        list: impl FnOnce() -> Result<Listed, StoreError>,
    ) -> Result<Listed, StoreError> {
        let start = Instant::now();
        let before = self.bytes();
        let listed = list()?;
        // A file that this server has completed during the listing may be listed or not. In both cases it is counted.
        self.bytes.fetch_add(listed.bytes, Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
        self.next_clean_up.store(listed.next_clean_up, Ordering::Relaxed);
        *last = Some(LastListing { end: Instant::now(), duration: start.elapsed() });
        Ok(listed)
    }
}

const LIST: &str = "listing the files of links";
/// The longest time between two searches for expired links. A server also searches when a link that it knows expires.
const MAX_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub(super) struct Listed {
    /// The total size of the files that have not expired.
    pub(super) bytes: u64,
    /// The time of the next search for expired links, in seconds since the Unix epoch.
    pub(super) next_clean_up: u64,
    /// The files that may have to be deleted.
    old: Vec<OldFile>,
}

impl Listed {
    /// Returns `true` if there are files that may have to be deleted.
    pub(super) fn has_old_files(&self) -> bool {
        !self.old.is_empty()
    }
}

/// A file that may have to be deleted.
#[derive(Debug)]
struct OldFile {
    /// The head; `None` if the file has only a content.
    head: Option<Path>,
    content: Path,
    /// The time from which on the file is not needed, by the clock of the bucket.
    unneeded_after: SystemTime,
}

struct ListedContent {
    length: u64,
    written: SystemTime,
}

impl S3Links {
    pub(super) fn list_links(&self) -> Result<Listed, StoreError> {
        let bucket = self.bucket.clone();
        self.tasks.wait(async move { bucket.list_links().await })
    }
}

impl Bucket {
    async fn list_links(&self) -> Result<Listed, StoreError> {
        let (mut heads, mut contents) = (Vec::new(), HashMap::new());
        let (heads_prefix, contents_prefix) = (self.keys.key(LINK_HEADS, ""), self.keys.key(LINK_CONTENTS, ""));
        let mut objects = self.s3.list(Some(&self.keys.key(LINKS, ""))).map_err(error_during(LIST));
        while let Some(object) = objects.try_next().await? {
            let Some(name) = object.location.filename() else { continue };
            if object.location.prefix_matches(&heads_prefix) {
                heads.extend(LinkId::parse(name).map(|id| (id, object.size)));
            } else if object.location.prefix_matches(&contents_prefix) {
                let content = ListedContent { length: object.size, written: object.last_modified.into() };
                contents.insert(name.to_owned(), content);
            }
        }
        Ok(self.summarize(&heads, contents))
    }

    fn summarize(&self, heads: &[(LinkId, u64)], mut contents: HashMap<String, ListedContent>) -> Listed {
        let (now, grace, sweep) = (unix_time(), self.location.grace, self.location.sweep);
        let pause = if sweep.is_zero() { MAX_PAUSE } else { sweep.min(MAX_PAUSE) };
        let mut listed =
            Listed { bytes: 0, next_clean_up: now.saturating_add(pause.as_secs().max(1)), old: Vec::new() };
        for (id, head_length) in heads {
            let content = contents.remove(id.nonce());
            if id.expires() > now {
                listed.bytes += link_size(head_length + content.map_or(0, |content| content.length));
            }
            // Downloads that have begun before the link has expired can end.
            let unneeded = id.expires().saturating_add(grace.as_secs());
            if unneeded <= now {
                let unneeded_after = SystemTime::UNIX_EPOCH + Duration::from_secs(unneeded);
                let (head, content) =
                    (Some(self.keys.key(LINK_HEADS, &id.to_string())), self.keys.key(LINK_CONTENTS, id.nonce()));
                listed.old.push(OldFile { head, content, unneeded_after });
            } else {
                listed.next_clean_up = listed.next_clean_up.min(unneeded + 1);
            }
        }
        // The heads of these contents have not been written yet, or never will be.
        for (nonce, content) in contents {
            listed.bytes += link_size(content.length);
            let unneeded_after = content.written + sweep;
            if !sweep.is_zero() && unneeded_after <= SystemTime::now() {
                let content = self.keys.key(LINK_CONTENTS, &nonce);
                listed.old.push(OldFile { head: None, content, unneeded_after });
            }
        }
        listed
    }

    /// Deletes the files that are not needed any more. The clock of the bucket decides, so that a server whose clock is
    /// fast deletes no valid links.
    pub(super) async fn delete_expired(&self, listed: Listed) -> Result<(), StoreError> {
        if listed.old.is_empty() {
            return Ok(());
        }
        let now = self.current_time().await?;
        let unneeded = listed.old.into_iter().filter(|file| file.unneeded_after <= now);
        let bucket = self.clone();
        run_for_all(unneeded.collect(), move |file| bucket.clone().delete_old(file)).await
    }

    async fn delete_old(self, file: OldFile) -> Result<(), StoreError> {
        match file.head {
            Some(head) => self.delete_link(&head, &file.content).await,
            None => self.delete(&file.content).await,
        }
    }

    /// Returns the time of the bucket's clock, in whole seconds.
    async fn current_time(&self) -> Result<SystemTime, StoreError> {
        const READ_CLOCK: &str = "reading the clock of the bucket";
        let key = self.keys.key(STATE, "link-clean-up");
        self.write(&key, &unix_time(), READ_CLOCK).await?;
        Ok(self.s3.head(&key).await.map_err(error_during(READ_CLOCK))?.last_modified.into())
    }
}
