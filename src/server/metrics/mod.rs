//! What the server counts, for `/metrics`.
//!
//! In charge of counting requests and of writing the counts down. Workers share
//! nothing that is written: each counts in shards of its own, laid out by the
//! plan, and only whoever reads adds them up. How many series there are is
//! decided by the definition alone, whatever clients ask for.

mod shard;
mod text;

use std::sync::{Arc, Mutex, PoisonError};

pub(super) use shard::{Answer, For, Shard};
use text::Totals;

use crate::plan::Plan;

/// The shards of all workers.
#[derive(Default)]
pub(super) struct Metrics(Mutex<Shards>);

#[derive(Default)]
struct Shards {
    counting: Vec<Arc<Shard>>,
    /// What has been counted for plans that are no longer answered from.
    past: Totals,
}

impl Metrics {
    /// A shard for one worker and plan.
    pub(super) fn shard(&self, plan: &Arc<Plan>) -> Arc<Shard> {
        let shard = Arc::new(Shard::new(plan));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counting.push(Arc::clone(&shard));
        shard
    }

    /// How many requests are being answered.
    pub(super) fn in_flight(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).counting.iter().map(|shard| shard.in_flight()).sum()
    }

    /// Everything that was counted, in OpenMetrics' text format. `detached`: handlers at work whose clients have gone.
    pub(super) fn text(&self, detached: usize) -> String {
        let in_flight = self.in_flight();
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Shards { counting, past } = &mut *guard;
        counting.retain_mut(|shard| {
            // Nobody counts there any more. Unlike the mere count of holders, this sees all that they have counted.
            let ended = Arc::get_mut(shard);
            if let Some(ended) = &ended {
                past.add(ended);
            }
            ended.is_none()
        });
        let mut totals = past.clone();
        counting.iter().for_each(|shard| totals.add(shard));
        drop(guard);
        text::text(totals, in_flight, detached)
    }
}
