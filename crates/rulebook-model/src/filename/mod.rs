//! Names of stored files. This Rust module checks the file names that clients send, matches file names against
//! patterns, and cleans the file names of uploads.
//!
//! It must not depend on where files are stored.

mod name;
mod patterns;

pub use name::{FileName, FileNameError, visible_base_name};
pub(crate) use name::{NUMBERED_WINDOWS_DEVICES, WINDOWS_DEVICES};
pub(crate) use patterns::pattern_to_regex;
pub use patterns::{FilePatterns, PatternError};
