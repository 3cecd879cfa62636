//! The thread that runs the workers of all pools.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::FutureExt;
use rulebook::handler_kind::HandlerError;
use tokio::runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::once;
use crate::pool::Pool;
use crate::pool_state::Phase;
use crate::worker::{Worker, WorkerEnd};

/// The time from the end of a worker until the next one starts. It doubles with each worker that has not become
/// ready, or has ended without a call.
const MIN_DELAY: Duration = Duration::from_millis(100);
/// The maximum time from the end of a worker until the next one starts.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// From this delay, a worker is not expected to be ready soon: calls fail at once if all workers wait for this long.
const LONG_DELAY: Duration = Duration::from_secs(1);

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
    /// Starts the workers of the pools, at most `max_workers` of each, and waits until the first worker of each pool is
    /// ready.
    /// Fails if a pool has no working worker. All processes have ended then.
    pub async fn start(pools: Vec<Arc<Pool>>, max_workers: usize) -> Result<Self, Vec<HandlerError>> {
        let (stop, stopped) = watch::channel(false);
        let (result_sender, result) = oneshot::channel();
        let cannot_start =
            |error: std::io::Error| vec![HandlerError::new(format!("no worker can be started: {error}"))];
        let run = move || match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(run(pools, max_workers, stopped, result_sender)),
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
async fn run(
    pools: Vec<Arc<Pool>>,
    max_workers: usize,
    stop: watch::Receiver<bool>,
    errors: oneshot::Sender<Vec<HandlerError>>,
) {
    let mut tasks = JoinSet::new();
    let mut starting = JoinSet::new();
    for pool in pools {
        if pool.settings.once {
            tasks.spawn(once::run_jobs(Arc::clone(&pool), stop.clone()));
            starting.spawn(async move { once::check_program(&pool) });
            continue;
        }
        let (first_sender, first) = oneshot::channel();
        pool.start.set_first_start_sender(first_sender);
        for slot in 0..pool.settings.workers.min(max_workers) {
            tasks.spawn(run_slot(Arc::clone(&pool), slot, stop.clone()));
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

/// Runs the workers of one slot of a pool, one after the other, until the pool stops.
async fn run_slot(pool: Arc<Pool>, slot: usize, mut stop: watch::Receiver<bool>) {
    let mut delay = MIN_DELAY;
    loop {
        let ended = match Worker::start(&pool.settings) {
            Ok(mut worker) => {
                // A logger of the program can panic.
                let running = AssertUnwindSafe(worker.run(&pool, slot, &mut stop)).catch_unwind().await;
                running.unwrap_or_else(|_| worker.ended("its task panicked".to_owned()))
            }
            Err(error) => WorkerEnd { reason: error.to_string(), has_worked: false },
        };
        let is_stopped = *stop.borrow() || stop.has_changed().is_err();
        if ended.has_worked {
            delay = MIN_DELAY;
        }
        pool.remove_worker(slot, &format!("the worker ended: {}", ended.reason), delay >= LONG_DELAY);
        pool.start.report(Err(ended.reason.clone()));
        if is_stopped {
            pool.stop();
            return;
        }
        log::error!("{}: a worker ended: {}; the next one starts in {delay:?}", pool.name(), ended.reason);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stopped(&mut stop) => {
                pool.stop();
                return;
            }
        }
        delay = (delay * 2).min(MAX_DELAY);
        pool.set_phase(slot, Phase::Starting);
    }
}

/// Waits until the workers must end.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender is dropped if the server ends.
    let _ = stop.wait_for(|stop| *stop).await;
}
