//! The thread that watches a storage of keys for changes while a server runs, and records the usage of keys.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::storage::{KeyVersion, Usages};
use super::table::{KeyTable, PreviousUsage};
use super::{KeyError, SharedKeys};

/// The interval at which the thread checks whether the keys have changed, so that a revoked key is refused within a
/// second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The minimum time between two records of the usage if the number of requests that count against a rate limit has
/// changed.
const COUNTS_RECORD_INTERVAL: Duration = Duration::from_secs(1);
/// The minimum time between two records of the usage if only the times at which keys were used have changed.
const LAST_USE_RECORD_INTERVAL: Duration = Duration::from_secs(60);

/// Watches the storage of keys until it is dropped. New and revoked keys take effect within a second, and the usage of
/// keys is recorded. Drop the watcher after the server has stopped, so that the last requests are included in the
/// usage.
#[derive(Debug)]
#[must_use = "the watcher stops when it is dropped"]
pub struct KeyWatcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyWatcher {
    pub(super) fn start(shared: Arc<SharedKeys>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        // Not in the thread, which may start after the first requests: their usage would be taken for recorded.
        let mut recorded = RecordedUsage::new(&shared);
        let watch = move || {
            let mut report = ReloadReport(None);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                match reload_if_changed(&shared) {
                    Ok(()) => report.clear(&shared),
                    Err((version, error)) => report.set(&shared, version, &error),
                }
                recorded.record_if_changed(&shared, false);
            }
            recorded.record_if_changed(&shared, true);
            shared.storage.close();
        };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(watch)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for KeyWatcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, the panic has been logged already.
            let _ = thread.join();
        }
    }
}

/// Loads the keys again if they have changed. The error contains the version of the keys that cannot be used; `None` if
/// the storage does not respond.
fn reload_if_changed(shared: &SharedKeys) -> Result<(), (Option<KeyVersion>, KeyError)> {
    let state = shared.storage.state().map_err(|error| (None, error))?;
    if shared.table.load().is_current(&state) {
        return Ok(());
    }
    reload(shared).map_err(|error| (Some(state.version), error))
}

/// Loads the keys again.
///
/// # Errors
/// Fails if the keys cannot be loaded. Those that were loaded before remain valid.
pub(super) fn reload(shared: &SharedKeys) -> Result<(), KeyError> {
    let previous = shared.table.load();
    let table = KeyTable::load(&*shared.storage, &PreviousUsage::Table(&previous), shared.workers)?;
    log::info!("{}: keys: {}", shared.storage.location(), table.len());
    shared.table.store(Arc::new(table));
    Ok(())
}

pub(super) fn log_reload_error(error: &KeyError) {
    log::error!("the keys stay as they were: {error}");
}

/// The error of [`reload_if_changed`] that was logged last, so that the same error is logged only once. While the
/// storage does not respond, the reason can change.
struct ReloadReport(Option<(Option<KeyVersion>, String)>);

impl ReloadReport {
    fn clear(&mut self, shared: &SharedKeys) {
        let Some((version, _)) = self.0.take() else { return };
        shared.problem.store(None);
        if version.is_none() {
            log::info!("{}: the keys can be read again", shared.storage.location());
        }
    }

    /// Logs an error unless it was logged before.
    fn set(&mut self, shared: &SharedKeys, version: Option<KeyVersion>, error: &KeyError) {
        let message = error.to_string();
        let is_known =
            |(known, text): &(Option<KeyVersion>, String)| *known == version && (version.is_none() || *text == message);
        if !self.0.as_ref().is_some_and(is_known) {
            log_reload_error(error);
            shared.problem.store(Some(Arc::new(message.clone())));
            self.0 = Some((version, message));
        }
    }
}

struct RecordedUsage {
    usages: Usages,
    recorded_at: Instant,
    /// `true` if an error of recording has been logged since the last success.
    is_error_logged: bool,
}

impl RecordedUsage {
    fn new(shared: &SharedKeys) -> Self {
        Self { usages: shared.table.load().usages(true), recorded_at: Instant::now(), is_error_logged: false }
    }

    /// Records the usage if it has changed. While the server runs, the minimum interval between two records must also
    /// have passed.
    fn record_if_changed(&mut self, shared: &SharedKeys, at_end: bool) {
        let usages = shared.table.load().usages(at_end);
        let counts = |usages: &Usages| -> Vec<_> {
            usages.iter().filter_map(|(id, usage)| usage.spent.map(|count| (id.clone(), count))).collect()
        };
        let only_times = counts(&usages) == counts(&self.usages);
        let interval = if only_times { LAST_USE_RECORD_INTERVAL } else { COUNTS_RECORD_INTERVAL };
        if usages == self.usages || (!at_end && self.recorded_at.elapsed() < interval) {
            return;
        }
        match shared.storage.record_usages(&self.usages, &usages) {
            Ok(true) => {
                self.usages = usages;
                self.recorded_at = Instant::now();
                self.is_error_logged = false;
            }
            // Another server records the usage of its requests.
            Ok(false) => {}
            Err(error) => {
                if !self.is_error_logged {
                    log::error!("the usage of keys cannot be written: {error}");
                }
                self.is_error_logged = true;
            }
        }
    }
}
