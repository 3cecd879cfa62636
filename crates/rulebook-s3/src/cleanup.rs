//! Cleans up: deletes replaced contents after a grace time, and what killed servers have left.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use rulebook::store::{FileName, StoreError};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::bucket::{Bucket, Versioned, Written, error_during};
use crate::keys::{CONTENTS, STATE, TRANSACTIONS, UPLOADS};
use crate::pointer::{Decision, Pointer};
use crate::publish::Replaced;
use crate::resolve::ABANDONED_AFTER;
use crate::upload::{Target, UploadRecord};

/// The maximum number of replaced contents that wait for their deletion. The search for contents without a name deletes
/// the others.
const MAX_WAITING: usize = 100_000;
/// The number of pointers that are read at the same time.
const CONCURRENT_READS: usize = 16;
/// For how long the decision to abort a transaction stays at least.
const MIN_DECISION_AGE: Duration = Duration::from_secs(3600);
const SEARCH: &str = "looking for contents without a name";

/// The replaced contents that wait for their deletion.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting(Arc<Mutex<Vec<(Instant, Replaced)>>>);

impl Waiting {
    /// Adds contents, which are deleted after the grace time.
    pub(crate) fn add(&self, replaced: Vec<Replaced>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() + replaced.len() <= MAX_WAITING {
            waiting.extend(replaced.into_iter().map(|replaced| (Instant::now(), replaced)));
        }
    }

    /// Removes and returns the contents that have waited for the grace time.
    fn take_due(&self, grace: Duration) -> Vec<Replaced> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest contents are first.
        let due = waiting.partition_point(|(since, _)| since.elapsed() >= grace);
        waiting.drain(..due).map(|(_, replaced)| replaced).collect()
    }
}

/// When a server has last looked for contents without a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LastSearch {
    /// In milliseconds since the Unix epoch.
    at: u64,
}

/// Cleans up until the store is closed.
pub(crate) async fn clean_up(bucket: Bucket, waiting: Waiting) {
    let (grace, sweep) = (bucket.location.grace, bucket.location.sweep);
    let shortest = if sweep.is_zero() { grace } else { grace.min(sweep) };
    let pause = (shortest / 4).clamp(Duration::from_millis(200), Duration::from_secs(60));
    let mut last_attempt = Instant::now();
    loop {
        sleep(pause).await;
        for replaced in waiting.take_due(grace) {
            if let Err(error) = bucket.delete_replaced(&replaced).await {
                log::debug!("the replaced content of a file stays until it is old: {error}");
            }
        }
        if !sweep.is_zero() && last_attempt.elapsed() >= sweep.min(Duration::from_secs(3600)) {
            last_attempt = Instant::now();
            if let Err(error) = bucket.search(sweep).await {
                log::warn!("the search for contents without a name has failed, and will be repeated: {error}");
            }
        }
    }
}

impl Bucket {
    /// Deletes the content that a file had before it was replaced, unless the file has this content again.
    async fn delete_replaced(&self, replaced: &Replaced) -> Result<(), StoreError> {
        let pointer = self.read::<Pointer>(&self.keys.pointer(&replaced.name)?, SEARCH).await?;
        if pointer.is_some_and(|pointer| contents(&pointer.value).any(|content| content == replaced.content)) {
            return Ok(());
        }
        self.delete(&self.keys.key(CONTENTS, &replaced.content)).await
    }

    /// Deletes what killed servers have left, if no other server has done this within the interval.
    async fn search(&self, interval: Duration) -> Result<(), StoreError> {
        let key = self.keys.key(STATE, "sweep");
        let last = self.read::<LastSearch>(&key, SEARCH).await?;
        if let Some(Versioned { written, .. }) = &last
            && SystemTime::now().duration_since(*written).is_ok_and(|age| age < interval)
        {
            return Ok(());
        }
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = LastSearch { at: u64::try_from(since.as_millis()).unwrap_or_default() };
        let version = last.and_then(|last| last.version);
        if let Written::Conflict = self.write_if(&key, &now, &version, SEARCH).await? {
            return Ok(());
        }
        self.abort_old_uploads(interval).await?;
        let used = self.used_contents().await?;
        self.complete_old_transactions(interval).await?;
        self.delete_unused_contents(interval, &used).await
    }

