//! The asynchronous runtime of connections to a database server.
//!
//! A connection is closed when the runtime in which it was opened ends. Each worker of the server has a runtime. When
//! the server stops, one worker may end while another worker still uses a connection that the first one opened.
//! Therefore connections are opened in a separate runtime, which ends after all workers. Connections to SQLite need no
//! runtime.

use std::io;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

/// A runtime that runs in a separate thread. Dropping this value ends the thread.
pub(super) struct ConnectionRuntime {
    handle: Handle,
    /// The thread ends when this sender is dropped.
    _alive: oneshot::Sender<()>,
}

impl ConnectionRuntime {
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new().name("database".to_owned()).spawn(move || {
            // No value is ever sent. `block_on` returns when the sender is dropped.
            let _: Result<(), _> = runtime.block_on(ended);
        })?;
        Ok(Self { handle, _alive: alive })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }
}
