//! The thread that watches a key file while a server runs.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Shared;
use super::file::Stamp;
use super::table::{Before, Table};
use super::usage::{self, Usages};

/// The interval at which the file is checked for changes. A revoked key is refused within a second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The interval at which the usage is written while requests of keys with a rate limit are counted.
const LIMITS_INTERVAL: Duration = Duration::from_secs(1);
/// The interval at which the usage is written if only times of last use have changed.
const LAST_USE_INTERVAL: Duration = Duration::from_secs(60);

/// Watches the key file until it is dropped: new and revoked keys take effect within a second, and the usage of keys is
/// written to a file. Drop it after the server has stopped.
#[derive(Debug)]
#[must_use = "the watcher stops when it is dropped"]
pub struct KeyFileWatcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyFileWatcher {
    pub(super) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let watch = move || {
            let mut reported = None;
            let mut written = WrittenUsage::new(&shared);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                reload(&shared, &mut reported);
                written.update(&shared, false);
            }
            written.update(&shared, true);
        };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(watch)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for KeyFileWatcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, that has been logged.
            let _ = thread.join();
        }
    }
}

/// Reads the file again if it has changed. If it cannot be read, the current keys remain in effect, and the error is
/// logged once.
fn reload(shared: &Shared, reported: &mut Option<(Option<Stamp>, String)>) {
    let stamp = Stamp::of(&shared.path);
    let table = shared.table.load();
    if stamp == table.stamp {
        return;
    }
    match Table::load(&shared.path, &Before::Running(&table), shared.workers) {
        Ok(table) => {
            log::info!("{}: keys: {}", shared.path.display(), table.len());
            shared.table.store(Arc::new(table));
            *reported = None;
        }
        Err(error) => {
            let failure = (stamp, error.to_string());
            if reported.as_ref() != Some(&failure) {
                log::error!("the keys stay as they were: {error}");
                *reported = Some(failure);
            }
        }
    }
}

/// The content of the usage file.
struct WrittenUsage {
    usages: Usages,
    time: Instant,
    /// `true` if the last write error has been logged.
    is_reported: bool,
}

impl WrittenUsage {
    fn new(shared: &Shared) -> Self {
        Self { usages: shared.table.load().usages(true), time: Instant::now(), is_reported: false }
    }

    /// Writes the file if the usage has changed, and the interval has passed or the watcher ends.
    fn update(&mut self, shared: &Shared, at_end: bool) {
        let usages = shared.table.load().usages(at_end);
        let counts = |usages: &Usages| -> Vec<_> {
            usages.iter().filter_map(|(id, usage)| usage.spent.map(|count| (id.clone(), count))).collect()
        };
        let only_times = counts(&usages) == counts(&self.usages);
        let interval = if only_times { LAST_USE_INTERVAL } else { LIMITS_INTERVAL };
        if usages == self.usages || (!at_end && self.time.elapsed() < interval) {
            return;
        }
        match usage::write(&shared.path, &usages) {
            Ok(()) => {
                self.usages = usages;
                self.time = Instant::now();
                self.is_reported = false;
            }
            Err(error) => {
                if !self.is_reported {
                    log::error!("the usage of keys cannot be written: {error}");
                }
                self.is_reported = true;
            }
        }
    }
}
