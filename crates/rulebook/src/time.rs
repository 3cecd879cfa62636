//! The current time as a number, threads that repeat something, and the limit of some work to a part of the time,
//! however often clients ask for it.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A thread that does something again and again, until it is stopped.
#[derive(Debug)]
pub(crate) struct RepeatingThread {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RepeatingThread {
    /// Calls `run` with `false` after each pause, and at the end once with `true`.
    pub(crate) fn start(
        name: &str,
        pause: impl Fn() -> Duration + Send + 'static,
        mut run: impl FnMut(bool) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let repeat = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(pause()) {
                run(false);
            }
            run(true);
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(repeat)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Waits until the thread has ended.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, the panic has been logged already.
            let _ = thread.join();
        }
    }
}

/// The part of the time that some work can use.
#[derive(Debug)]
pub(crate) struct TimeShare {
    /// In the long run, the work can use one of this number.
    part: u32,
    /// Usable at once, after the work has used little for a while.
    burst: Duration,
    /// `None` before the first work.
    used_until: Option<Instant>,
}

impl Default for TimeShare {
    /// Returns the share for work that usually takes a few milliseconds: a twentieth of the time.
    fn default() -> Self {
        Self::new(20, Duration::from_millis(50))
    }
}

impl TimeShare {
    /// Allows one of `part` in the long run, and `burst` at once.
    pub(crate) fn new(part: u32, burst: Duration) -> Self {
        Self { part, burst, used_until: None }
    }

    pub(crate) fn is_free(&self, now: Instant) -> bool {
        self.used_until.is_none_or(|until| until <= now + self.burst * self.part)
    }

    pub(crate) fn add(&mut self, begun: Instant, duration: Duration) {
        let until = self.used_until.map_or(begun, |until| until.max(begun));
        self.used_until = until.checked_add(duration.saturating_mul(self.part)).or(self.used_until);
    }
}

/// In seconds since the Unix epoch.
pub(crate) fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
