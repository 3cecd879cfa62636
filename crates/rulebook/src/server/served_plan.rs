//! The plan that a worker uses for its requests, until the API of the server is replaced.

use std::sync::Arc;

use super::state::ServerState;
use crate::metrics::WorkerCounters;
use crate::pipeline::MethodRunner;

/// A plan, and what a worker needs for the requests that begin under it. Each request keeps it to its end, so that a
/// request uses only one plan, even if the API is replaced meanwhile.
pub(super) struct ServedPlan {
    state: Arc<ServerState>,
    /// The number of times that the API had been replaced.
    replacements: u64,
    /// Runs the methods of the plan. It contains the plan.
    pub(super) runner: Arc<MethodRunner>,
    pub(super) counters: Arc<WorkerCounters>,
}

impl ServedPlan {
    pub(super) fn new(state: &Arc<ServerState>) -> Self {
        let (replacements, plan) = state.numbered_plan();
        let counters = state.metrics.new_worker_counters(&plan);
        let runner = Arc::new(MethodRunner { plan, detached: Arc::clone(&state.detached_handlers) });
        Self { state: Arc::clone(state), replacements, runner, counters }
    }

    /// Returns `true` if the server still serves this plan.
    pub(super) fn is_current(&self) -> bool {
        self.replacements == self.state.replacements()
    }
}

impl Drop for ServedPlan {
    /// Adds the counts to those of the server, so that they outlive the plan.
    fn drop(&mut self) {
        self.state.metrics.end_worker_counters(&self.counters);
    }
}
