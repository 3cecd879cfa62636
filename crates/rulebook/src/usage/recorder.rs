//! The thread that adds the counts of a running server to the file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::file::{self, UsageDays};
use super::{UsageCounts, read};
use crate::ApiHandle;

const SAVE_INTERVAL: Duration = Duration::from_secs(60);
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Records which callers use which methods of a server, until it is dropped. Drop it after the server has stopped, so
/// that the last requests are recorded.
#[derive(Debug)]
#[must_use = "the usage is no longer recorded when this is dropped"]
pub struct UsageRecorder {
    recording: Arc<Recording>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Recording {
    server: ApiHandle,
    data_folder: PathBuf,
    unsaved: Mutex<Unsaved>,
}

#[derive(Debug)]
struct Unsaved {
    /// What the server had counted when the counts were last taken from it.
    counted: UsageCounts,
    /// The day on which that was.
    day: Date,
    /// The counts that have been taken from the server, and are not in the file.
    days: UsageDays,
    /// `true` if an error of the file has been logged since the last success.
    is_error_logged: bool,
}

impl UsageRecorder {
    /// Starts a thread that adds the counts of a server to the file in this data folder, once a minute. The requests
    /// before this call are included.
    ///
    /// # Errors
    /// Fails if the thread cannot be started. If the file cannot be read or written, the log contains a warning.
    pub fn start(data_folder: &Path, server: ApiHandle) -> io::Result<Self> {
        let (counted, days) = (UsageCounts::default(), UsageDays::default());
        let unsaved = Mutex::new(Unsaved { counted, day: today(), days, is_error_logged: false });
        let recording = Arc::new(Recording { server, data_folder: data_folder.to_owned(), unsaved });
        let (stop, stopped) = mpsc::channel();
        let saved = Arc::clone(&recording);
        let save = move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(until_next_save()) {
                saved.save();
            }
            saved.save();
        };
        let thread = thread::Builder::new().name("usage".to_owned()).spawn(save)?;
        Ok(Self { recording, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns the usage of this day in UTC: that in the file, to which other servers with the same data folder add
    /// theirs, and that of this server which is not in the file yet.
    #[must_use]
    pub fn today(&self) -> UsageCounts {
        self.recording.today()
    }
}

impl Drop for UsageRecorder {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // If the thread has panicked, the panic has been logged already.
            let _ = thread.join();
        }
    }
}

impl Recording {
    /// Takes the new counts from the server.
    fn collect(&self) -> MutexGuard<'_, Unsaved> {
        let mut unsaved = self.unsaved.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = self.server.usage();
        let new = counted.since(&unsaved.counted);
        let day = unsaved.day;
        if !new.is_empty() {
            unsaved.days.add(day, &new);
        }
        (unsaved.counted, unsaved.day) = (counted, today());
        unsaved
    }

    fn save(&self) {
        let mut unsaved = self.collect();
        if unsaved.days.days.is_empty() {
            return;
        }
        match file::add(&self.data_folder, &unsaved.days, unsaved.day) {
            Ok(()) => {
                unsaved.days = UsageDays::default();
                unsaved.is_error_logged = false;
            }
            Err(error) => unsaved.log_error(&error),
        }
    }

    fn today(&self) -> UsageCounts {
        let mut unsaved = self.collect();
        let mut days = read(&self.data_folder).unwrap_or_else(|error| {
            unsaved.log_error(&error);
            UsageDays::default()
        });
        for (day, usage) in &unsaved.days.days {
            days.add(*day, usage);
        }
        days.days.remove(&unsaved.day).unwrap_or_default()
    }
}

impl Unsaved {
    fn log_error(&mut self, error: &io::Error) {
        if !self.is_error_logged {
            log::warn!("the usage of methods cannot be saved: {error}");
        }
        self.is_error_logged = true;
    }
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Returns the time until the counts are saved again: at the latest when the day ends, so that they belong to one day.
fn until_next_save() -> Duration {
    let left = SECONDS_PER_DAY - Timestamp::now().as_second().rem_euclid(SECONDS_PER_DAY);
    SAVE_INTERVAL.min(Duration::from_secs(left.unsigned_abs()))
}
