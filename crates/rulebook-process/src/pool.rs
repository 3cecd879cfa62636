//! A pool of workers with the same command: its start, its state, and the thread that runs the workers of all pools.

use std::collections::{HashSet, VecDeque};
use std::future::pending;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rulebook::handler_kind::{HandlerError, Measurement};
use rulebook::model::{Method, Span};
use rulebook::{ApiError, RequestId, Upload};
use serde_json::value::RawValue;
use tokio::runtime;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::kind::PoolSettings;
use crate::message::{ApiCall, HandledMethods};
use crate::once;
use crate::worker::{Worker, WorkerEnd, WorkerInput};

/// The workers with one command, and the calls for them.
#[derive(Debug)]
pub struct Pool {
    pub settings: PoolSettings,
    state: Mutex<PoolState>,
    next_id: AtomicU64,
    ended_workers: AtomicU64,
    /// Wakes the task that starts processes for single calls.
    pub waiting_jobs: Notify,
    /// The command, for the log and for errors in the definition.
    pub name: String,
    /// The ids of all methods of the API, also of other pools and kinds of handlers, which can have the same program.
    api_methods: HashSet<String>,
    /// The methods of the pool, and the spans of the command in their definitions.
    methods: Mutex<Vec<(Method, Span)>>,
    /// Where the result of the first start of a worker is sent.
    first: Mutex<Option<oneshot::Sender<FirstStart>>>,
}

impl Pool {
    /// Creates a pool. `api_methods` are the ids of all methods of the API.
    pub fn new(settings: PoolSettings, api_methods: HashSet<String>) -> Self {
        let slots = (0..settings.workers).map(|_| Slot::new()).collect();
        Self {
            name: settings.command.join(" "),
            settings,
            state: Mutex::new(PoolState { slots, ..PoolState::default() }),
            next_id: AtomicU64::new(1),
            ended_workers: AtomicU64::new(0),
            waiting_jobs: Notify::new(),
            api_methods,
            methods: Mutex::default(),
            first: Mutex::default(),
        }
    }

    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    pub fn is_available(&self) -> bool {
        self.settings.once || self.lock_state().slots.iter().any(|slot| slot.phase == Phase::Ready)
    }

    /// Measures the workers, and the calls that they handle or that wait for them.
    pub fn measure(&self, number: usize) -> Vec<Measurement> {
        let (ready, handled, waiting) = {
            let state = self.lock_state();
            let ready = state.slots.iter().filter(|slot| slot.phase == Phase::Ready).count();
            let handled = state.slots.iter().map(|slot| slot.in_flight.len()).sum::<usize>();
            // A process for a single call handles one.
            (ready + state.running, handled + state.running, state.queue.len())
        };
        let ended = self.ended_workers.load(Ordering::Relaxed);
        let measured = [
            Measurement::gauge("process_workers", "Workers that can handle calls, by pool.", ready as u64),
            Measurement::gauge("process_calls", "Calls that workers handle, by pool.", handled as u64),
            Measurement::gauge("process_waiting_calls", "Calls that wait for a worker, by pool.", waiting as u64),
            Measurement::counter("process_ended_workers", "Workers that have ended, by pool.", ended),
        ];
        // Every client can read the metrics, and the command may contain a password.
        measured.into_iter().map(|measured| measured.label("pool", number.to_string())).collect()
    }

    /// Gives a call to a worker, or lets it wait for one.
    /// Fails if too many calls wait, no worker can be started, or the pool ends.
    pub fn submit(&self, job: Job) -> Result<(), WorkerFailure> {
        let PoolSettings { once, workers, concurrency, queue, .. } = self.settings;
        let mut state = self.lock_state();
        if state.is_stopped {
            return Err(WorkerFailure::Stopping);
        }
        let (waits, max_waiting) = if once {
            (true, queue + workers.saturating_sub(state.running))
        } else if let Some(slot) = state.free_slot(concurrency) {
            let text = slot.add(job, Instant::now());
            let input = slot.input.clone();
            drop(state);
            if let Some(input) = input {
                input.send(&text);
            }
            return Ok(());
        } else {
            (!state.is_down(), queue)
        };
        if !waits {
            return Err(WorkerFailure::NoWorker);
        }
        if state.queue.len() >= max_waiting {
            state.queue.retain(|job| !job.events.is_closed());
        }
        if state.queue.len() >= max_waiting {
            return Err(WorkerFailure::QueueFull(state.queue.len()));
        }
        state.queue.push_back(job);
        drop(state);
        if once {
            self.waiting_jobs.notify_one();
        }
        Ok(())
    }

