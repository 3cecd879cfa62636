//! The client side of `rulebook send` and `rulebook fetch`: it sends files to another rulebook server, and fetches
//! files from it. The methods that it calls are those of the crate `rulebook-iapi`. It also fetches the TypeScript
//! declarations and the definition of an API, for `rulebook types --from`, and OpenAPI descriptions, for `rulebook
//! import`.
//!
//! This module sends the requests, repeats failed requests, and verifies that the local file and the file on the server
//! have the same content. It reports progress to a callback and prints nothing. It does not read a definition: the
//! server decides which files it accepts.

mod client;
mod digest;
mod error;
mod error_response;
mod fetch;
mod multipart;
mod partial;
mod send;
mod server_url;

use std::time::Duration;

pub(crate) use client::{BearerKey, Client};
pub(crate) use digest::{Digest, Verification};
pub(crate) use error::TransferError;
pub(crate) use fetch::{FetchRequest, fetch};
pub(crate) use send::{OutgoingFile, send};
pub(crate) use server_url::ServerUrl;

/// A progress event of a transfer.
pub(crate) enum Progress<'a> {
    /// An attempt has started. Earlier attempts have transferred `done` bytes. `total` is the number of bytes of the
    /// whole transfer; `None` if the server did not announce it.
    Started { done: u64, total: Option<u64> },
    /// This number of bytes has been transferred since the previous event.
    Advanced(u64),
    /// The attempt has failed; after a pause, the next attempt follows.
    Retrying { error: &'a TransferError, pause: Duration },
}

/// A callback that receives the progress of a transfer.
pub(crate) type OnProgress<'a> = &'a mut dyn FnMut(Progress<'_>);
