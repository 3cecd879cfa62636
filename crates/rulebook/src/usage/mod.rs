//! Which callers use which methods and parameters of an API, and how often: the counts of each day, in a file of the
//! data folder.
//!
//! The file contains the names of API keys, and no other data about callers. The workers of a server count requests
//! (`metrics`); a [`UsageRecorder`] adds the counts to the file.

mod counts;
mod file;
mod recorder;

pub use counts::{ANONYMOUS, MethodUsage, OTHER, USERS, UsageCounts};
pub use file::{MAX_DAYS, UsageDays, read};
pub use recorder::UsageRecorder;
