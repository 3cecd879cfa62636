//! Client of other rulebook servers: sends files to the calls of their internal API and fetches files from them.
//!
//! This module makes the requests, retries them, and verifies that the content that was sent or fetched is the content
//! that the server has. It reports progress to a callback and prints nothing. It must not know the definition: the
//! server decides which files it accepts.

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
    /// An attempt has started. `done` bytes are transferred already; `total` is the number of all bytes, if known.
    Started { done: u64, total: Option<u64> },
    /// This number of further bytes has been transferred.
    Advanced(u64),
    /// The attempt has failed, and another one follows after a pause.
    Retrying { error: &'a TransferError, pause: Duration },
}

/// A callback that receives the progress of a transfer.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(Progress<'_>);
