//! What one worker answers from: its own hold on the plan, and a service for each module.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use tokio::sync::Mutex;

use super::metrics::Shard;
use super::module::ModuleService;
use super::serving::Serving;
use super::uploading::Uploads;
use crate::call::RequestId;
use crate::pipeline::{Readiness, Runner, readiness};
use crate::plan::Plan;

/// How long what the program's checks said is not asked again.
const READINESS_TIME: Duration = Duration::from_secs(1);

/// A worker's hold on the plan, renewed when the plan has been replaced.
pub(super) struct Worker {
    /// Tells by a read of the shared pointer alone whether the plan is still the same.
    cache: RefCell<Cache<Arc<ArcSwap<Plan>>, Arc<Plan>>>,
    current: RefCell<Rc<Current>>,
    uploads: Arc<Uploads>,
    serving: Arc<Serving>,
    readiness: Arc<Mutex<Option<(Instant, Readiness)>>>,
    /// Where this worker's request names begin, and how many it has given.
    ids: Cell<u64>,
}

/// What requests are answered from until the plan is replaced.
pub(super) struct Current {
    /// The plan in the hands of this worker.
    pub(super) runner: Arc<Runner>,
    /// Where this worker counts.
    pub(super) shard: Arc<Shard>,
    /// In the order of the plan's modules.
    pub(super) modules: Box<[ModuleService]>,
}

impl Worker {
    pub(super) fn new(shared: &Arc<ArcSwap<Plan>>, uploads: &Arc<Uploads>, serving: &Arc<Serving>) -> Self {
        // A count of its own: clones of one that workers share would make them wait for each other.
        let uploads = Arc::new(Uploads::clone(uploads));
        let mut cache = Cache::new(Arc::clone(shared));
        let current = Rc::new(Current::new(cache.load(), &uploads, serving));
        let mut start = [0; 8];
        // Without randomness names are not unique among workers, but requests can still be answered.
        let _ = getrandom::fill(&mut start);
        let ids = Cell::new(u64::from_ne_bytes(start));
        Self {
            cache: RefCell::new(cache),
            current: RefCell::new(current),
            uploads,
            serving: Arc::clone(serving),
            readiness: Arc::default(),
            ids,
        }
    }

    /// A name for the next request: another one each time, from a start of this worker's own.
    pub(super) fn name_request(&self) -> RequestId {
        let id = self.ids.get();
        self.ids.set(id.wrapping_add(1));
        RequestId::Own(id)
    }

    /// What all workers of the server share.
    pub(super) fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Whether the program can do its work. Its checks are not asked more often than once in [`READINESS_TIME`],
    /// however many want to know.
    pub(super) async fn readiness(&self, plan: &Arc<Plan>) -> Readiness {
        let mut known = Arc::clone(&self.readiness).lock_owned().await;
        if let Some((asked, readiness)) = &*known
            && asked.elapsed() < READINESS_TIME
        {
            return readiness.clone();
        }
        let plan = Arc::clone(plan);
        // A task of its own: what is said counts for the next one too, also where the client does not wait for it.
        let asking = actix_rt::spawn(async move {
            let readiness = readiness(&plan).await;
            *known = Some((Instant::now(), readiness.clone()));
            readiness
        });
        // It only does not end where the worker does.
        asking.await.unwrap_or_else(|_| Readiness::stopping())
    }

    /// What to answer the next request from.
    pub(super) fn current(&self) -> Rc<Current> {
        let mut cache = self.cache.borrow_mut();
        let plan = cache.load();
        let mut current = self.current.borrow_mut();
        if !Arc::ptr_eq(plan, &current.runner.plan) {
            *current = Rc::new(Current::new(plan, &self.uploads, &self.serving));
        }
        Rc::clone(&current)
    }
}

impl Current {
    fn new(plan: &Arc<Plan>, uploads: &Arc<Uploads>, serving: &Serving) -> Self {
        let runner = Arc::new(Runner { plan: Arc::clone(plan), detached: Arc::clone(&serving.detached) });
        let modules = plan.modules.iter().map(|_| ModuleService::new(&runner, uploads, &serving.links)).collect();
        Self { runner, shard: serving.metrics.shard(plan), modules }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::compile::{self, Surroundings};
    use crate::definition;
    use crate::handler::State;
    use crate::model::Unbound;
    use crate::plan::{Above, Description, Document, Documents, Later, OnDemand, Shelf};

    /// Nobody asks for documents here.
    fn documents() -> Documents {
        let empty = Document::new("application/json", "");
        Documents {
            told: None,
            all: Description { json: empty.clone(), markdown: empty.clone() },
            services: Box::default(),
            above: Above::default(),
            described_above: Box::default(),
            openapi: empty.clone(),
            modules: OnDemand::default(),
            parts: OnDemand::default(),
            llms: empty,
            pages: OnDemand::default(),
            finder: None,
        }
    }

    fn plan(text: &str) -> Arc<Plan> {
        let loaded = definition::read(vec![(PathBuf::from("site.json"), text.as_bytes().to_vec())]);
        let types = compile::table(&loaded.definition, []);
        let api = compile::lower(&loaded.definition, &types, &compile::Answers::default()).api;
        let bound = compile::bind(&api, &[], Unbound::Echo);
        let around = Surroundings {
            inspectors: Vec::new(),
            verify: false,
            state: State::default(),
            checks: Vec::new(),
            documents: Shelf::new(Later::new(documents), false, Above::default, |_| documents()),
        };
        Arc::new(compile::plan(&api, bound.actions, &[], around))
    }

    #[test]
    fn a_new_plan_counts_from_the_next_request_on() {
        let shared = Arc::new(ArcSwap::new(plan("{}")));
        let worker = Worker::new(&shared, &Arc::new(Uploads::Folder(PathBuf::new())), &Arc::default());
        let first = worker.current();
        assert!(Rc::ptr_eq(&first, &worker.current()), "nothing is made anew where the plan is the same");
        assert_eq!(first.runner.plan.services.len(), 0);
        shared.store(plan(r#"{ "GET": { "info": "New" } }"#));
        assert_eq!(worker.current().runner.plan.services.len(), 1);
        assert_eq!(first.runner.plan.services.len(), 0, "requests in flight keep theirs");
    }
}
