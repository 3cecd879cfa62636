//! The interface of storages of idempotency keys.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use thiserror::Error;

/// Stores the idempotency keys that clients have used, with the responses to their requests.
///
/// A server claims a key before it runs the handler, renews the claim while the handler runs, and then stores the
/// response, or releases the key if the handler failed. The crate `rulebook-sql` has storages in SQLite, PostgreSQL,
/// MySQL and MariaDB. A program can store keys elsewhere: it implements this trait, and passes the storage to
/// [`Rulebook::idempotency_storage`](crate::Rulebook::idempotency_storage).
///
/// The futures run in a task of a worker. They may be dropped before they end.
pub trait IdempotencyStorage: Send + Sync + 'static {
    /// Claims a key for the time `lease`, unless another claim of the key is valid or a response is stored for it. If
    /// several servers claim a key at the same time, at most one of the claims may succeed.
    fn claim(&self, claim: KeyClaim) -> StorageFuture<IdempotencyKeyState>;

    /// Extends a claim, so that it ends after the time `lease` from now. Does nothing if the key was claimed again in
    /// the meantime.
    fn renew(&self, claimed: &ClaimedKey, lease: Duration) -> StorageFuture<()>;

    /// Stores the response for the time `lifetime`. Does nothing if the key was claimed again in the meantime.
    fn store(&self, claimed: &ClaimedKey, response: Vec<u8>, lifetime: Duration) -> StorageFuture<()>;

    /// Ends a claim without a response, so that the key can be claimed again.
    fn release(&self, claimed: &ClaimedKey) -> StorageFuture<()>;

    /// Checks that the storage is available. `/readyz` reports the result.
    fn check(&self) -> StorageFuture<()>;

    /// Returns the files of the storage, which only the server may read: it does not start if they are in the folder of
    /// static files. By default, the storage has no files.
    fn private_files(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

/// The result of a function of an [`IdempotencyStorage`].
pub type StorageFuture<T> = Pin<Box<dyn Future<Output = Result<T, IdempotencyError>> + Send>>;

/// The claim of an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyClaim {
    /// The key and the claim.
    pub key: ClaimedKey,
    /// The time after which the claim ends if it is not renewed.
    pub lease: Duration,
    /// The maximum number of keys for which the storage has records.
    pub max_records: u64,
}

/// An idempotency key that a server claims or has claimed. All values consist of hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedKey {
    /// A hash of the key, the method and the caller: 64 digits.
    pub id: Box<str>,
    /// A hash of the arguments of the request: 64 digits.
    pub payload: Box<str>,
    /// A random text that is different for each claim: 32 digits.
    pub token: Box<str>,
}

impl ClaimedKey {
    /// Creates a claimed key, for tests of storages.
    pub fn new(id: impl Into<Box<str>>, payload: impl Into<Box<str>>, token: impl Into<Box<str>>) -> Self {
        Self { id: id.into(), payload: payload.into(), token: token.into() }
    }
}

impl KeyClaim {
    /// Creates a claim, for tests of storages.
    #[must_use]
    pub fn new(key: ClaimedKey, lease: Duration, max_records: u64) -> Self {
        Self { key, lease, max_records }
    }
}

/// The state of an idempotency key after an attempt to claim it.
#[derive(Clone, PartialEq, Eq)]
pub enum IdempotencyKeyState {
    /// The key is claimed for this request.
    Claimed,
    /// Another request with the key is being handled.
    InUse {
        /// The hash of the arguments of the other request.
        payload: Box<str>,
    },
    /// A request with the key was handled.
    Stored {
        /// The hash of the arguments of the request.
        payload: Box<str>,
        /// The response, as it was passed to [`IdempotencyStorage::store`].
        response: Vec<u8>,
    },
    /// The key is not claimed, because the storage has the maximum number of records.
    Full,
}

impl fmt::Debug for IdempotencyKeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Claimed => "Claimed",
            Self::InUse { .. } => "InUse",
            Self::Stored { .. } => "Stored",
            Self::Full => "Full",
        })
    }
}

/// Why an [`IdempotencyStorage`] is unavailable, for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct IdempotencyError {
    reason: String,
    is_invalid_address: bool,
}

impl IdempotencyError {
    /// Creates an error. `reason` must not contain secrets, such as a password in a URL.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_invalid_address: false }
    }

    /// Creates the error that the address of a storage is not valid, so that the storage will never be available.
    /// `reason` must not contain the address.
    pub fn invalid_address(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), is_invalid_address: true }
    }

    /// Returns `true` if the address of the storage is not valid.
    #[must_use]
    pub fn is_invalid_address(&self) -> bool {
        self.is_invalid_address
    }
}
