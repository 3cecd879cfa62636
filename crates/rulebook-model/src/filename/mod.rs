//! Names of files: the validation of names that clients request, patterns of allowed names, and the cleaning of names
//! that clients send with uploads.
//!
//! This module must not know where files are stored.

mod name;
mod patterns;

pub use name::{FileName, FileNameError, visible_base_name};
pub(crate) use patterns::regex;
pub use patterns::{FilePatterns, PatternError};
