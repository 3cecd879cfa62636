//! The worker of a thread, with its cached plan, its counters and its request ids.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use tokio::sync::Mutex;

use super::metrics::Shard;
use super::state::ServerState;
use super::upload_writer::Uploads;
use crate::call::RequestId;
use crate::pipeline::{MethodRunner, Readiness, run_readiness_checks};
use crate::plan::Plan;

/// The time for which a worker reuses the result of the readiness checks.
const READINESS_TIME: Duration = Duration::from_secs(1);

thread_local! {
    /// The workers of this thread, one for each server that uses the thread.
    static WORKERS: RefCell<Vec<Weak<Worker>>> = const { RefCell::new(Vec::new()) };
}

/// Handles the requests of one thread.
pub(super) struct Worker {
    state: Arc<ServerState>,
    /// Checks with a single read of the shared pointer whether the plan has been replaced.
    cache: RefCell<Cache<Arc<ArcSwap<Plan>>, Arc<Plan>>>,
    current: RefCell<Rc<Current>>,
    /// A copy for this worker, because cloning an `Arc` that workers share would make them write to one reference
    /// count.
    uploads: Arc<Uploads>,
    readiness: Arc<Mutex<Option<(Instant, Readiness)>>>,
    /// The next request id of this worker.
    next_id: Cell<u64>,
}

/// The plan of a worker and its counters, until the plan is replaced.
pub(super) struct Current {
    /// Runs the methods of the plan.
    pub(super) runner: Arc<MethodRunner>,
    /// The counters of this worker for the plan.
    pub(super) shard: Arc<Shard>,
}

impl Worker {
    /// Returns the worker of this thread for a server. The first call creates it.
    pub(super) fn of_thread(state: &Arc<ServerState>) -> Rc<Self> {
        WORKERS.with_borrow_mut(|workers| {
            workers.retain(|worker| worker.strong_count() > 0);
            let mut known = workers.iter().filter_map(Weak::upgrade);
            known.find(|worker| Arc::ptr_eq(&worker.state, state)).unwrap_or_else(|| {
                let worker = Rc::new(Self::new(state));
                workers.push(Rc::downgrade(&worker));
                worker
            })
        })
    }

    fn new(state: &Arc<ServerState>) -> Self {
        let mut cache = Cache::new(Arc::clone(&state.plan));
        let current = Rc::new(Current::new(cache.load(), state));
        let mut first_id = [0; 8];
        // Without random bytes, the request ids of different workers may be equal, but requests can still be handled.
        let _ = getrandom::fill(&mut first_id);
        Self {
            state: Arc::clone(state),
            cache: RefCell::new(cache),
            current: RefCell::new(current),
            uploads: Arc::new(state.uploads.clone()),
            readiness: Arc::default(),
            next_id: Cell::new(u64::from_ne_bytes(first_id)),
        }
    }

    /// Returns the id of the next request. Each worker counts up from a random number.
    pub(super) fn next_request_id(&self) -> RequestId {
        let id = self.next_id.get();
        self.next_id.set(id.wrapping_add(1));
        RequestId::Generated(id)
    }

    /// Returns the state that all workers of the server share.
    pub(super) fn state(&self) -> &ServerState {
        &self.state
    }

    /// Returns where uploaded files are written.
    pub(super) fn uploads(&self) -> &Arc<Uploads> {
        &self.uploads
    }

    /// Returns the result of the readiness checks. The checks run at most once per [`READINESS_TIME`], even if several
    /// requests need the result.
    pub(super) async fn run_readiness_checks(&self, plan: &Arc<Plan>) -> Readiness {
        let mut known = Arc::clone(&self.readiness).lock_owned().await;
        if let Some((since, readiness)) = &*known
            && since.elapsed() < READINESS_TIME
        {
            return readiness.clone();
        }
        let plan = Arc::clone(plan);
        // The checks run in a task, so that their result is available to the next request even if the client of this
        // one disconnects.
        let checking = actix_rt::spawn(async move {
            let readiness = run_readiness_checks(&plan).await;
            *known = Some((Instant::now(), readiness.clone()));
            readiness
        });
        // The task is cancelled only if the worker stops.
        checking.await.unwrap_or_else(|_| Readiness::stopping())
    }

