//! The worker of a thread: it handles requests, and has a cached plan, counters, and a generator of request ids.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_http::RequestHead;
use arc_swap::ArcSwap;
use arc_swap::cache::Cache;
use bytes::{Bytes, BytesMut};
use tokio::sync::Mutex;

use super::head_pool::HeadPool;
use super::request::RoutedRequest;
use super::state::ServerState;
use super::upload_writer::UploadStorage;
use crate::call::RequestId;
use crate::metrics::WorkerCounters;
use crate::pipeline::{MethodRunner, Readiness, run_readiness_checks};
use crate::plan::Plan;

/// The number of bytes of memory for the short responses of a worker.
const RESPONSE_MEMORY_LEN: usize = 16 << 10;
/// The time for which a worker uses the result of the readiness checks again.
const READINESS_CACHE_TIME: Duration = Duration::from_secs(1);

thread_local! {
    /// The workers of this thread. There is one for each server that uses the thread.
    static WORKERS: RefCell<Vec<Weak<Worker>>> = const { RefCell::new(Vec::new()) };
}

/// Handles the requests of one server in one thread.
pub(super) struct Worker {
    state: Arc<ServerState>,
    /// The cached plan. A single read of a shared pointer shows whether the plan has been replaced.
    plan_cache: RefCell<Cache<Arc<ArcSwap<Plan>>, Arc<Plan>>>,
    current_plan: RefCell<Rc<CurrentPlan>>,
    /// A copy for this worker alone: if workers shared the `Arc`, cloning it would make all of them write to its
    /// reference count.
    upload_storage: Arc<UploadStorage>,
    readiness_cache: Arc<Mutex<Option<(Instant, Readiness)>>>,
    /// The id of the next request that this worker handles.
    next_request_id: Cell<u64>,
    /// The request that actix is finding a service for.
    routed: RefCell<Option<RoutedRequest>>,
    /// The heads of requests that can be used again.
    pub(super) heads: HeadPool,
    /// The memory of short responses, which is used again after they have been sent.
    response_memory: RefCell<BytesMut>,
}

/// The plan that a worker uses until it is replaced, and the counters of the worker for this plan.
pub(super) struct CurrentPlan {
    /// Runs the methods of the plan. It contains the plan.
    pub(super) runner: Arc<MethodRunner>,
    /// The counters of this worker for the plan.
    pub(super) counters: Arc<WorkerCounters>,
}

impl Worker {
    /// Returns the worker that handles the requests of a server in this thread. The first call creates the worker.
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
        let current = Rc::new(CurrentPlan::new(cache.load(), state));
        let mut first_id = [0; 8];
        // If the system provides no random bytes, workers may use the same request ids, but requests can still be
        // handled.
        let _ = getrandom::fill(&mut first_id);
        Self {
            state: Arc::clone(state),
            plan_cache: RefCell::new(cache),
            current_plan: RefCell::new(current),
            upload_storage: Arc::new(state.upload_storage.clone()),
            readiness_cache: Arc::default(),
            next_request_id: Cell::new(u64::from_ne_bytes(first_id)),
            routed: RefCell::default(),
            heads: HeadPool::default(),
            response_memory: RefCell::default(),
        }
    }

    /// Returns the id for the next request. The ids of a worker are consecutive numbers that begin at a random number.
    pub(super) fn next_request_id(&self) -> RequestId {
        let id = self.next_request_id.get();
        self.next_request_id.set(id.wrapping_add(1));
        RequestId::Generated(id)
    }

    /// Calls a function with the route of a request, which is found unless it is known.
    pub(super) fn with_routed<T>(&self, request: &RequestHead, use_routed: impl FnOnce(&RoutedRequest) -> T) -> T {
        let mut kept = self.routed.borrow_mut();
        if let Some(known) = kept.as_ref().filter(|routed| routed.is_of(request)) {
            return use_routed(known);
        }
        use_routed(kept.insert(RoutedRequest::new(self, request)))
    }

    /// Returns the route of a request, which a service is going to handle.
    pub(super) fn take_routed(&self, request: &RequestHead) -> RoutedRequest {
        let known = self.routed.take().filter(|routed| routed.is_of(request));
        known.unwrap_or_else(|| RoutedRequest::new(self, request))
    }

    /// Copies bytes of a response to memory that actix and this worker share, so that most responses need no
    /// allocation.
    pub(super) fn share_bytes(&self, bytes: &[u8]) -> Bytes {
        let mut memory = self.response_memory.borrow_mut();
        if memory.capacity() < bytes.len() {
            // The memory is the same again if all earlier responses have been sent.
            memory.reserve(bytes.len().max(RESPONSE_MEMORY_LEN));
        }
        memory.extend_from_slice(bytes);
        memory.split().freeze()
    }

    /// Returns the state that all workers of the server share.
    pub(super) fn state(&self) -> &ServerState {
        &self.state
    }

    /// Returns the state of the server, which a connection keeps.
    pub(super) fn shared_state(&self) -> &Arc<ServerState> {
        &self.state
    }

    /// Returns where uploaded files are stored.
    pub(super) fn upload_storage(&self) -> &Arc<UploadStorage> {
        &self.upload_storage
    }

    /// Returns the result of the readiness checks. Even if many requests need the result, the checks run at most once
    /// per [`READINESS_CACHE_TIME`].
    pub(super) async fn cached_readiness(&self, plan: &Arc<Plan>) -> Readiness {
        let mut known = Arc::clone(&self.readiness_cache).lock_owned().await;
        if let Some((since, readiness)) = &*known
            && since.elapsed() < READINESS_CACHE_TIME
        {
            return readiness.clone();
        }
        let plan = Arc::clone(plan);
        // The checks run in a task. So their result is available to the next request even if the client of the current
        // request disconnects.
        let checking = actix_rt::spawn(async move {
            let readiness = run_readiness_checks(&plan).await;
            *known = Some((Instant::now(), readiness.clone()));
            readiness
        });
        // The task fails only if it is cancelled because the worker stops.
        checking.await.unwrap_or_else(|_| Readiness::stopping())
    }

    /// Returns the plan and the counters for the next request.
    pub(super) fn current_plan(&self) -> Rc<CurrentPlan> {
        let mut cache = self.plan_cache.borrow_mut();
        let plan = cache.load();
        let mut current = self.current_plan.borrow_mut();
        if !Arc::ptr_eq(plan, &current.runner.plan) {
            *current = Rc::new(CurrentPlan::new(plan, &self.state));
        }
        Rc::clone(&current)
    }
}

