//! Cleans up: deletes replaced contents after a grace time, and what killed servers have left.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::path::Path;
use rulebook::store::{FileName, StoreError};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::bucket::{Bucket, CONCURRENT, CONTENTS, STATE, TRANSACTIONS, UPLOADS, Versioned, Written, error_during};
use crate::content::{Target, UploadRecord};
use crate::engine::Store;
use crate::pointer::{ABANDONED_AFTER, Decision, Pointer, Replaced};

/// The maximum number of replaced contents that wait for their deletion.
pub(crate) const MAX_WAITING: usize = 100_000;
/// The time between two attempts to search for contents without a name.
const MIN_PAUSE: Duration = Duration::from_millis(200);
const MAX_PAUSE: Duration = Duration::from_secs(3600);
/// For how long the decision to abort a transaction stays at least.
const MIN_DECISION_AGE: Duration = Duration::from_secs(3600);
const SEARCH: &str = "looking for contents without a name";

/// When a server has last looked for contents without a name.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LastSearch {
    /// In milliseconds since the Unix epoch.
    at: u64,
}

/// Deletes replaced contents after the grace time, so that downloads in progress can end. Each waits with a permit of
/// `waiting`; the search for contents without a name deletes the others.
pub(crate) fn delete_later(store: &Store, waiting: &Arc<Semaphore>, replaced: Vec<Replaced>) {
    for replaced in replaced {
        let Ok(permit) = Arc::clone(waiting).try_acquire_owned() else { return };
        let bucket = store.bucket.clone();
        store.spawn(async move {
            sleep(bucket.location.grace).await;
            if let Err(error) = bucket.delete_replaced(&replaced).await {
                log::debug!("the replaced content of a file stays until it is old: {error}");
            }
            drop(permit);
        });
    }
}

/// Looks for contents without a name again and again, until the store is closed.
pub(crate) async fn search_regularly(bucket: Bucket) {
    let sweep = bucket.location.sweep;
    while !sweep.is_zero() {
        sleep(sweep.clamp(MIN_PAUSE, MAX_PAUSE)).await;
        if let Err(error) = bucket.search(sweep).await {
            log::warn!("the search for contents without a name has failed, and will be repeated: {error}");
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
        let mut read = read.try_buffer_unordered(CONCURRENT);
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

fn contents(pointer: &Pointer) -> impl Iterator<Item = &str> {
    let entries = pointer.current.iter().chain(pointer.pending.iter().map(|pending| &pending.entry));
    entries.map(|entry| entry.content.as_str())
}
