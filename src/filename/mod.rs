//! What stored files may be called.
//!
//! In charge of names as clients give them, and of patterns that allow some of them. Must not know where files are.

mod name;
mod patterns;

pub use name::{Name, NameError};
pub(crate) use patterns::regex;
pub use patterns::{PatternError, Patterns};
