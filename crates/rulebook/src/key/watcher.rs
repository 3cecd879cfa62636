//! The thread that watches a key file for changes while a server runs, and writes the usage file.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::table::{KeyTable, PreviousUsage};
use super::usage::{self, Usages};
use super::{KeyError, SharedKeys};
use crate::file_stamp::FileStamp;

/// The interval at which the thread checks whether the key file has changed, so that a revoked key is refused within a
/// second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// The minimum time between two writes of the usage file if the number of requests that count against a rate limit has
/// changed.
const COUNTS_WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// The minimum time between two writes of the usage file if only the times at which keys were used have changed.
const LAST_USE_WRITE_INTERVAL: Duration = Duration::from_secs(60);

/// Watches a key file until it is dropped. New and revoked keys take effect within a second, and the usage of keys is
/// written to a file. Drop the watcher after the server has stopped, so that the last requests are included in the
/// usage.
#[derive(Debug)]
#[must_use = "the watcher stops when it is dropped"]
pub struct KeyFileWatcher {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl KeyFileWatcher {
    pub(super) fn start(shared: Arc<SharedKeys>) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let watch = move || {
            let mut reported = None;
            let mut written = WrittenUsage::new(&shared);
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(POLL_INTERVAL) {
                reload_if_changed(&shared, &mut reported);
                written.write_if_changed(&shared, false);
            }
            written.write_if_changed(&shared, true);
        };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(watch)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for KeyFileWatcher {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, the panic has been logged already.
            let _ = thread.join();
        }
    }
}

/// Reads the key file again if it has changed. If the file cannot be read, the keys that were read before remain valid.
/// `reported` is the error that was logged last, so that the same error is logged only once.
fn reload_if_changed(shared: &SharedKeys, reported: &mut Option<(Option<FileStamp>, String)>) {
    let stamp = FileStamp::of(&shared.path);
    if stamp == shared.table.load().stamp {
        return;
    }
    match reload(shared) {
        Ok(()) => *reported = None,
        Err(error) => {
            let failure = (stamp, error.to_string());
            if reported.as_ref() != Some(&failure) {
                log_reload_error(&error);
                *reported = Some(failure);
            }
        }
    }
}

/// Reads the key file again.
///
/// # Errors
/// Fails if the file cannot be read. The keys that were read before remain valid.
pub(super) fn reload(shared: &SharedKeys) -> Result<(), KeyError> {
    let table = KeyTable::load(&shared.path, &PreviousUsage::Table(&shared.table.load()), shared.workers)?;
    log::info!("{}: keys: {}", shared.path.display(), table.len());
    shared.table.store(Arc::new(table));
    Ok(())
}

pub(super) fn log_reload_error(error: &KeyError) {
    log::error!("the keys stay as they were: {error}");
}

/// The usage that was last written to the usage file.
struct WrittenUsage {
    usages: Usages,
    written_at: Instant,
    /// The lock of the usage file; `None` until this process has written the file for the first time.
    lock: Option<File>,
    /// `true` if an error of writing the file has been logged since the last success.
    is_error_logged: bool,
}

impl WrittenUsage {
    fn new(shared: &SharedKeys) -> Self {
        Self {
            usages: shared.table.load().usages(true),
            written_at: Instant::now(),
            lock: None,
            is_error_logged: false,
        }
    }

    /// Writes the usage file if the usage has changed. While the server runs, the minimum interval between two writes
    /// must also have passed.
    fn write_if_changed(&mut self, shared: &SharedKeys, at_end: bool) {
        let usages = shared.table.load().usages(at_end);
        let counts = |usages: &Usages| -> Vec<_> {
            usages.iter().filter_map(|(id, usage)| usage.spent.map(|count| (id.clone(), count))).collect()
        };
        let only_times = counts(&usages) == counts(&self.usages);
        let interval = if only_times { LAST_USE_WRITE_INTERVAL } else { COUNTS_WRITE_INTERVAL };
        if usages == self.usages || (!at_end && self.written_at.elapsed() < interval) {
            return;
        }
        if self.lock.is_none() {
            match usage::lock_usages(&shared.path) {
                Ok(Some(lock)) => self.lock = Some(lock),
                // Another server with the same key file writes the usage of its requests.
                Ok(None) => return,
                // Writing the usage reports the error of the folder.
                Err(_) => {}
            }
        }
        match usage::write_usages(&shared.path, &usages) {
            Ok(()) => {
                self.usages = usages;
                self.written_at = Instant::now();
                self.is_error_logged = false;
            }
            Err(error) => {
                if !self.is_error_logged {
                    log::error!("the usage of keys cannot be written: {error}");
                }
                self.is_error_logged = true;
            }
        }
    }
}
