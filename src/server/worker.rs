//! What one worker answers from: its own hold on the plan, and a service for each module.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;

use super::module::ModuleService;
use crate::pipeline::Runner;
use crate::plan::Plan;

/// A worker's hold on the plan, renewed when the plan has been replaced.
pub(super) struct Worker {
    /// Tells by a read of the shared pointer alone whether the plan is still the same.
    cache: RefCell<Cache<Arc<ArcSwap<Plan>>, Arc<Plan>>>,
    current: RefCell<Rc<Current>>,
    uploads: Arc<Path>,
}

/// What requests are answered from until the plan is replaced.
pub(super) struct Current {
    /// The plan in the hands of this worker.
    pub(super) runner: Arc<Runner>,
    /// In the order of the plan's modules.
    pub(super) modules: Box<[ModuleService]>,
}

impl Worker {
    pub(super) fn new(shared: &Arc<ArcSwap<Plan>>, uploads: &Arc<Path>) -> Self {
        let mut cache = Cache::new(Arc::clone(shared));
        let current = Rc::new(Current::new(cache.load(), uploads));
        Self { cache: RefCell::new(cache), current: RefCell::new(current), uploads: Arc::clone(uploads) }
    }

    /// What to answer the next request from.
    pub(super) fn current(&self) -> Rc<Current> {
        let mut cache = self.cache.borrow_mut();
        let plan = cache.load();
        let mut current = self.current.borrow_mut();
        if !Arc::ptr_eq(plan, &current.runner.plan) {
            *current = Rc::new(Current::new(plan, &self.uploads));
        }
        Rc::clone(&current)
    }
}

impl Current {
    fn new(plan: &Arc<Plan>, uploads: &Arc<Path>) -> Self {
        let runner = Arc::new(Runner { plan: Arc::clone(plan) });
        let modules = plan.modules.iter().map(|_| ModuleService::new(&runner, uploads)).collect();
        Self { runner, modules }
    }
}
