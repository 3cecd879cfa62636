//! Counts requests, and writes the counts for `/metrics`.
//!
//! Workers do not write to shared memory: each worker counts in its own shard, which has the layout of the plan, and
//! the shards are added up when the counts are read. Only the definition determines how many series there are; requests
//! cannot create any.

mod shard;
mod text;

use std::sync::{Arc, Mutex, PoisonError};

pub(super) use shard::{RequestKind, Shard, Status};
use text::Totals;

use crate::plan::Plan;

/// The shards of all workers.
#[derive(Default)]
pub(super) struct Metrics(Mutex<Shards>);

#[derive(Default)]
struct Shards {
    counting: Vec<Arc<Shard>>,
    /// The counts of earlier plans, which have been replaced.
    past: Totals,
}

impl Metrics {
    /// Creates the shard of one worker for a plan.
    pub(super) fn shard(&self, plan: &Arc<Plan>) -> Arc<Shard> {
        let shard = Arc::new(Shard::new(plan));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counting.push(Arc::clone(&shard));
        shard
    }

    /// Returns the number of requests in flight.
    pub(super) fn in_flight(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counting.iter().map(|shard| shard.in_flight()).sum()
    }

    /// Returns all counts in OpenMetrics text format. `detached` is the number of running handlers whose clients have
    /// disconnected.
    pub(super) fn text(&self, detached: usize) -> String {
        let in_flight = self.in_flight();
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Shards { counting, past } = &mut *guard;
        counting.retain_mut(|shard| {
            // If no worker uses the shard any more, `get_mut` succeeds, and synchronises with all earlier writes.
            let ended = Arc::get_mut(shard);
            if let Some(ended) = &ended {
                past.add(ended);
            }
            ended.is_none()
        });
        let mut totals = past.clone();
        counting.iter().for_each(|shard| totals.add(shard));
        drop(guard);
        text::text(&totals, in_flight, detached)
    }
}