    /// Removes a waiting call for which a process can be started, and counts the process.
    pub fn start_job(&self) -> Option<Job> {
        let mut state = self.lock_state();
        if state.running == self.settings.workers {
            return None;
        }
        while let Some(job) = state.queue.pop_front() {
            if !job.events.is_closed() {
                state.running += 1;
                return Some(job);
            }
        }
        None
    }

    /// Counts the end of a process for one call.
    pub fn end_job(&self) {
        self.lock_state().running -= 1;
        self.waiting_jobs.notify_one();
    }

    /// Adds a worker that is ready, and gives it waiting calls, unless it has ended.
    pub fn add_ready(&self, slot: usize, input: &Arc<WorkerInput>) {
        let mut output = Vec::new();
        let mut state = self.lock_state();
        if state.slots[slot].phase != Phase::Starting {
            return;
        }
        state.slots[slot].phase = Phase::Ready;
        state.slots[slot].input = Some(Arc::clone(input));
        state.fill(slot, self.settings.concurrency, &mut output);
        drop(state);
        input.send(&output);
    }

    /// Ends a call of a worker with an event, and appends the texts of the worker's next calls to `output`. Returns
    /// `false` if the worker does not handle this call.
    pub fn end_call(&self, slot: usize, id: u64, event: Event, output: &mut Vec<u8>) -> bool {
        let mut state = self.lock_state();
        let ended = state.slots[slot].remove(id);
        state.fill(slot, self.settings.concurrency, output);
        drop(state);
        let Some(InFlight { events, uploads, .. }) = ended else { return false };
        // The files are gone when the client has the response.
        drop(uploads);
        // The receiver is dropped if the server no longer needs the result.
        let _ = events.send(event);
        true
    }

    /// Replaces the sender of events for a call of a worker. Returns the earlier sender, and the receiver of the
    /// following events; `None` if the worker does not handle this call.
    pub fn continue_call(&self, slot: usize, id: u64) -> Option<(oneshot::Sender<Event>, oneshot::Receiver<Event>)> {
        let mut state = self.lock_state();
        let call = state.slots[slot].in_flight.iter_mut().find(|call| call.id == id)?;
        let (sender, next) = oneshot::channel();
        Some((std::mem::replace(&mut call.events, sender), next))
    }

    /// The ids of the call that a worker handles, and of its request; `None` if it handles none or several.
    pub fn only_call(&self, slot: usize) -> Option<(u64, Option<RequestId>)> {
        match &self.lock_state().slots[slot].in_flight[..] {
            [call] => Some((call.id, call.request_id.clone())),
            _ => None,
        }
    }

    /// Returns the id of the request that a worker handles; `None` if it handles none or several.
    pub fn only_request(&self, slot: usize) -> Option<RequestId> {
        self.only_call(slot)?.1
    }

    /// Removes a worker that has ended. Its calls fail. If `is_failing`, the next worker starts only after a while.
    pub fn remove_worker(&self, slot: usize, reason: &str, is_failing: bool) {
        self.ended_workers.fetch_add(1, Ordering::Relaxed);
        let mut state = self.lock_state();
        let removed = &mut state.slots[slot];
        removed.phase = if is_failing { Phase::Waiting } else { Phase::Starting };
        removed.input = None;
        removed.is_debugged = false;
        let calls = std::mem::take(&mut removed.in_flight);
        let waiting = if state.is_down() { state.clear_queue(&WorkerFailure::NoWorker) } else { Vec::new() };
        drop(state);
        let failed =
            calls.into_iter().map(|call| (call.events, Event::Failed(WorkerFailure::Ended(reason.to_owned()))));
        send(failed.chain(waiting));
    }

    pub fn set_phase(&self, slot: usize, phase: Phase) {
        self.lock_state().slots[slot].phase = phase;
    }

