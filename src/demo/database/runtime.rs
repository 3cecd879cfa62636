//! Where connections to PostgreSQL live.
//!
//! A connection belongs to the runtime in which it was opened, and ends with
//! it. When the server stops, its workers end one by one, while others still
//! finish requests on connections that all of them share: so the connections
//! have a runtime of their own, which outlasts them. SQLite needs none, its
//! connections are threads.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime on a thread of its own, until this is dropped.
pub(super) struct Runtime {
    handle: Handle,
    /// The thread waits for the end of this.
    _alive: oneshot::Sender<()>,
}

impl Runtime {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name("database".to_owned()).spawn(move || {
            // Nothing is ever sent: that the other end is dropped is the news.
            let _: Result<(), _> = runtime.block_on(ended);
        })?;
        Ok(Self { handle, _alive: alive })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}
