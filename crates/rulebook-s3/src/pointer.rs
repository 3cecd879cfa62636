//! The small objects that give names to contents, and the publication of files, which makes pointers refer to new
//! contents. Contents are never copied. Of several files, all are published or none, even if the server is killed in
//! between.
//!
//! A pointer belongs to a file name, and refers to the content of the file. While several files are published together,
//! each of their pointers also contains the new entry and the id of the transaction. The transaction is decided by the
//! creation of one object, its decision: either it commits the transaction, or it aborts it. The server that creates
//! the object first decides; it never changes. Until then, and if the decision is to abort, the old entry of each
//! pointer is valid; after a commit, the new entry is.

use std::time::{Duration, Instant, SystemTime};

use futures_util::{StreamExt, stream};
use object_store::path::Path;
use rulebook::ETag;
use rulebook::store::{FileInfo, FileName, NewFile, StoreError};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::bucket::{
    Bucket, CONCURRENT, TRANSACTIONS, Version, Versioned, Written, random_id, run_for_all, unavailable,
};

/// After this time, another server may abort a transaction that has not been decided. The server that has begun it has
/// been killed, or is far too slow.
pub(crate) const ABANDONED_AFTER: Duration = Duration::from_secs(30);
/// For how long a server waits for the transactions of other servers.
const MAX_WAIT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(500);

const READ: &str = "reading the entry of a file";

/// The object that belongs to a file name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    /// The content of the file; `None` if the file does not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<Entry>,
    /// The content that the file gets if a transaction is committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Pending>,
}

/// What a pointer says about a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) content: String,
    pub(crate) length: u64,
    /// The BLAKE3 hash of the content as hexadecimal digits.
    hash: String,
    /// The modification time in milliseconds since the Unix epoch.
    modified: u64,
}

/// The part of a transaction that belongs to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    transaction: String,
    pub(crate) entry: Entry,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decision {
    /// `true` if the transaction is committed, `false` if it is aborted.
    pub(crate) commit: bool,
    /// The names of the files, so that another server can complete a committed transaction.
    #[serde(default)]
    pub(crate) names: Vec<String>,
}

impl Pointer {
    /// Returns `true` if a pointer of this size in bytes, in JSON, can have a current and no pending entry. A listing
    /// reads the pointers of other sizes.
    pub(crate) fn is_plain_size(size: u64) -> bool {
        // The names of the fields, an id and a hash; two numbers of at most 20 digits.
        (150..=205).contains(&size)
    }
}

impl Entry {
    pub(crate) fn new(file: &NewFile) -> Self {
        let since = file.info.modified.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self {
            content: file.content.clone(),
            length: file.info.length.unwrap_or_default(),
            hash: file.hash.clone(),
            modified: since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default(),
        }
    }

    pub(crate) fn info(&self) -> FileInfo {
        let mut info = FileInfo::default();
        info.length = Some(self.length);
        info.accepts_ranges = true;
        info.etag = Some(ETag::strong(&self.hash));
        info.modified = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.modified));
        info
    }
}

impl Decision {
    pub(crate) fn commit<'n>(names: impl Iterator<Item = &'n FileName>) -> Self {
        Self { commit: true, names: names.map(|name| name.as_str().to_owned()).collect() }
    }

    pub(crate) fn abort() -> Self {
        Self { commit: false, names: Vec::new() }
    }
}

/// What the pointer of a file means at one moment.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) current: Option<Entry>,
    pub(crate) version: Version,
    /// The transaction that has not been decided, and the time since which it waits.
    open_transaction: Option<(String, SystemTime)>,
}

impl Bucket {
    pub(crate) async fn resolve(&self, pointer: &Path) -> Result<Resolved, StoreError> {
        let mut seen = self.read::<Pointer>(pointer, READ).await?;
        loop {
            let Some(Versioned { value: Pointer { current, pending }, version, written }) = seen else {
                return Ok(Resolved { current: None, version: None, open_transaction: None });
            };
            let Some(pending) = pending else { return Ok(Resolved { current, version, open_transaction: None }) };
            let decision = self.read::<Decision>(&self.keys.key(TRANSACTIONS, &pending.transaction), READ).await?;
            if let Some(Versioned { value: Decision { commit, .. }, .. }) = decision {
                let current = if commit { Some(pending.entry) } else { current };
                return Ok(Resolved { current, version, open_transaction: None });
            }
            // A decision is deleted after all pointers have been completed. If the pointer is still the same, there has
            // been no decision.
            seen = self.read::<Pointer>(pointer, READ).await?;
            if seen.as_ref().is_some_and(|again| again.version == version) {
                return Ok(Resolved { current, version, open_transaction: Some((pending.transaction, written)) });
            }
        }
    }