impl CurrentPlan {
    fn new(plan: &Arc<Plan>, state: &ServerState) -> Self {
        let runner = Arc::new(MethodRunner { plan: Arc::clone(plan), detached: Arc::clone(&state.detached_handlers) });
        let counters = state.metrics.new_worker_counters(plan);
        Self { runner, counters }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::static_files::StaticFiles;
    use super::*;
    use crate::bind::{self, PlanContext};
    use crate::file_reply::Links;
    use crate::handler::ProgramState;
    use crate::plan::{
        Document, DocumentCache, Documents, LazyDescription, LazyDocuments, OptionsDescription, PublishedDocuments,
        RenderedOnDemand,
    };
    use crate::store::LinkFolder;
    use rulebook_model::model::{CallableMethods, LinkTarget, Unbound};

    /// Returns documents without content, because these tests request no documents.
    fn empty_documents() -> Documents {
        Documents {
            visible_methods: None,
            whole_api: LazyDescription::new(|| OptionsDescription {
                json: Document::new("application/json", ""),
                markdown: None,
            }),
            service_indices: None,
            services: RenderedOnDemand::default(),
            parent_paths: Arc::default(),
            parents: RenderedOnDemand::default(),
            published: PublishedDocuments::empty(),
        }
    }

    fn plan_of_definition(text: &str) -> Arc<Plan> {
        let files = vec![(PathBuf::from("site.json"), text.as_bytes().to_vec())];
        let api = rulebook_model::read(files).unwrap_or_default();
        let bound = bind::bind_handlers(&api, &[], &[], Unbound::Echo);
        let context = PlanContext {
            authenticators: Vec::new(),
            ending_authenticators: 0,
            verify_outputs: false,
            state: ProgramState::default(),
            readiness_checks: Vec::new(),
            shared_counter: None,
            idempotency_storage: None,
            tracer: None,
            protected_resources: Vec::new(),
            documents: DocumentCache::new(
                LazyDocuments::new(empty_documents),
                false,
                Arc::default,
                |_| CallableMethods::default(),
                |_| empty_documents(),
            ),
        };
        Arc::new(bind::create_plan(&api, bound.actions, &[], context))
    }

    fn server_state(plan: &Arc<ArcSwap<Plan>>) -> Arc<ServerState> {
        let uploads = UploadStorage::Folder(PathBuf::new());
        let links = Links::new(Arc::new(LinkFolder::open(Path::new("no such folder"))), LinkTarget::default());
        Arc::new(ServerState::new(plan, uploads, StaticFiles::BuiltIn, links))
    }

    #[test]
    fn a_thread_has_one_worker_for_each_server() {
        let shared = Arc::new(ArcSwap::new(plan_of_definition("{}")));
        let (one, other) = (server_state(&shared), server_state(&shared));
        let worker = Worker::of_thread(&one);
        assert!(Rc::ptr_eq(&worker, &Worker::of_thread(&one)));
        assert!(!Rc::ptr_eq(&worker, &Worker::of_thread(&other)));
    }

    #[test]
    fn a_new_plan_takes_effect_with_the_next_request() {
        let shared = Arc::new(ArcSwap::new(plan_of_definition("{}")));
        let worker = Worker::of_thread(&server_state(&shared));
        let first = worker.current_plan();
        assert!(Rc::ptr_eq(&first, &worker.current_plan()), "nothing is made again while the plan is the same");
        assert_eq!(first.runner.plan.services.len(), 0);
        shared.store(plan_of_definition(r#"{ "GET": { "info": "New" } }"#));
        assert_eq!(worker.current_plan().runner.plan.services.len(), 1);
        assert_eq!(first.runner.plan.services.len(), 0, "requests in flight keep their plan");
    }
}
