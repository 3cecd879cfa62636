//! Compares two definitions of an API, and decides which changes break clients.
//!
//! [`compare`] compares models, not texts, and returns a [`Change`] for each difference that a client can see. Its
//! [`ChangeKind`] has a stable name, a [`Level`] and the reason for this level. Whether a type still accepts what it
//! accepted is decided by [`includes`]. A breaking change has a witness: a request or a response that shows it.
//!
//! This crate reads no files and prints nothing. It returns the [texts](Report) for people and programs.

mod api;
mod change;
mod constraints;
mod files;
mod includes;
mod limits;
mod method;
mod outputs;
mod parameters;
mod report;
mod scope;
mod settings;
mod single_values;
mod strings;
mod texts;
mod values;

pub use api::compare;
pub use change::{Change, ChangeKind, Level};
pub use includes::{Inclusion, includes};
pub use report::Report;
