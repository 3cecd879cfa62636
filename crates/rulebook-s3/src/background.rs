//! The threads that exchange data with the bucket.

use std::sync::mpsc;

use rulebook::store::StoreError;
use tokio::runtime::{Builder, Handle, Runtime};

/// The number of threads. They only move bytes, and compute signatures and checksums.
const THREADS: usize = 2;

/// The runtime of the tasks of one bucket. Dropping this value ends them.
#[derive(Debug)]
pub(crate) struct Background {
    runtime: Option<Runtime>,
}

/// Starts tasks of a bucket. After the runtime has ended, tasks are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Tasks(Handle);

impl Background {
    pub(crate) fn start() -> Result<(Self, Tasks), StoreError> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("rulebook-s3").enable_all().build();
        let runtime = runtime.map_err(StoreError::io_during("starting the threads for a bucket"))?;
        let tasks = Tasks(runtime.handle().clone());
        Ok((Self { runtime: Some(runtime) }, tasks))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Dropping a runtime waits for its tasks, which asynchronous code must not do.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Tasks {
    /// Starts a task without waiting for it.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.0.spawn(task)
    }

    /// Runs a task and blocks this thread until it ends. Unlike a call of `block_on`, this cannot panic if the thread
    /// belongs to another runtime.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.0.spawn(async move {
            // Sending fails only if this thread has panicked.
            let _ = sender.send(task.await);
        });
        receiver.recv().unwrap_or_else(|_| {
            let error = "the task has panicked, or the store has been closed".into();
            Err(StoreError::Unavailable { action: "waiting for a bucket", error })
        })
    }
}
