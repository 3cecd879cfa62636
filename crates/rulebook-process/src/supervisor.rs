//! The thread that runs the workers of all pools.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rulebook::handler_kind::HandlerError;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::pool::Pool;
use crate::{once, worker_slot};

/// The thread that runs the workers of all pools. Dropping it ends all processes, and waits for their end.
///
/// This is not a task on the runtime of the engine's start, because such a task is dropped when the API ends, without
/// time for the workers to end, and the program could exit before they are killed.
#[derive(Debug)]
pub struct Supervisor {
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Supervisor {
    /// Starts the workers of the pools, and waits until the first worker of each pool is ready.
    ///
    /// # Errors
    /// Fails if a pool has no working worker. All processes have ended then.
    pub async fn start(pools: Vec<Arc<Pool>>) -> Result<Self, Vec<HandlerError>> {
        let (stop, stopped) = watch::channel(false);
        let (result_sender, result) = oneshot::channel();
        let cannot_start =
            |error: std::io::Error| vec![HandlerError::new(format!("no worker can be started: {error}"))];
        let run = move || match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(run(pools, stopped, result_sender)),
            // The receiver waits for the errors.
            Err(error) => drop(result_sender.send(cannot_start(error))),
        };
        let thread = thread::Builder::new().name("workers".to_owned()).spawn(run).map_err(cannot_start)?;
        let supervisor = Self { stop, thread: Mutex::new(Some(thread)) };
        // If the sender was dropped, the thread has panicked.
        let errors = result.await.unwrap_or_else(|_| vec![HandlerError::new("the thread of the workers panicked")]);
        if errors.is_empty() {
            return Ok(supervisor);
        }
        // Waiting for the processes blocks the thread of the start hooks, which has nothing else to do.
        drop(supervisor);
        Err(errors)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            log::error!("the thread of the workers panicked");
        }
    }
}

/// Runs the workers of all pools until they are stopped. Sends the errors of the start.
async fn run(pools: Vec<Arc<Pool>>, stop: watch::Receiver<bool>, errors: oneshot::Sender<Vec<HandlerError>>) {
    let mut tasks = JoinSet::new();
    let mut starting = JoinSet::new();
    for pool in pools {
        tasks.spawn(Arc::clone(&pool).watch_time_limits(stop.clone()));
        if pool.settings.once {
            tasks.spawn(once::run_jobs(Arc::clone(&pool), stop.clone()));
            starting.spawn(async move { once::check_program(&pool) });
            continue;
        }
        let (first_sender, first) = oneshot::channel();
        pool.start.set_receiver(first_sender);
        for slot in 0..pool.settings.workers {
            tasks.spawn(worker_slot::run(Arc::clone(&pool), slot, stop.clone()));
        }
        starting.spawn(async move { pool.start.errors(first.await) });
    }
    let mut found = Vec::new();
    while let Some(ended) = starting.join_next().await {
        found.extend(ended.unwrap_or_else(|error| vec![HandlerError::new(format!("the start failed: {error}"))]));
    }
    // If the start fails, the receiver of the errors stops the workers.
    let _ = errors.send(found);
    while tasks.join_next().await.is_some() {}
}

/// Waits until the workers must end.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender is dropped if the server ends.
    let _ = stop.wait_for(|stop| *stop).await;
}
