//! The worker of a thread: it handles requests, and has counters and a generator of request ids. It uses the same
//! plan until the API of the server is replaced.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::{self, Arc, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::yield_now;

use super::routed_request::HeadPool;
use super::server_path::{Readiness, run_readiness_checks};
use super::state::ServerState;
use super::upload::UploadStorage;
use crate::call::RequestId;
use crate::metrics::WorkerCounters;
use crate::pipeline::MethodRunner;
use crate::plan::Plan;

/// The size of the memory for the short responses of a worker, in bytes.
const RESPONSE_MEMORY_LEN: usize = 16 << 10;
const READINESS_CACHE_TIME: Duration = Duration::from_secs(1);

thread_local! {
    /// The workers of this thread: one for each server that uses it.
    static WORKERS: RefCell<Vec<Weak<Worker>>> = const { RefCell::new(Vec::new()) };
}

pub(super) struct Worker {
    pub(super) shared_state: Arc<ServerState>,
    served: RefCell<Rc<ServedPlan>>,
    /// A copy for this worker alone: if workers shared the `Arc`, cloning it would make all of them write to its
    /// reference count.
    pub(super) upload_storage: Arc<UploadStorage>,
    readiness_cache: Arc<Mutex<Option<(Instant, Readiness)>>>,
    next_request_id: Cell<u64>,
    pub(super) heads: HeadPool,
    /// Used again after short responses have been sent.
    response_memory: RefCell<BytesMut>,
}

impl Worker {
    /// The first call creates the worker.
    pub(super) fn of_thread(state: &Arc<ServerState>) -> Rc<Self> {
        WORKERS.with_borrow_mut(|workers| {
            workers.retain(|worker| worker.strong_count() > 0);
            let mut known = workers.iter().filter_map(Weak::upgrade);
            known.find(|worker| Arc::ptr_eq(&worker.shared_state, state)).unwrap_or_else(|| {
                let worker = Rc::new(Self::new(state));
                workers.push(Rc::downgrade(&worker));
                worker
            })
        })
    }

    fn new(state: &Arc<ServerState>) -> Self {
        Self {
            shared_state: Arc::clone(state),
            served: RefCell::new(Rc::new(ServedPlan::new(state))),
            upload_storage: Arc::new(state.upload_storage.clone()),
            readiness_cache: Arc::default(),
            // If the system has no random bytes, the ids begin with zero.
            // Without random bytes of the system, workers may use the same ids, but requests can still be handled.
            next_request_id: Cell::new(getrandom::u64().unwrap_or_default()),
            heads: HeadPool::default(),
            response_memory: RefCell::default(),
        }
    }

    pub(super) fn served_plan(&self) -> Rc<ServedPlan> {
        let mut served = self.served.borrow_mut();
        if !served.is_current() {
            *served = Rc::new(ServedPlan::new(&self.shared_state));
        }
        Rc::clone(&served)
    }

    /// Returns consecutive numbers that begin at a random one.
    pub(super) fn next_request_id(&self) -> RequestId {
        let id = self.next_request_id.get();
        self.next_request_id.set(id.wrapping_add(1));
        RequestId::Generated(id)
    }

    /// Copies the bytes to memory that actix and this worker share, so that most responses need no allocation.
    pub(super) fn share_bytes(&self, bytes: &[u8]) -> Bytes {
        let mut memory = self.response_memory.borrow_mut();
        if memory.capacity() < bytes.len() {
            // The memory is the same again if all earlier responses have been sent.
            memory.reserve(bytes.len().max(RESPONSE_MEMORY_LEN));
        }
        memory.extend_from_slice(bytes);
        memory.split().freeze()
    }

    pub(super) fn state(&self) -> &ServerState {
        &self.shared_state
    }

    /// The checks run at most once per [`READINESS_CACHE_TIME`].
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
}

/// How often a worker lets its other tasks run before its turn is over. It takes the connections that were passed to it
/// in portions, of 128 with the version of tokio that the server uses: together as many as can wait at a socket.
const ROUNDS: usize = 32;

/// The workers of a server, each of which can be asked for a turn: a stopping server knows of a connection only when a
/// worker has had a turn.
///
/// The thread that accepts connections passes them to workers, which count them when they begin to serve them. On a
/// machine with much work, a worker may begin much later. If the server stopped its workers before that, it would close
/// these connections, although their clients have already sent requests.
#[derive(Default)]
pub(super) struct WorkerTurns(sync::Mutex<Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>>);

impl WorkerTurns {
    /// Adds the worker of this thread. Must be called in its runtime. A worker of several addresses is added once for
    /// each of them, which only makes it take several turns.
    pub(super) fn add_worker(&self, worker: &Rc<Worker>) {
        let (asking, mut asked) = mpsc::unbounded_channel();
        let worker = Rc::downgrade(worker);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(asking);
        actix_rt::spawn(async move {
            while let Some(turn) = asked.recv().await {
                for _ in 0..ROUNDS {
                    yield_now().await;
                }
                // A worker without requests does not keep a plan that was replaced.
                drop(worker.upgrade().map(|worker| worker.served_plan()));
                drop::<oneshot::Sender<()>>(turn);
            }
        });
    }

    pub(super) async fn wait_for_all(&self) {
        for ended in self.ask_all() {
            // A worker never sends a value: it ends its turn by dropping the sender.
            let _: Result<(), _> = ended.await;
        }
    }

    /// The receivers return an error when the turns are over.
    pub(super) fn ask_all(&self) -> Vec<oneshot::Receiver<()>> {
        let workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = |worker: &mpsc::UnboundedSender<_>| {
            let (turn, ended) = oneshot::channel();
            // A worker that has ended drops the turn.
            let _ = worker.send(turn);
            ended
        };
        workers.iter().map(ask).collect()
    }
}

/// A plan, and what a worker needs for its requests. Each request keeps it to its end, so that it uses only one plan,
/// even if the API is replaced meanwhile.
pub(super) struct ServedPlan {
    state: Arc<ServerState>,
    replacements: u64,
    pub(super) runner: Arc<MethodRunner>,
    pub(super) counters: Arc<WorkerCounters>,
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

    /// Returns `None` if no version has this name. Must be called on the version that serves requests without the name
    /// of a version.
    pub(super) fn version(self: &Rc<Self>, name: &str) -> Option<Rc<Self>> {
        let default = self.runner.plan.versions.as_ref().is_some_and(|versions| *versions.default == *name);
        let other = || self.others.iter().find(|(known, _)| **known == *name);
        if default { Some(Rc::clone(self)) } else { other().map(|(_, version)| Rc::clone(version)) }
    }

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
