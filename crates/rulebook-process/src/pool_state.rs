//! The state of a pool: its workers, the calls that they handle or that wait, and the events that end calls.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rulebook::{ApiError, RequestId, Upload};
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use crate::message::ApiCall;
use crate::worker_input::WorkerInput;

/// The time by which a debugger extends the time limits of the calls of its worker.
pub const DEBUG_TIME: Duration = Duration::from_secs(3_600);

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

/// An event of a call.
#[derive(Debug)]
pub enum Event {
    /// The worker has returned the outputs, as JSON text.
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
    /// The queue of the pool is full.
    QueueFull(usize),
    /// No worker can be started.
    NoWorker,
    /// The server ends.
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
pub struct PoolState {
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
pub struct Slot {
    pub phase: Phase,
    /// The input of the worker; `None` unless it is ready.
    pub input: Option<Arc<WorkerInput>>,
    pub in_flight: Vec<InFlight>,
    /// `true` if a debugger has stopped the worker before.
    pub is_debugged: bool,
}

/// The phase in the life of a worker.
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

/// A call that a worker handles.
#[derive(Debug)]
pub struct InFlight {
    pub id: u64,
    pub deadline: Instant,
    pub request_id: Option<RequestId>,
    pub events: oneshot::Sender<Event>,
    /// The uploaded files of the call are removed with this value.
    pub uploads: Vec<Upload>,
}

/// Where a call is whose time limit may have ended.
pub enum Expiry {
    /// It waited for a worker, and was removed.
    InQueue,
    /// A worker handled it, and it was removed. The worker must be killed by its input, if there is one.
    AtWorker(Option<Arc<WorkerInput>>),
    /// A worker handles it, and its time limit ends later.
    After(Duration),
    /// It has ended.
    Ended,
}

/// An event for a handler, which is sent after the lock of the state was released.
pub type Notice = (oneshot::Sender<Event>, Event);

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

    /// Removes and returns the call with this id.
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

    /// Removes a call whose time limit has ended: that of waiting, or else that of its worker, which gets no more
    /// calls.
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
