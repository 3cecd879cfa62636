//! The plan that a worker uses for its requests, until the API of the server is replaced.

use std::rc::Rc;
use std::sync::Arc;

use super::state::ServerState;
use crate::metrics::WorkerCounters;
use crate::pipeline::MethodRunner;
use crate::plan::Plan;

/// A plan, and what a worker needs for the requests that begin under it. Each request keeps it to its end, so that a
/// request uses only one plan, even if the API is replaced meanwhile.
pub(super) struct ServedPlan {
    state: Arc<ServerState>,
    /// The number of times that the API had been replaced.
    replacements: u64,
    /// Runs the methods of the plan. It contains the plan.
    pub(super) runner: Arc<MethodRunner>,
    pub(super) counters: Arc<WorkerCounters>,
    /// The other versions of the API, by their names.
    others: Box<[(Box<str>, Rc<Self>)]>,
}

impl ServedPlan {
    pub(super) fn new(state: &Arc<ServerState>) -> Self {
        let (replacements, plan) = state.numbered_plan();
        Self::of_plan(state, replacements, plan)
    }

    fn of_plan(state: &Arc<ServerState>, replacements: u64, plan: Arc<Plan>) -> Self {
        let of_version = |(name, plan): &(Box<str>, Arc<Plan>)| {
            (name.clone(), Rc::new(Self::of_plan(state, replacements, Arc::clone(plan))))
        };
        let others = plan.versions.iter().flat_map(|versions| &versions.others).map(of_version).collect();
        let counters = state.metrics.new_worker_counters(&plan);
        let runner = Arc::new(MethodRunner { plan, detached: Arc::clone(&state.detached_handlers) });
        Self { state: Arc::clone(state), replacements, runner, counters, others }
    }

    /// Returns a version of the API; `None` if it has no version with this name. Call this function only on the version
    /// for requests that name none.
    pub(super) fn version(self: &Rc<Self>, name: &str) -> Option<Rc<Self>> {
        let default = self.runner.plan.versions.as_ref().is_some_and(|versions| *versions.default == *name);
        let other = || self.others.iter().find(|(known, _)| **known == *name);
        if default { Some(Rc::clone(self)) } else { other().map(|(_, version)| Rc::clone(version)) }
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
