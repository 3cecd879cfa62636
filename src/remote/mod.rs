//! Files sent to other servers and fetched from them, over the documented calls of their internal API.
//!
//! In charge of the other end: requests, what is tried again, and that the content that was sent or fetched is the one
//! that the server has. Says what goes on to whoever watches, and nothing to a terminal. Must not know the definition:
//! what a server takes, the server says.

mod client;
mod digest;
mod failure;
mod fetch;
mod form;
mod part;
mod refused;
mod send;
mod server;

use std::time::Duration;

pub(crate) use client::{Client, Key};
pub(crate) use digest::{Checked, Digest};
pub(crate) use failure::Failure;
pub(crate) use fetch::{Fetched, Wish, fetch};
pub(crate) use send::{Condition, Outgoing, send};
pub(crate) use server::Server;

/// What goes on.
pub(crate) enum News<'a> {
    /// An attempt has begun, with so many bytes done of so many, where that is known.
    Begun { done: u64, of: Option<u64> },
    /// So many bytes more have been done.
    More(u64),
    /// The attempt has failed, and another one follows after a pause.
    Again { failure: &'a Failure, pause: Duration },
}

/// Who is told what goes on.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(News<'_>);
