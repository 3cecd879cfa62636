//! What looks after a key file while a server is at work.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Shared;
use super::file::Stamp;
use super::table::{Before, Table};
use super::usage::{self, Usages};

/// How often is looked whether the file has been changed: a key that has been revoked is refused within a second.
const LOOK_TIME: Duration = Duration::from_millis(250);
/// How often is noted that more has been spent of a limit.
const SPENT_TIME: Duration = Duration::from_secs(1);
/// How often is noted that keys have been used, where nothing of a limit has been spent.
const USED_TIME: Duration = Duration::from_secs(60);

/// Looks after the key file until it is dropped: keys that are made or revoked count at once, and what has been spent
/// of limits is kept over the end of the process. Drop it when the server has stopped.
#[derive(Debug)]
#[must_use = "the file is not looked after any more when this is dropped"]
pub struct Keeper {
    ending: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub(super) fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let (ending, ended) = mpsc::channel();
        let keep = move || {
            let mut faulty = None;
            let mut noted = Noted::new(&shared);
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_TIME) {
                renew(&shared, &mut faulty);
                noted.note(&shared, false);
            }
            noted.note(&shared, true);
        };
        let thread = thread::Builder::new().name("keys".to_owned()).spawn(keep)?;
        Ok(Self { ending: Some(ending), thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.ending.take());
        if let Some(thread) = self.thread.take() {
            // Whatever ended it has been logged.
            let _ = thread.join();
        }
    }
}

/// Reads the file again where it is another one. One that cannot be read changes nothing, and is told once.
fn renew(shared: &Shared, faulty: &mut Option<(Option<Stamp>, String)>) {
    let stamp = Stamp::of(&shared.path);
    let table = shared.table.load();
    if stamp == table.stamp {
        return;
    }
    match Table::load(&shared.path, &Before::Now(&table), shared.workers) {
        Ok(table) => {
            log::info!("{}: keys: {}", shared.path.display(), table.len());
            shared.table.store(Arc::new(table));
            *faulty = None;
        }
        Err(error) => {
            let told = (stamp, error.to_string());
            if faulty.as_ref() != Some(&told) {
                log::error!("the keys stay as they were: {error}");
                *faulty = Some(told);
            }
        }
    }
}

/// What the file of usages says.
struct Noted {
    usages: Usages,
    when: Instant,
    /// Whether it was told that it cannot be written.
    told: bool,
}

impl Noted {
    fn new(shared: &Shared) -> Self {
        Self { usages: shared.table.load().usages(true), when: Instant::now(), told: false }
    }

    /// Writes the file where it says something else and it is time to, and in the end.
    fn note(&mut self, shared: &Shared, at_end: bool) {
        let usages = shared.table.load().usages(at_end);
        let spent = |usages: &Usages| -> Vec<_> {
            usages.iter().filter_map(|(id, usage)| usage.spent.map(|spent| (id.clone(), spent))).collect()
        };
        let time = if spent(&usages) == spent(&self.usages) { USED_TIME } else { SPENT_TIME };
        if usages == self.usages || (!at_end && self.when.elapsed() < time) {
            return;
        }
        match usage::write(&shared.path, &usages) {
            Ok(()) => {
                self.usages = usages;
                self.when = Instant::now();
                self.told = false;
            }
            Err(error) => {
                if !self.told {
                    log::error!("what has been spent of limits is not kept: {error}");
                }
                self.told = true;
            }
        }
    }
}
