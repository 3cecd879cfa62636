//! Keeps one worker of a pool running: starts it, and starts a new one when it has ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::watch;

use crate::pool::Pool;
use crate::supervisor::stopped;
use crate::worker::{Worker, WorkerEnd};

/// The time from the end of a worker until the next one starts. It doubles with each worker that has not become
/// ready, or has ended without a call.
const MIN_DELAY: Duration = Duration::from_millis(100);
/// The maximum time from the end of a worker until the next one starts.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// From this delay, a worker is not expected to be ready soon: calls fail at once if all workers wait for this long.
const LONG_DELAY: Duration = Duration::from_secs(1);

/// Runs the workers of one slot of a pool, one after the other, until the pool stops.
pub async fn run(pool: Arc<Pool>, slot: usize, mut stop: watch::Receiver<bool>) {
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
        pool.set_starting(slot);
    }
}
