//! Which callers use which methods and parameters of an API, and how often: the counts of each day, in a file of the
//! data folder.
//!
//! The file contains the names of API keys, and no other data about callers. The workers of a server count requests
//! (`metrics`); a [`UsageRecorder`] adds the counts to the file.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::ApiHandle;
use crate::secret::{create_private_folder, write_private_file};
use crate::time::RepeatingThread;

/// The name under which requests without a credential are counted. Keys should have other names than this and the
/// following ones.
pub const ANONYMOUS: &str = "-anonymous";
/// The name under which requests with other credentials than API keys are counted, such as tokens and passwords.
pub const USERS: &str = "-user";
/// The name under which the requests of all further keys are counted, if there are too many.
pub const OTHER: &str = "-other";

/// How often callers have used methods: by the name of the caller, and by the id of the method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsageCounts(BTreeMap<Box<str>, BTreeMap<Box<str>, MethodUsage>>);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodUsage {
    /// The number of requests, also of those that were refused.
    pub requests: u64,
    /// The number of accepted requests that contain a parameter, by the name of the parameter. The default of a
    /// parameter does not count. Parameters that no request contains are absent.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<Box<str>, u64>,
}

impl MethodUsage {
    pub(crate) fn add<'a>(&mut self, requests: u64, parameters: impl IntoIterator<Item = (&'a str, u64)>) {
        self.requests = self.requests.saturating_add(requests);
        for (name, count) in parameters.into_iter().filter(|(_, count)| *count > 0) {
            match self.parameters.get_mut(name) {
                Some(sum) => *sum = sum.saturating_add(count),
                None => drop(self.parameters.insert(name.into(), count)),
            }
        }
    }

    pub fn add_all(&mut self, other: &Self) {
        self.add(other.requests, other.parameters.iter().map(|(name, count)| (&**name, *count)));
    }

    fn since(&self, earlier: &Self) -> Self {
        let mut new = Self::default();
        let parameters = self.parameters.iter().map(|(name, count)| {
            let before = earlier.parameters.get(name).copied().unwrap_or_default();
            (&**name, count.saturating_sub(before))
        });
        new.add(self.requests.saturating_sub(earlier.requests), parameters);
        new
    }
}

impl UsageCounts {
    /// Returns the callers that have called a method or, if `parameter` is the name of one of its parameters, that have
    /// used the parameter: the name of each with the number of its requests, in descending order of this number.
    #[must_use]
    pub fn callers_of(&self, method_id: &str, parameter: Option<&str>) -> Vec<(&str, u64)> {
        let callers = self.0.iter().filter_map(|(caller, methods)| {
            let usage = methods.get(method_id)?;
            let count = match parameter {
                Some(name) => *usage.parameters.get(name)?,
                None => usage.requests,
            };
            Some((&**caller, count))
        });
        let mut callers: Vec<_> = callers.filter(|(_, count)| *count > 0).collect();
        callers.sort_by_key(|(_, count)| Reverse(*count));
        callers
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &MethodUsage)> {
        self.0.iter().flat_map(|(caller, methods)| methods.iter().map(move |(id, usage)| (&**caller, &**id, usage)))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn entry(&mut self, caller: &str, method_id: &str) -> &mut MethodUsage {
        self.0.entry(caller.into()).or_default().entry(method_id.into()).or_default()
    }

    /// Adds other counts. Those of a new pair of a key and a method are counted as those of [`OTHER`] keys unless there
    /// are fewer than `max_pairs` pairs of a caller and a method.
    fn add_all(&mut self, other: &Self, max_pairs: usize) {
        let mut pairs = self.0.values().map(BTreeMap::len).sum::<usize>();
        for (caller, id, usage) in other.iter() {
            let is_known = self.0.get(caller).is_some_and(|methods| methods.contains_key(id));
            let is_kept = is_known || pairs < max_pairs || [ANONYMOUS, USERS].contains(&caller);
            self.entry(if is_kept { caller } else { OTHER }, id).add_all(usage);
            pairs += usize::from(!is_known);
        }
    }

    fn since(&self, earlier: &Self) -> Self {
        let mut new = Self::default();
        for (caller, id, usage) in self.iter() {
            let before = earlier.0.get(caller).and_then(|methods| methods.get(id));
            let usage = before.map_or_else(|| usage.clone(), |before| usage.since(before));
            if usage != MethodUsage::default() {
                *new.entry(caller, id) = usage;
            }
        }
        new
    }
}

const FILE: &str = "usage.json";
/// The name of the file that a process locks while it changes the other one.
const LOCK_FILE: &str = "usage.lock";
pub const MAX_DAYS: u8 = 35;
/// The maximum number of pairs of a caller and a method on one day. The callers of further pairs are not distinguished.
const MAX_PAIRS: usize = 4_000;

/// The usage of each day, by the clock in UTC.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct UsageDays {
    /// The days on which methods were used.
    #[serde(default)]
    pub days: BTreeMap<Date, UsageCounts>,
}

impl UsageDays {
    fn add(&mut self, day: Date, usage: &UsageCounts) {
        self.days.entry(day).or_default().add_all(usage, MAX_PAIRS);
        // If the clock was wrong, the file can contain days that are far apart.
        while self.days.len() > usize::from(MAX_DAYS) {
            self.days.pop_first();
        }
    }

    fn remove_before(&mut self, today: Date) {
        let age = |day: Date| today.since(day).map_or(0, |span| span.get_days());
        self.days.retain(|day, _| age(*day) < i32::from(MAX_DAYS));
    }
}

/// Reads the file in a data folder. If it does not exist, nothing has been counted.
///
/// # Errors
/// Fails if the file cannot be read, or does not have the format of this file. The message contains the path.
pub fn read(data_folder: &Path) -> io::Result<UsageDays> {
    let path = data_folder.join(FILE);
    match fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(UsageDays::default()),
        read => read.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

/// Other processes may change the file too. Removes old days.
fn add(data_folder: &Path, new: &UsageDays, today: Date) -> io::Result<()> {
    create_private_folder(data_folder)?;
    let lock = File::options().create(true).truncate(false).write(true).open(data_folder.join(LOCK_FILE))?;
    // Closing the file unlocks it.
    lock.lock()?;
    let mut saved = read(data_folder)?;
    for (day, usage) in &new.days {
        saved.add(*day, usage);
    }
    saved.remove_before(today);
    let path = data_folder.join(FILE);
    write_private_file(&path, &serde_json::to_vec(&saved)?)?.persist(&path)?;
    Ok(())
}

const SAVE_INTERVAL: Duration = Duration::from_secs(60);
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// Records which callers use which methods of a server, until it is dropped. Drop it after the server has stopped, so
/// that the last requests are recorded.
#[derive(Debug)]
#[must_use = "the usage is no longer recorded when this is dropped"]
pub struct UsageRecorder {
    recording: Arc<Recording>,
    thread: RepeatingThread,
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
        let saved = Arc::clone(&recording);
        let thread = RepeatingThread::start("usage", until_next_save, move |_| saved.save())?;
        Ok(Self { recording, thread })
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
        self.thread.stop();
    }
}

impl Recording {
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
        match add(&self.data_folder, &unsaved.days, unsaved.day) {
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