    /// Reads the pointer of a file that will be changed. Waits until the transactions of other servers are decided, and
    /// aborts those that are abandoned. `transaction` is the transaction of the caller.
    async fn resolve_for_change(&self, pointer: &Path, transaction: Option<&str>) -> Result<Resolved, StoreError> {
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let resolved = self.resolve(pointer).await?;
            let Some((other, since)) = &resolved.open_transaction else { return Ok(resolved) };
            if Some(other.as_str()) == transaction {
                return Ok(resolved);
            }
            if is_abandoned(*since) {
                self.decide(other, &Decision::abort()).await?;
                continue;
            }
            if start.elapsed() > MAX_WAIT {
                return Err(unavailable("publishing a file", "other servers were still publishing the same files"));
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Aborts an abandoned transaction. Returns `None` if the pointer has to wait.
    pub(crate) async fn resolve_now(&self, pointer: &Path) -> Result<Option<Resolved>, StoreError> {
        let resolved = self.resolve(pointer).await?;
        match &resolved.open_transaction {
            None => Ok(Some(resolved)),
            Some((transaction, since)) if is_abandoned(*since) => {
                self.decide(transaction, &Decision::abort()).await?;
                self.resolve(pointer).await.map(|again| Some(again).filter(|again| again.open_transaction.is_none()))
            }
            Some(_) => Ok(None),
        }
    }

    /// Decides a transaction, unless it has been decided already. Returns the decision that is valid; `None` if another
    /// server has already deleted it, after it has completed all pointers.
    async fn decide(&self, transaction: &str, decision: &Decision) -> Result<Option<Decision>, StoreError> {
        const DECIDE: &str = "deciding about a publication";
        let key = self.keys.key(TRANSACTIONS, transaction);
        match self.write_if(&key, decision, &None, DECIDE).await? {
            Written::Done(_) => Ok(Some(decision.clone())),
            Written::Conflict => Ok(self.read::<Decision>(&key, DECIDE).await?.map(|decided| decided.value)),
        }
    }
}

fn is_abandoned(since: SystemTime) -> bool {
    SystemTime::now().duration_since(since).is_ok_and(|age| age > ABANDONED_AFTER)
}

const PUBLISH: &str = "publishing a file";
/// How often a file is published again after another server has changed its pointer at the same moment.
pub(crate) const MAX_CONFLICTS: u32 = 100;

/// The content of a file that has been replaced. It is deleted later, so that downloads in progress can end.
#[derive(Debug)]
pub(crate) struct Replaced {
    pub(crate) name: FileName,
    pub(crate) content: String,
}

#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) result: Result<Vec<FileInfo>, StoreError>,
    pub(crate) replaced: Vec<Replaced>,
    /// `true` if no name refers or will refer to the contents of the files. `false` also if it is unknown whether the
    /// files have been published: then only the search for contents without a name may delete them.
    pub(crate) unused: bool,
}

impl Published {
    fn failed(error: StoreError) -> Self {
        let unused = matches!(error, StoreError::PreconditionFailed(_) | StoreError::NameTooLong { .. });
        Self { result: Err(error), replaced: Vec::new(), unused }
    }
}

fn replaced(name: &FileName, current: Option<Entry>) -> Option<Replaced> {
    current.map(|entry| Replaced { name: name.clone(), content: entry.content })
}

fn check_precondition(file: &NewFile, resolved: &Resolved) -> Result<(), StoreError> {
    let info = resolved.current.as_ref().map(Entry::info);
    let is_met = file.precondition.is_met(info.as_ref());
    if is_met { Ok(()) } else { Err(StoreError::PreconditionFailed(file.name.clone())) }
}

/// Waits before the pointer that another server has just changed is read again.
pub(crate) async fn pause_after_conflict(conflicts: u32) {
    let mut random = [0; 1];
    // Without random numbers, all servers wait equally long.
    let _ = getrandom::fill(&mut random);
    sleep(Duration::from_millis(u64::from(conflicts.min(20) * 2) + u64::from(random[0] % 16))).await;
}

impl Bucket {
    pub(crate) async fn publish_one(&self, file: &NewFile) -> Published {
        match self.try_publish_one(file).await {
            Ok(replaced) => Published {
                result: Ok(vec![file.info.clone()]),
                replaced: replaced.into_iter().collect(),
                unused: false,
            },
            Err(error) => Published::failed(error),
        }
    }