    /// Extends the time limits of the calls of a worker that a debugger has stopped, until the worker ends.
    pub fn extend_limits(&self, slot: usize) {
        if !std::mem::replace(&mut self.lock_state().slots[slot].is_debugged, true) {
            log::warn!("{}: a debugger has stopped a worker; its calls have {DEBUG_TIME:?} more", self.name);
        }
    }

    /// Accepts no more calls, and fails those that wait.
    pub fn stop(&self) {
        let mut state = self.lock_state();
        state.is_stopped = true;
        let waiting = state.clear_queue(&WorkerFailure::Stopping);
        drop(state);
        send(waiting);
    }

    /// Waits until the time limit of a call has ended, and returns why it fails. It waits for a worker at most for the
    /// limit, and a worker that handles it for longer is killed.
    pub async fn time_out(&self, id: u64, limit: Duration) -> WorkerFailure {
        let mut wait = limit;
        loop {
            sleep(wait).await;
            let expiry = self.lock_state().expire(id, Instant::now());
            match expiry {
                Expiry::InQueue => return WorkerFailure::NotStarted(limit),
                Expiry::AtWorker(input) => {
                    if let Some(input) = input {
                        input.fail("a call exceeded its time limit");
                    }
                    return WorkerFailure::Late(limit);
                }
                Expiry::After(left) => wait = left,
                // The result is on its way.
                Expiry::Ended => return pending().await,
            }
        }
    }

    fn lock_state(&self) -> MutexGuard<'_, PoolState> {
        lock(&self.state)
    }
}