    /// Returns the plan and the counters for the next request.
    pub(super) fn current(&self) -> Rc<Current> {
        let mut cache = self.cache.borrow_mut();
        let plan = cache.load();
        let mut current = self.current.borrow_mut();
        if !Arc::ptr_eq(plan, &current.runner.plan) {
            *current = Rc::new(Current::new(plan, &self.state));
        }
        Rc::clone(&current)
    }
}

impl Current {
    fn new(plan: &Arc<Plan>, state: &ServerState) -> Self {
        let runner = Arc::new(MethodRunner { plan: Arc::clone(plan), detached: Arc::clone(&state.detached) });
        Self { runner, shard: state.metrics.shard(plan) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::links::Links;
    use super::super::static_files::StaticFiles;
    use super::*;
    use crate::bind::{self, PlanContext};
    use crate::handler::State;
    use crate::plan::{
        Document, DocumentCache, Documents, LazyDocuments, OptionsDescription, ParentPaths, PublishedDocuments,
    };
    use rulebook_model::compile;
    use rulebook_model::definition;
    use rulebook_model::model::Unbound;

    /// Returns empty documents: this test does not request any.
    fn documents() -> Documents {
        Documents {
            visible_methods: None,
            whole_api: OptionsDescription { json: Document::new("application/json", ""), markdown: None },
            services: Box::default(),
            parent_paths: ParentPaths::default(),
            parent_descriptions: Box::default(),
            published: PublishedDocuments::empty(),
        }
    }

    fn plan(text: &str) -> Arc<Plan> {
        let loaded = definition::read(vec![(PathBuf::from("site.json"), text.as_bytes().to_vec())]);
        let types = compile::type_table(&loaded.definition, []);
        let api = compile::lower_definition(&loaded.definition, &types, &compile::ResponseRegistry::default()).api;
        let bound = bind::bind_handlers(&api, &[], Unbound::Echo);
        let around = PlanContext {
            authenticators: Vec::new(),
            verify_outputs: false,
            state: State::default(),
            readiness_checks: Vec::new(),
            documents: DocumentCache::new(LazyDocuments::new(documents), false, ParentPaths::default, |_| documents()),
        };
        Arc::new(bind::create_plan(&api, bound.actions, &[], around))
    }

    fn state(plan: &Arc<ArcSwap<Plan>>) -> Arc<ServerState> {
        let uploads = Uploads::Folder(PathBuf::new());
        Arc::new(ServerState::new(plan, uploads, StaticFiles::BuiltIn, Links::default()))
    }

    #[test]
    fn a_thread_has_one_worker_for_each_server() {
        let shared = Arc::new(ArcSwap::new(plan("{}")));
        let (one, other) = (state(&shared), state(&shared));
        let worker = Worker::of_thread(&one);
        assert!(Rc::ptr_eq(&worker, &Worker::of_thread(&one)));
        assert!(!Rc::ptr_eq(&worker, &Worker::of_thread(&other)));
    }

    #[test]
    fn a_new_plan_takes_effect_with_the_next_request() {
        let shared = Arc::new(ArcSwap::new(plan("{}")));
        let worker = Worker::of_thread(&state(&shared));
        let first = worker.current();
        assert!(Rc::ptr_eq(&first, &worker.current()), "nothing is made again while the plan is the same");
        assert_eq!(first.runner.plan.services.len(), 0);
        shared.store(plan(r#"{ "GET": { "info": "New" } }"#));
        assert_eq!(worker.current().runner.plan.services.len(), 1);
        assert_eq!(first.runner.plan.services.len(), 0, "requests in flight keep their plan");
    }
}
