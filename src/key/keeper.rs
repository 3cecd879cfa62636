//! What looks after a key file while a server is at work.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::Shared;
use super::file::Stamp;
use super::table::Table;

/// How often is looked whether the file has been changed: a key that has been revoked is refused within a second.
const LOOK_TIME: Duration = Duration::from_millis(250);

/// Looks after the key file until it is dropped: keys that are made or revoked count at once.
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
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(LOOK_TIME) {
                renew(&shared, &mut faulty);
            }
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
    if stamp == shared.table.load().stamp {
        return;
    }
    match Table::load(&shared.path) {
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
