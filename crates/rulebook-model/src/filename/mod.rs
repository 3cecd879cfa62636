//! File names: checks the names that clients request, matches names against patterns, and cleans the names of uploads.
//!
//! This module must not depend on where files are stored.

mod name;
mod patterns;

pub use name::{FileName, FileNameError, visible_base_name};
pub(crate) use patterns::regex;
pub use patterns::{FilePatterns, PatternError};
