//! Counts requests, and writes the counts as the response of `/metrics`.
//!
//! Threads do not write to the same memory: each worker has counters that only this worker writes, and `/metrics` adds
//! up the counters of all workers. A request adds a counter only with the first use of a method by a caller, and their
//! number is limited.

mod caller_counters;
mod openmetrics;
mod worker_counters;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rulebook_model::connection_limits::{CONNECTION_LIMITS, ConnectionLimit};
use worker_counters::Counted;
pub(crate) use worker_counters::{RequestEnd, RequestKind, WorkerCounters};

use crate::plan::Plan;
use crate::time::TimeShare;
use crate::usage::UsageCounts;

#[derive(Default)]
pub(crate) struct Metrics(Mutex<AllCounters>);

#[derive(Default)]
struct AllCounters {
    by_worker: Vec<Arc<WorkerCounters>>,
    /// The counts of the plans that are no longer served.
    ended: Counted,
    last_text: Bytes,
    /// The time that can be used to write the text.
    time: TimeShare,
}

impl Metrics {
    pub(crate) fn new_worker_counters(&self, plan: &Arc<Plan>) -> Arc<WorkerCounters> {
        let counters = Arc::new(WorkerCounters::new(plan));
        self.lock().by_worker.push(Arc::clone(&counters));
        counters
    }

    /// Keeps the counts of a worker, but not the counters, which nothing changes any more.
    pub(crate) fn end_worker_counters(&self, counters: &Arc<WorkerCounters>) {
        let AllCounters { by_worker, ended, .. } = &mut *self.lock();
        by_worker.retain(|known| !Arc::ptr_eq(known, counters));
        counters.add_to(ended);
    }

    /// Returns how often callers have used methods since the start of the server.
    pub(crate) fn usage(&self) -> UsageCounts {
        let AllCounters { by_worker, ended, .. } = &*self.lock();
        let mut usage = ended.usage.clone();
        by_worker.iter().for_each(|counters| counters.add_usage_to(&mut usage));
        usage
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.lock().by_worker.iter().map(|counters| counters.in_flight()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, AllCounters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns all counts in the OpenMetrics text format. `plan` contains the counts of its methods, and what its kinds
    /// of handlers measure. `detached` is the number of handlers that are still running although their clients have
    /// disconnected. `certificates` returns the files with the certificates of the server, each with the time until
    /// which its certificate is valid, in seconds since 1970.
    ///
    /// If clients request the text so often that writing it would take much time, returns the text that was written
    /// last.
    pub(crate) fn to_openmetrics(
        &self,
        plan: &Plan,
        detached: usize,
        exceeded_limits: &ExceededLimits,
        certificates: impl FnOnce() -> Vec<(usize, u64)>,
    ) -> Bytes {
        let AllCounters { by_worker, ended, last_text, time } = &mut *self.lock();
        let begun = Instant::now();
        if !time.is_free(begun) {
            return last_text.clone();
        }
        let in_flight = by_worker.iter().map(|counters| counters.in_flight()).sum();
        let mut counted = ended.clone();
        by_worker.iter().for_each(|counters| counters.add_to(&mut counted));
        let text = openmetrics::openmetrics_text(plan, &counted, in_flight, detached, exceeded_limits, &certificates());
        let text = Bytes::from(text);
        last_text.clone_from(&text);
        time.add(begun, begun.elapsed());
        text
    }
}

/// The minimum time between two log lines about exceeded limits.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Counts how often clients have exceeded the limits of connections. This happens rarely, so that the workers can share
/// the counts.
#[derive(Debug, Default)]
pub(crate) struct ExceededLimits {
    counts: [AtomicU64; CONNECTION_LIMITS.len()],
    last_log: Mutex<Option<Instant>>,
}

impl ExceededLimits {
    /// Counts that a client has exceeded a limit, and logs it unless another line was logged shortly before.
    pub(crate) fn count(&self, limit: &ConnectionLimit, peer: Option<SocketAddr>) {
        let name = limit.name;
        let index = CONNECTION_LIMITS.iter().position(|known| known == limit);
        let Some(index) = index else { return debug_assert!(false, "`CONNECTION_LIMITS` lacks `{name}`") };
        let total = self.counts[index].fetch_add(1, Ordering::Relaxed) + 1;
        let mut last_log = self.last_log.lock().unwrap_or_else(PoisonError::into_inner);
        if last_log.is_none_or(|last| last.elapsed() >= LOG_INTERVAL) {
            *last_log = Some(Instant::now());
            let peer = peer.map_or_else(|| "-".to_owned(), |peer| peer.to_string());
            log::warn!(peer:%, limit = name; "{peer} has exceeded the limit `{name}` of connections ({total} in total)");
        }
    }

    /// Returns the names of the limits, each with the number of times that clients have exceeded it.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CONNECTION_LIMITS.iter().zip(&self.counts).map(|(limit, count)| (limit.name, count.load(Ordering::Relaxed)))
    }
}