fn send(notices: impl IntoIterator<Item = Notice>) {
    for (events, event) in notices {
        // The receiver is dropped if the server no longer needs the result.
        let _ = events.send(event);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The time by which a debugger extends the time limits of the calls of its worker.
const DEBUG_TIME: Duration = Duration::from_secs(3_600);

/// A call for a pool of workers.
#[derive(Debug)]
pub struct Job {
    /// The id of the call in messages. No two calls have the same.
    pub id: u64,
    /// The text that the worker gets: a message with its line break, or the arguments of a process for one call.
    pub text: Vec<u8>,
    /// The environment variables of a process for one call. For workers, they are a part of `text`.
    pub variables: Vec<(&'static str, String)>,
    /// The time limit of the call. The call waits for a worker at most for this time, too.
    pub timeout: Duration,
    /// The id of the request, for the log.
    pub request_id: Option<RequestId>,
    /// The uploaded files among the arguments. They are removed when the call ends.
    pub uploads: Vec<Upload>,
    /// Receives the next event of the call. It is closed if no handler waits for the call.
    pub events: oneshot::Sender<Event>,
}

#[derive(Debug)]
pub enum Event {
    Result(Box<RawValue>),
    /// The worker has returned an error: a JSON-RPC error object.
    Error(Box<RawValue>),
    /// The worker calls a method of the API. Further events follow.
    ApiCall(Box<ApiCall>),
    /// The call has failed without a response of the worker.
    Failed(WorkerFailure),
}

/// Why a call has no response of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerFailure {
    /// The worker ended, for this reason.
    Ended(String),
    /// The response of the worker is not valid, for this reason.
    Invalid(String),
    /// The worker did not respond within the time limit.
    Late(Duration),
    /// No worker took the call within the time limit.
    NotStarted(Duration),
    QueueFull(usize),
    NoWorker,
    Stopping,
}

impl WorkerFailure {
    /// Returns the error for the client, with the reason for the log.
    pub fn into_error(self, method: &str) -> ApiError {
        match self {
            Self::Ended(reason) => ApiError::bad_gateway(format_args!("{method}: {reason}")),
            Self::Invalid(reason) => {
                ApiError::bad_gateway(format_args!("{method}: the response of the worker is not valid: {reason}"))
            }
            Self::Late(limit) => {
                ApiError::gateway_timeout(format_args!("{method}: the worker has not responded within {limit:?}"))
            }
            Self::NotStarted(limit) => {
                ApiError::unavailable(format_args!("{method}: no worker took the call within {limit:?}"))
            }
            Self::QueueFull(length) => {
                ApiError::unavailable(format_args!("{method}: {length} calls wait for a worker already"))
            }
            Self::NoWorker => ApiError::unavailable(format_args!("{method}: no worker can be started")),
            Self::Stopping => ApiError::unavailable(format_args!("{method}: the workers are stopping")),
        }
    }
}

/// The state of a pool. The pool locks it for a short time only.
#[derive(Debug, Default)]
struct PoolState {
    /// The workers. Their number does not change.
    pub slots: Vec<Slot>,
    /// The calls that wait for a worker, the oldest first.
    pub queue: VecDeque<Job>,
    /// The number of processes that run, for a pool that starts a process for each call.
    pub running: usize,
    /// `true` if the pool accepts no more calls.
    pub is_stopped: bool,
}

/// A worker of a pool, which is replaced when it ends.
#[derive(Debug)]
struct Slot {
    pub phase: Phase,
    /// The input of the worker; `None` unless it is ready.
    pub input: Option<Arc<WorkerInput>>,
    pub in_flight: Vec<InFlight>,
    /// `true` if a debugger has stopped the worker before.
    pub is_debugged: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The worker starts, or will start soon.
    Starting,
    Ready,
    /// The worker has ended, or is killed.
    Ending,
    /// Several workers have ended one after the other, so that the next one starts only later.
    Waiting,
}

#[derive(Debug)]
struct InFlight {
    pub id: u64,
    pub deadline: Instant,
    pub request_id: Option<RequestId>,
    pub events: oneshot::Sender<Event>,
    /// The uploaded files of the call are removed with this value.
    pub uploads: Vec<Upload>,
}

/// Where a call is whose time limit may have ended.
enum Expiry {
    /// It waited for a worker, and was removed.
    InQueue,
    /// A worker handled it, and it was removed. The worker must be killed by its input, if there is one.
    AtWorker(Option<Arc<WorkerInput>>),
    /// A worker handles it, and its time limit ends later.
    After(Duration),
    Ended,
}

/// An event for a handler, which is sent after the lock of the state was released.
type Notice = (oneshot::Sender<Event>, Event);

impl Slot {
    pub fn new() -> Self {
        Self { phase: Phase::Starting, input: None, in_flight: Vec::new(), is_debugged: false }
    }

    /// Adds a call to those that the worker handles, and returns the text for the worker.
    pub fn add(&mut self, job: Job, now: Instant) -> Vec<u8> {
        let Job { id, text, timeout, request_id, uploads, events, .. } = job;
        self.in_flight.push(InFlight { id, deadline: now + timeout, request_id, events, uploads });
        text
    }

    pub fn remove(&mut self, id: u64) -> Option<InFlight> {
        let index = self.in_flight.iter().position(|call| call.id == id)?;
        Some(self.in_flight.swap_remove(index))
    }
}

impl PoolState {
    /// Returns the ready worker with the fewest calls, if it can have one more.
    pub fn free_slot(&mut self, concurrency: usize) -> Option<&mut Slot> {
        let ready = self.slots.iter_mut().filter(|slot| slot.phase == Phase::Ready);
        ready.min_by_key(|slot| slot.in_flight.len()).filter(|slot| slot.in_flight.len() < concurrency)
    }

    /// Gives waiting calls to a worker while it can have more, and appends the texts for the worker to `output`.
    pub fn fill(&mut self, slot: usize, concurrency: usize, output: &mut Vec<u8>) {
        let slot = &mut self.slots[slot];
        if slot.phase != Phase::Ready || self.queue.is_empty() {
            return;
        }
        let now = Instant::now();
        while slot.in_flight.len() < concurrency {
            let Some(job) = self.queue.pop_front() else { return };
            // Nothing waits for a call whose handler was dropped.
            if !job.events.is_closed() {
                output.append(&mut slot.add(job, now));
            }
        }
    }

    /// Returns `true` if no worker will be ready soon.
    pub fn is_down(&self) -> bool {
        self.slots.iter().all(|slot| slot.phase == Phase::Waiting)
    }

    /// Removes all waiting calls, which fail for this reason.
    pub fn clear_queue(&mut self, failure: &WorkerFailure) -> Vec<Notice> {
        self.queue.drain(..).map(|job| (job.events, Event::Failed(failure.clone()))).collect()
    }

    /// Removes a call whose time limit has ended: that of waiting, or that of its worker, which gets no more calls.
    pub fn expire(&mut self, id: u64, now: Instant) -> Expiry {
        if let Some(index) = self.queue.iter().position(|job| job.id == id) {
            self.queue.remove(index);
            return Expiry::InQueue;
        }
        let mut slots = self.slots.iter_mut();
        let found = slots.find_map(|slot| Some((slot.in_flight.iter().find(|call| call.id == id)?.deadline, slot)));
        let Some((deadline, slot)) = found else { return Expiry::Ended };
        let deadline = if slot.is_debugged { deadline + DEBUG_TIME } else { deadline };
        if deadline > now {
            return Expiry::After(deadline - now);
        }
        slot.remove(id);
        let is_ready = slot.phase == Phase::Ready;
        if is_ready {
            slot.phase = Phase::Ending;
        }
        Expiry::AtWorker(slot.input.take_if(|_| is_ready))
    }
}

/// The methods that the first ready worker handles, if it lists them, or the reason why it could not start.
type FirstStart = Result<Option<HandledMethods>, String>;

impl Pool {
    /// Adds a method that the pool handles. `command` is the span of the command in its definition.
    pub fn add_method(&self, method: &Method, command: Span) {
        lock(&self.methods).push((method.clone(), command));
    }

    /// Reports the start of a worker. Only the first report has an effect.
    pub fn report_start(&self, start: FirstStart) {
        if let Some(sender) = lock(&self.first).take() {
            // The receiver is dropped if the engine no longer waits for the start.
            let _ = sender.send(start);
        }
    }

    /// Returns the errors of the start: the worker could not start, or its handlers do not fit the methods.
    pub fn start_errors(&self, first: Result<FirstStart, oneshot::error::RecvError>) -> Vec<HandlerError> {
        let handled = match first {
            Ok(Ok(Some(handled))) => handled,
            Ok(Ok(None)) => return Vec::new(),
            Ok(Err(reason)) => return vec![self.error(&reason)],
            Err(_) => return vec![self.error("the task of the worker ended")],
        };
        for unknown in handled.keys().filter(|id| !self.api_methods.contains(*id)) {
            log::warn!("{}: the definition has no method `{}`", self.name, unknown.escape_debug());
        }
        let methods = lock(&self.methods);
        let errors = |(method, _): &(Method, Span)| {
            if let Some(function) = handled.get(&method.id) {
                return function.mismatches(method);
            }
            let message = format!("the worker `{}` has no handler for the method `{}`", self.name, method.id);
            let error = HandlerError::new(message).at(method.span);
            let mut known: Vec<_> = handled.keys().map(String::as_str).collect();
            known.sort_unstable();
            vec![error.suggest(&method.id, "handlers of the program", &known)]
        };
        methods.iter().flat_map(errors).collect()
    }

    /// Returns an error that concerns the command.
    pub fn error(&self, reason: &str) -> HandlerError {
        let error = HandlerError::new(format!("the worker `{}` does not start: {reason}", self.name));
        self.at_command(error.help(match reason {
            "exit status: 0" => "the program ends without an error: call `serve()` at its end, which waits for calls",
            _ => "run the command in the working directory of the workers to see what it prints",
        }))
    }

    /// Returns the warning that the functions are not compared with the methods, because no worker can be started.
    pub fn unchecked(&self) -> HandlerError {
        let message = format!("the functions of the worker `{}` are not checked: there is no such program", self.name);
        self.at_command(HandlerError::new(message).help("install the program, and check again"))
    }

    fn at_command(&self, error: HandlerError) -> HandlerError {
        let span = lock(&self.methods).first().map(|(_, command)| *command);
        match span {
            Some(span) => error.at(span),
            None => error,
        }
    }
}

/// The time from the end of a worker until the next one starts. It doubles with each worker that has not become
/// ready, or has ended without a call.
const MIN_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(10);
/// From this delay, a worker is not expected to be ready soon: calls fail at once if all workers wait for this long.
const LONG_DELAY: Duration = Duration::from_secs(1);

/// The thread that runs the workers of all pools. Dropping it ends all processes, and waits for their end.
///
/// This is not a task on the runtime of the engine's start, because such a task is dropped when the API ends, without
/// time for the workers to end, and the program could exit before they are killed.
#[derive(Debug)]
pub struct Supervisor {
    stop: watch::Sender<bool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Supervisor {
    /// Starts the workers of the pools, at most `max_workers` of each, and waits until the first worker of each pool is
    /// ready.
    /// Fails if a pool has no working worker. All processes have ended then.
    pub async fn start(pools: Vec<Arc<Pool>>, max_workers: usize) -> Result<Self, Vec<HandlerError>> {
        let (stop, stopped) = watch::channel(false);
        let (result_sender, result) = oneshot::channel();
        let cannot_start =
            |error: std::io::Error| vec![HandlerError::new(format!("no worker can be started: {error}"))];
        let run = move || match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(run(pools, max_workers, stopped, result_sender)),
            // The receiver waits for the errors.
            Err(error) => drop(result_sender.send(cannot_start(error))),
        };
        let thread = thread::Builder::new().name("workers".to_owned()).spawn(run).map_err(cannot_start)?;
        let supervisor = Self { stop, thread: Mutex::new(Some(thread)) };
        // If the sender was dropped, the thread has panicked.
        let errors = result.await.unwrap_or_else(|_| vec![HandlerError::new("the thread of the workers panicked")]);
        if errors.is_empty() {
            return Ok(supervisor);
        }
        // Waiting for the processes blocks the thread of the start hooks, which has nothing else to do.
        drop(supervisor);
        Err(errors)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            log::error!("the thread of the workers panicked");
        }
    }
}

/// Runs the workers of all pools until they are stopped. Sends the errors of the start.
async fn run(
    pools: Vec<Arc<Pool>>,
    max_workers: usize,
    stop: watch::Receiver<bool>,
    errors: oneshot::Sender<Vec<HandlerError>>,
) {
    let mut tasks = JoinSet::new();
    let mut starting = JoinSet::new();
    for pool in pools {
        if pool.settings.once {
            tasks.spawn(once::run_jobs(Arc::clone(&pool), stop.clone()));
            starting.spawn(async move { once::check_program(&pool) });
            continue;
        }
        let (first_sender, first) = oneshot::channel();
        *lock(&pool.first) = Some(first_sender);
        for slot in 0..pool.settings.workers.min(max_workers) {
            tasks.spawn(run_slot(Arc::clone(&pool), slot, stop.clone()));
        }
        starting.spawn(async move { pool.start_errors(first.await) });
    }
    let mut found = Vec::new();
    while let Some(ended) = starting.join_next().await {
        found.extend(ended.unwrap_or_else(|error| vec![HandlerError::new(format!("the start failed: {error}"))]));
    }
    // If the start fails, the receiver of the errors stops the workers.
    let _ = errors.send(found);
    while tasks.join_next().await.is_some() {}
}

/// Runs the workers of one slot of a pool, one after the other, until the pool stops.
async fn run_slot(pool: Arc<Pool>, slot: usize, mut stop: watch::Receiver<bool>) {
    let mut delay = MIN_DELAY;
    loop {
        let ended = match Worker::start(&pool.settings) {
            Ok(mut worker) => {
                // A logger of the program can panic.
                let running = AssertUnwindSafe(worker.run(&pool, slot, &mut stop)).catch_unwind().await;
                running.unwrap_or_else(|_| worker.ended("its task panicked".to_owned()))
            }
            Err(error) => WorkerEnd { reason: error.to_string(), has_worked: false },
        };
        let is_stopped = *stop.borrow() || stop.has_changed().is_err();
        if ended.has_worked {
            delay = MIN_DELAY;
        }
        pool.remove_worker(slot, &format!("the worker ended: {}", ended.reason), delay >= LONG_DELAY);
        pool.report_start(Err(ended.reason.clone()));
        if is_stopped {
            return pool.stop();
        }
        log::error!("{}: a worker ended: {}; the next one starts in {delay:?}", pool.name, ended.reason);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stopped(&mut stop) => return pool.stop(),
        }
        delay = (delay * 2).min(MAX_DELAY);
        pool.set_phase(slot, Phase::Starting);
    }
}

/// Waits until the workers must end.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender is dropped if the server ends.
    let _ = stop.wait_for(|stop| *stop).await;
}
