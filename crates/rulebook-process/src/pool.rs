//! A pool of workers with the same command.

use std::collections::HashSet;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rulebook::RequestId;
use rulebook::handler_kind::Measurement;
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep;

use crate::pool_start::PoolStart;
use crate::pool_state::{DEBUG_TIME, Event, Expiry, InFlight, Job, Notice, Phase, PoolState, Slot, WorkerFailure};
use crate::settings::PoolSettings;
use crate::worker_input::WorkerInput;

/// The workers with one command, and the calls for them.
#[derive(Debug)]
pub struct Pool {
    pub settings: PoolSettings,
    state: Mutex<PoolState>,
    next_id: AtomicU64,
    /// The number of workers that have ended.
    ended_workers: AtomicU64,
    /// Wakes the task that starts processes for single calls.
    pub waiting_jobs: Notify,
    pub start: PoolStart,
}

impl Pool {
    /// Creates a pool. `api_methods` are the ids of all methods of the API.
    pub fn new(settings: PoolSettings, api_methods: HashSet<String>) -> Self {
        let name = settings.command.join(" ");
        let slots = (0..settings.workers).map(|_| Slot::new()).collect();
        Self {
            settings,
            state: Mutex::new(PoolState { slots, ..PoolState::default() }),
            next_id: AtomicU64::new(1),
            ended_workers: AtomicU64::new(0),
            waiting_jobs: Notify::new(),
            start: PoolStart::new(name, api_methods),
        }
    }

    /// Returns the command, for the log and for errors in the definition.
    pub fn name(&self) -> &str {
        &self.start.name
    }

    /// Returns a new id for a call.
    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns `true` if a worker is ready.
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

    /// Returns the id of the call that a worker handles, and the id of its request; `None` if the worker handles none
    /// or several.
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

    /// Removes a worker that has ended. Its calls fail for this reason. If `is_failing`, the next worker starts only
    /// after a while.
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

    /// Sets the phase of a worker that has ended, is killed or starts.
    pub fn set_phase(&self, slot: usize, phase: Phase) {
        self.lock_state().slots[slot].phase = phase;
    }

    /// Extends the time limits of the calls of a worker that a debugger has stopped, until the worker ends.
    pub fn extend_limits(&self, slot: usize) {
        if !std::mem::replace(&mut self.lock_state().slots[slot].is_debugged, true) {
            log::warn!("{}: a debugger has stopped a worker; its calls have {DEBUG_TIME:?} more", self.name());
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