    async fn try_publish_one(&self, file: &NewFile) -> Result<Option<Replaced>, StoreError> {
        let key = self.keys.pointer(&file.name)?;
        let new = Pointer { current: Some(Entry::new(file)), pending: None };
        for conflicts in 0..MAX_CONFLICTS {
            let resolved = self.resolve_for_change(&key, None).await?;
            if resolved.current == new.current {
                // The bucket has written the pointer, but has reported an error of the first attempt.
                return Ok(None);
            }
            check_precondition(file, &resolved)?;
            match self.write_if(&key, &new, &resolved.version, PUBLISH).await {
                Ok(Written::Done(_)) => return Ok(replaced(&file.name, resolved.current)),
                Ok(Written::Conflict) => pause_after_conflict(conflicts).await,
                Err(error) => {
                    // The response may have been lost after the pointer was written.
                    let again = self.resolve(&key).await;
                    if again.is_ok_and(|again| again.current == new.current) {
                        return Ok(replaced(&file.name, resolved.current));
                    }
                    return Err(error);
                }
            }
        }
        Err(unavailable(PUBLISH, "other servers have changed the same file all the time"))
    }
}

/// For how long pointers are prepared. It is shorter than the time after which other servers abort the transaction.
const MAX_PREPARATION: Duration = Duration::from_secs(20);

/// A file whose pointer waits for the decision.
#[derive(Debug)]
struct Prepared {
    name: FileName,
    old: Option<Entry>,
    new: Entry,
    /// The version of the prepared pointer; `None` if it is not known.
    version: Version,
}

impl Bucket {
    /// Publishes several files. The pointers are completed after this function has returned.
    pub(crate) async fn publish_several(&self, files: &[NewFile]) -> Published {
        let mut sorted = files.to_vec();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        // The preconditions are checked before anything is written: a listing could contain the folders of new
        // pointers.
        if let Err(error) = self.check_all(&sorted).await {
            return Published { unused: true, ..Published::failed(error) };
        }
        // The first attempt prepares pointers at the same time, and gives up if another server publishes one of the
        // files. The second attempt waits for other servers, and prepares one pointer after the other in the order of
        // the names, so that no two servers wait for each other. Before it prepares the first pointer, it waits for the
        // transactions of servers that have been killed, because that takes longer than pointers may be prepared.
        for waits in [false, true] {
            if waits && let Err(error) = self.wait_for_all(&sorted).await {
                return Published { unused: true, ..Published::failed(error) };
            }
            let published = match random_id() {
                Ok(transaction) => self.attempt(&sorted, &transaction, waits).await,
                Err(error) => Some(Published { unused: true, ..Published::failed(error) }),
            };
            if let Some(mut published) = published {
                published.result = published.result.map(|_| files.iter().map(|file| file.info.clone()).collect());
                return published;
            }
        }
        let error = unavailable(PUBLISH, "other servers publish the same files");
        Published { unused: true, ..Published::failed(error) }
    }

    /// Publishes several files in one transaction. Returns `None` if another server publishes one of the files and the
    /// attempt does not wait for it; the transaction is aborted then.
    async fn attempt(&self, files: &[NewFile], transaction: &str, waits: bool) -> Option<Published> {
        let start = Instant::now();
        let mut prepared = Vec::with_capacity(files.len());
        let (mut failure, mut is_contended) = (None, false);
        let (bucket, id) = (self.clone(), transaction.to_owned());
        let preparations =
            files.iter().cloned().map(move |file| bucket.clone().prepare(file, id.clone(), start, waits));
        let mut preparations = stream::iter(preparations).buffered(if waits { 1 } else { CONCURRENT });
        while let Some(preparation) = preparations.next().await {
            match preparation {
                Ok(Some(file)) => prepared.push(file),
                Ok(None) => is_contended = true,
                Err(error) => failure = Some(error),
            }
            if is_contended || failure.is_some() {
                break;
            }
        }
        // Preparations that have been started end here: after the decision, they would be in vain.
        drop(preparations);
        let decision = match (&failure, is_contended) {
            (None, false) => Decision::commit(files.iter().map(|file| &file.name)),
            _ => Decision::abort(),
        };
        let mut is_known = true;
        let decided = match self.decide(transaction, &decision).await {
            Ok(Some(decided)) => decided,
            // It is unknown whether the decision has been written. If not, it is to abort.
            unknown => {
                is_known = false;
                failure = failure.or(unknown.err());
                self.decide(transaction, &Decision::abort()).await.ok().flatten().unwrap_or_else(Decision::abort)
            }
        };
        if !decided.commit {
            if is_known {
                self.revert(prepared).await;
                if is_contended {
                    return None;
                }
            }
            let error = failure.unwrap_or_else(|| {
                unavailable(PUBLISH, "another server has aborted the publication, because it took too long")
            });
            return Some(Published { unused: is_known, ..Published::failed(error) });
        }
        let replaced = prepared.iter().filter_map(|file| replaced(&file.name, file.old.clone())).collect();
        let (bucket, transaction) = (self.clone(), transaction.to_owned());
        tokio::spawn(async move { bucket.complete_prepared(&transaction, prepared).await });
        Some(Published { result: Ok(Vec::new()), replaced, unused: false })
    }