    async fn abort_old_uploads(&self, age: Duration) -> Result<(), StoreError> {
        let mut old = self.older(&self.keys.key(UPLOADS, ""), age);
        while let Some(key) = old.try_next().await? {
            if let (Some(id), Some(record)) = (key.filename(), self.read::<UploadRecord>(&key, SEARCH).await?) {
                let UploadRecord { upload, is_link } = record.value;
                self.abort_upload(&Target { id: id.to_owned(), is_link }, &upload).await?;
            }
        }
        Ok(())
    }

    /// Completes the transactions of killed servers.
    async fn complete_old_transactions(&self, age: Duration) -> Result<(), StoreError> {
        let mut old = self.older(&self.keys.key(TRANSACTIONS, ""), 2 * ABANDONED_AFTER);
        while let Some(key) = old.try_next().await? {
            let Some(decision) = self.read::<Decision>(&key, SEARCH).await? else { continue };
            let Decision { commit, names } = decision.value;
            if commit && let Some(id) = key.filename() {
                for name in names.iter().filter_map(|name| FileName::parse(name).ok()) {
                    self.complete_pointer(&self.keys.pointer(&name)?, id).await?;
                }
            }
            let is_old =
                SystemTime::now().duration_since(decision.written).is_ok_and(|it| it > age.max(MIN_DECISION_AGE));
            if commit || is_old {
                self.delete(&key).await?;
            }
        }
        Ok(())
    }

    /// Returns the ids of all contents to which a pointer refers. Decides the abandoned transactions of the pointers.
    async fn used_contents(&self) -> Result<HashSet<String>, StoreError> {
        let bucket = self.clone();
        let pointers = self.s3.list(Some(&self.keys.names(None))).map_err(error_during(SEARCH));
        let read = pointers.map_ok(move |object| bucket.clone().contents_of(object.location));
        let mut read = read.try_buffer_unordered(CONCURRENT_READS);
        let mut used = HashSet::new();
        while let Some(ids) = read.try_next().await? {
            used.extend(ids);
        }
        Ok(used)
    }

    /// Returns the ids of the contents to which a pointer refers.
    async fn contents_of(self, key: Path) -> Result<Vec<String>, StoreError> {
        let Some(pointer) = self.read::<Pointer>(&key, SEARCH).await? else { return Ok(Vec::new()) };
        if pointer.value.pending.is_some() {
            self.settle(&key).await?;
        }
        Ok(contents(&pointer.value).map(str::to_owned).collect())
    }

    /// Aborts the transaction of a pointer if it is abandoned, and removes it from the pointer.
    async fn settle(&self, pointer: &Path) -> Result<(), StoreError> {
        let resolved = self.resolve_now(pointer).await?;
        let Some(resolved) = resolved else { return Ok(()) };
        let settled = Pointer { current: resolved.current, pending: None };
        self.write_if(pointer, &settled, &resolved.version, SEARCH).await.map(drop)
    }

    async fn delete_unused_contents(&self, age: Duration, used: &HashSet<String>) -> Result<(), StoreError> {
        let mut deleted = 0_u64;
        let mut old = self.older(&self.keys.key(CONTENTS, ""), age);
        while let Some(key) = old.try_next().await? {
            if key.filename().is_some_and(|id| !used.contains(id)) {
                self.delete(&key).await?;
                deleted += 1;
            }
        }
        if deleted > 0 {
            log::info!("{deleted} old contents without a name have been deleted");
        }
        Ok(())
    }
}

/// Returns the ids of the contents to which a pointer refers.
fn contents(pointer: &Pointer) -> impl Iterator<Item = &str> {
    let entries = pointer.current.iter().chain(pointer.pending.iter().map(|pending| &pending.entry));
    entries.map(|entry| entry.content.as_str())
}
