//! Counts requests, and writes the counts as the response of `/metrics`.
//!
//! Threads do not write to the same memory: each worker has counters that only this worker writes, and `/metrics` adds
//! up the counters of all workers. The definition of the API alone determines how many counters exist; a request never
//! adds one.

mod exceeded_limits;
mod openmetrics;
mod process;
mod worker_counters;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
pub(crate) use exceeded_limits::ExceededLimits;
pub(crate) use worker_counters::{RequestEnd, RequestKind, WorkerCounters};

use crate::plan::Plan;
use crate::time_share::TimeShare;

#[derive(Default)]
pub(crate) struct Metrics(Mutex<AllCounters>);

#[derive(Default)]
struct AllCounters {
    by_worker: Vec<Arc<WorkerCounters>>,
    last_text: Bytes,
    /// The time that can be used to write the text.
    time: TimeShare,
}

impl Metrics {
    /// Creates the counters of one worker.
    pub(crate) fn new_worker_counters(&self, plan: &Arc<Plan>) -> Arc<WorkerCounters> {
        let counters = Arc::new(WorkerCounters::new(plan));
        self.lock().by_worker.push(Arc::clone(&counters));
        counters
    }

    /// Returns the number of requests that are being handled by any worker.
    pub(crate) fn in_flight(&self) -> u64 {
        self.lock().by_worker.iter().map(|counters| counters.in_flight()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, AllCounters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all counts in the OpenMetrics text format. `detached` is the number of handlers that are still running
    /// although their clients have disconnected. `certificates` returns the files with the certificates of the server,
    /// each with the time until which its certificate is valid, in seconds since 1970.
    ///
    /// If clients request the text so often that writing it would take much time, returns the text that was written
    /// last.
    pub(crate) fn to_openmetrics(
        &self,
        detached: usize,
        exceeded_limits: &ExceededLimits,
        certificates: impl FnOnce() -> Vec<(String, u64)>,
    ) -> Bytes {
        let AllCounters { by_worker, last_text, time } = &mut *self.lock();
        let begun = Instant::now();
        if !time.is_free(begun) {
            return last_text.clone();
        }
        let in_flight = by_worker.iter().map(|counters| counters.in_flight()).sum();
        let mut counted = BTreeMap::new();
        by_worker.iter().for_each(|counters| counters.add_to(&mut counted));
        let text =
            Bytes::from(openmetrics::openmetrics_text(&counted, in_flight, detached, exceeded_limits, &certificates()));
        last_text.clone_from(&text);
        time.add(begun, begun.elapsed());
        text
    }
}
