//! Responses that are kept for idempotency keys: a client that sends a request again with the same value of
//! `Idempotency-Key` gets the response to the first request, and the handler does not run again.
//!
//! The stage `run_once` uses this module. A storage ([`IdempotencyStorage`]) has a record for each key in use. It does
//! not know what requests and responses are: it has hashes of requests and the bytes of responses.
//! This Rust module must not use sockets, and must not run handlers.

mod fingerprint;
mod key;
mod memory_storage;
mod storage;
mod stored_response;

pub(crate) use fingerprint::{Fingerprint, RequestHasher};
pub(crate) use key::read_key;
pub use memory_storage::MemoryStorage;
pub use storage::{ClaimedKey, IdempotencyError, IdempotencyKeyState, IdempotencyStorage, KeyClaim, StorageFuture};
pub(crate) use stored_response::StoredResponse;
