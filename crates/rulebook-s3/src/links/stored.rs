//! How many bytes the files of all links have, and when a server should look for expired links.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rulebook::store::StoreError;

use super::clean_up::Listed;
use super::writer::unix_time;

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
