//! The threads that exchange data with the bucket.

use std::sync::{Arc, mpsc};

use rulebook::store::StoreError;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

/// The number of threads. They only move bytes, and compute signatures and checksums.
const THREADS: usize = 2;

/// Starts tasks of a bucket, which end when the last clone of this value is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Tasks(Arc<Background>);

#[derive(Debug)]
struct Background {
    /// `None` only after the value was dropped.
    runtime: Option<Runtime>,
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
    pub(crate) fn new() -> Result<Self, StoreError> {
        let runtime =
            Builder::new_multi_thread().worker_threads(THREADS).thread_name("rulebook-s3").enable_all().build();
        let runtime = runtime.map_err(StoreError::io_during("starting the threads for a bucket"))?;
        Ok(Self(Arc::new(Background { runtime: Some(runtime) })))
    }

    /// Starts a task without waiting for it.
    pub(crate) fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let runtime = self.0.runtime.as_ref().expect("the runtime is removed only when the value is dropped");
        runtime.spawn(task)
    }

    /// Runs a task and blocks this thread until it ends. Unlike a call of `block_on`, this cannot panic if the thread
    /// belongs to another runtime.
    pub(crate) fn wait<T: Send + 'static>(
        &self,
        task: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.spawn(async move {
            // Sending fails only if this thread has panicked.
            let _ = sender.send(task.await);
        });
        receiver.recv().unwrap_or_else(|_| {
            let error = "the task has panicked, or the store has been closed".into();
            Err(StoreError::Unavailable { action: "waiting for a bucket", error })
        })
    }
}
