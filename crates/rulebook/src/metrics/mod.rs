//! Counts requests, and writes the counts as the response of `/metrics`.
//!
//! Threads do not write to the same memory: each worker has counters that only this worker writes, and `/metrics` adds
//! up the counters of all workers. The definition of the API alone determines how many counters exist; a request never
//! adds one.

mod exceeded_limits;
mod openmetrics;
#[cfg_attr(not(target_os = "linux"), path = "without_process.rs")]
mod process;
mod worker_counters;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
pub(crate) use exceeded_limits::ExceededLimits;
use openmetrics::TotalCounts;
pub(crate) use worker_counters::{RequestEnd, RequestKind, WorkerCounters};

use crate::plan::Plan;
use crate::time_share::TimeShare;

/// The counters of all workers of a server.
#[derive(Default)]
pub(crate) struct Metrics(Mutex<AllCounters>);

#[derive(Default)]
struct AllCounters {
    current_counters: Vec<Arc<WorkerCounters>>,
    /// The total of the counters that no worker uses any more, because their plan has been replaced.
    past_totals: TotalCounts,
    /// The text that was written last.
    last_text: Bytes,
    /// The time that can be used to write the text.
    time: TimeShare,
}

/// A metric of the process.
#[derive(Debug, Clone, Copy)]
struct ProcessMetric {
    /// The name of the metric, without the suffix `_total` of counters.
    name: &'static str,
    /// `counter` or `gauge`.
    metric_type: &'static str,
    /// The unit with which the name ends; empty if the metric has no unit.
    unit: &'static str,
    help: &'static str,
    value: f64,
}

impl Metrics {
    /// Creates the counters of one worker for a plan.
    pub(crate) fn new_worker_counters(&self, plan: &Arc<Plan>) -> Arc<WorkerCounters> {
        let counters = Arc::new(WorkerCounters::new(plan));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).current_counters.push(Arc::clone(&counters));
        counters
    }

    /// Returns the number of requests that are being handled by any worker.
    pub(crate) fn in_flight(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .current_counters
            .iter()
            .map(|counters| counters.in_flight())
            .sum()
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
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let AllCounters { current_counters, past_totals, last_text, time } = &mut *guard;
        let begun = Instant::now();
        if !time.is_free(begun) {
            return last_text.clone();
        }
        current_counters.retain_mut(|counters| {
            // `get_mut` succeeds if no worker uses the counters any more. It then synchronises with all earlier writes.
            let ended = Arc::get_mut(counters);
            if let Some(ended) = &ended {
                past_totals.add(ended);
            }
            ended.is_none()
        });
        let in_flight = current_counters.iter().map(|counters| counters.in_flight()).sum();
        let mut totals = past_totals.clone();
        current_counters.iter().for_each(|counters| totals.add(counters));
        let text =
            Bytes::from(openmetrics::openmetrics_text(&totals, in_flight, detached, exceeded_limits, &certificates()));
        last_text.clone_from(&text);
        time.add(begun, begun.elapsed());
        text
    }
}
