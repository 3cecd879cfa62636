//! A client of other rulebook servers, which sends files to their internal API and fetches files from it.
//!
//! This module sends the requests, retries them, and verifies that the local content equals the content on the server.
//! It reports progress to a callback and prints nothing. It does not use the definition: the server decides which files
//! it accepts.

mod client;
mod digest;
mod error;
mod error_response;
mod fetch;
mod multipart;
mod partial;
mod send;
mod server;

use std::time::Duration;

pub(crate) use client::{BearerKey, Client};
pub(crate) use digest::{Digest, Verification};
pub(crate) use error::TransferError;
pub(crate) use fetch::{FetchRequest, Fetched, fetch};
pub(crate) use send::{OutgoingFile, WriteCondition, send};
pub(crate) use server::Server;

/// The progress of a transfer.
pub(crate) enum Progress<'a> {
    /// An attempt has started. `done` bytes have been transferred by earlier attempts; `total` is the number of all
    /// bytes, if known.
    Started { done: u64, total: Option<u64> },
    /// This number of bytes has been transferred since the last event.
    Advanced(u64),
    /// The attempt has failed, and another one follows after a pause.
    Retrying { error: &'a TransferError, pause: Duration },
}

/// A callback that receives the progress of a transfer.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(Progress<'_>);
