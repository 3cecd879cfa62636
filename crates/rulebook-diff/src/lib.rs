//! Compares two definitions of an API, and decides which changes break clients.
//!
//! [`compare`] compares models, not texts, and returns a [`Change`] for each difference that a client can see. Its
//! [`ChangeKind`] has a stable name, a [`Level`] and the reason for this level. Whether a type still accepts what it
//! accepted is decided by [`includes`]. A breaking change has a witness: a request or a response that shows it.
//!
//! This crate reads no files and prints nothing. It returns the [texts](Report) for people and programs.

mod api;
mod change;
mod includes;
mod method;
mod parameters;
mod single_values;

pub use api::compare;
pub use change::{Change, ChangeKind, Level, Report};
pub use includes::{Inclusion, includes};
