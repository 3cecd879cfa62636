//! The file with the usage of each day.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::UsageCounts;
use crate::secret::{create_private_folder, write_private_file};

/// The name of the file in the data folder.
const FILE: &str = "usage.json";
/// The name of the file that a process locks while it changes the other one.
const LOCK_FILE: &str = "usage.lock";
/// The maximum number of days in the file.
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
    pub(super) fn add(&mut self, day: Date, usage: &UsageCounts) {
        self.days.entry(day).or_default().add_all(usage, MAX_PAIRS);
        // If the clock was wrong, the file can contain days that are far apart.
        while self.days.len() > usize::from(MAX_DAYS) {
            self.days.pop_first();
        }
    }

    /// Removes the days that are too old.
    fn remove_before(&mut self, today: Date) {
        self.days.retain(|day, _| days_between(*day, today) < i32::from(MAX_DAYS));
    }
}

/// Returns the number of days after which `later` follows `day`.
fn days_between(day: Date, later: Date) -> i32 {
    later.since(day).map_or(0, |span| span.get_days())
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

/// Adds the usage of some days to the file, which other processes may change too, and removes old days.
pub(super) fn add(data_folder: &Path, new: &UsageDays, today: Date) -> io::Result<()> {
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
