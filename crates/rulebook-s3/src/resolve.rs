//! Reads pointers. The pointer of a file that is being published together with others refers to two contents; the
//! decision about the transaction says which of them is valid.

use std::time::{Duration, Instant, SystemTime};

use object_store::path::Path;
use rulebook::store::StoreError;
use tokio::time::sleep;

use crate::bucket::{Bucket, Version, Versioned, Written};
use crate::keys::TRANSACTIONS;
use crate::pointer::{Decision, Entry, Pointer};

/// After this time, another server may abort a transaction that has not been decided. The server that has begun it has
/// been killed, or is far too slow.
pub(crate) const ABANDONED_AFTER: Duration = Duration::from_secs(30);
/// For how long a server waits for the transactions of other servers.
const MAX_WAIT: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const MAX_PAUSE: Duration = Duration::from_millis(500);

const READ: &str = "reading the entry of a file";

/// What the pointer of a file means at one moment.
#[derive(Debug)]
pub(crate) struct Resolved {
    /// The content of the file; `None` if the file does not exist.
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
    pub(crate) async fn resolve_for_change(
        &self,
        pointer: &Path,
        transaction: Option<&str>,
    ) -> Result<Resolved, StoreError> {
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
                let error = "other servers were still publishing the same files".into();
                return Err(StoreError::Unavailable { action: "publishing a file", error });
            }
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Reads the pointer of a file. If its transaction is abandoned, aborts it. Returns `None` if the pointer has to
    /// wait.
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
    pub(crate) async fn decide(&self, transaction: &str, decision: &Decision) -> Result<Option<Decision>, StoreError> {
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

impl Resolved {
    /// Returns `true` if the pointer waits for a decision.
    pub(crate) fn has_open_transaction(&self) -> bool {
        self.open_transaction.is_some()
    }

    /// Returns `true` if the pointer waits for the decision about this transaction.
    pub(crate) fn is_prepared_for(&self, transaction: &str) -> bool {
        self.open_transaction.as_ref().is_some_and(|(id, _)| id == transaction)
    }
}