    async fn check_all(&self, files: &[NewFile]) -> Result<(), StoreError> {
        let check = |file: NewFile| async move {
            let resolved = self.resolve(&self.keys.pointer(&file.name)?).await?;
            check_precondition(&file, &resolved)
        };
        run_for_all(files.to_vec(), check).await
    }

    /// Waits until no file waits for the decision of another server.
    async fn wait_for_all(&self, files: &[NewFile]) -> Result<(), StoreError> {
        for file in files {
            self.resolve_for_change(&self.keys.pointer(&file.name)?, None).await?;
        }
        Ok(())
    }

    /// Adds the new content of a file to its pointer. Returns `None` if another server publishes the file and `waits`
    /// is `false`.
    async fn prepare(
        self,
        file: NewFile,
        transaction: String,
        start: Instant,
        waits: bool,
    ) -> Result<Option<Prepared>, StoreError> {
        let key = self.keys.pointer(&file.name)?;
        let new = Entry::new(&file);
        for conflicts in 0.. {
            if start.elapsed() > MAX_PREPARATION {
                break;
            }
            let resolved = if waits {
                self.resolve_for_change(&key, Some(&transaction)).await?
            } else {
                self.resolve(&key).await?
            };
            let (old, name) = (resolved.current.clone(), file.name.clone());
            match &resolved.open_transaction {
                Some((id, _)) if *id == transaction => {
                    return Ok(Some(Prepared { name, old, new, version: resolved.version }));
                }
                Some(_) => return Ok(None),
                None => {}
            }
            check_precondition(&file, &resolved)?;
            let pending = Some(Pending { transaction: transaction.clone(), entry: new.clone() });
            let pointer = Pointer { current: resolved.current, pending };
            match self.write_if(&key, &pointer, &resolved.version, PUBLISH).await? {
                Written::Done(version) => return Ok(Some(Prepared { name, old, new, version })),
                Written::Conflict => pause_after_conflict(conflicts).await,
            }
        }
        Err(unavailable(PUBLISH, "preparing all files took too long"))
    }

    /// Removes the new contents from the pointers. If this fails, readers still see the old contents, because the
    /// transaction is aborted.
    async fn revert(&self, prepared: Vec<Prepared>) {
        let revert = |file: Prepared| async move {
            let old = Pointer { current: file.old, pending: None };
            self.write_if(&self.keys.pointer(&file.name)?, &old, &file.version, PUBLISH).await.map(drop)
        };
        if let Err(error) = run_for_all(prepared, revert).await {
            log::warn!("an aborted publication could not be cleaned up; other servers ignore it: {error}");
        }
    }

    /// Completes the pointers of a committed transaction, and deletes the decision.
    async fn complete_prepared(&self, transaction: &str, prepared: Vec<Prepared>) {
        let complete = |file: Prepared| async move {
            let key = self.keys.pointer(&file.name)?;
            let new = Pointer { current: Some(file.new), pending: None };
            match self.write_if(&key, &new, &file.version, PUBLISH).await? {
                Written::Done(_) => Ok(()),
                Written::Conflict => self.complete_pointer(&key, transaction).await.map(drop),
            }
        };
        let mut completed = run_for_all(prepared, complete).await;
        if completed.is_ok() {
            completed = self.delete(&self.keys.key(TRANSACTIONS, transaction)).await;
        }
        if let Err(error) = completed {
            log::warn!("a publication will be completed later; other servers see it already: {error}");
        }
    }

    /// Completes a pointer that waits for a committed transaction. Returns the content that the transaction has
    /// replaced, if the pointer was not complete.
    pub(crate) async fn complete_pointer(&self, key: &Path, transaction: &str) -> Result<Option<Entry>, StoreError> {
        for conflicts in 0..MAX_CONFLICTS {
            let Some(seen) = self.read::<Pointer>(key, PUBLISH).await? else { return Ok(None) };
            let Pointer { current, pending } = seen.value;
            let Some(pending) = pending.filter(|pending| pending.transaction == transaction) else { return Ok(None) };
            let new = Pointer { current: Some(pending.entry), pending: None };
            match self.write_if(key, &new, &seen.version, PUBLISH).await? {
                Written::Done(_) => return Ok(current),
                Written::Conflict => pause_after_conflict(conflicts).await,
            }
        }
        Err(unavailable(PUBLISH, "a file is changed all the time"))
    }
}
