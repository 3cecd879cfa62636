//! The asynchronous runtime of connections to PostgreSQL.
//!
//! A connection belongs to the runtime in which it was opened and ends with it. When the server stops, its workers end
//! one after the other, while others still finish requests with shared connections. Therefore the connections have
//! their own runtime, which outlives the workers. Connections to SQLite are threads and need no runtime.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime in its own thread. Dropping this ends the thread.
pub(super) struct ConnectionRuntime {
    handle: Handle,
    /// The thread ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

impl ConnectionRuntime {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name("database".to_owned()).spawn(move || {
            // Nothing is ever sent; this returns when the sender is dropped.
            let _: Result<(), _> = runtime.block_on(ended);
        })?;
        Ok(Self { handle, _alive: alive })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}
