//! What can go wrong with a request, as one table.
//!
//! In charge of the codes, their numbers, statuses and titles. Knows nothing
//! of requests: the data of a refusal is in [`crate::call`].

pub mod codes;

pub use codes::{Code, ErrorStatus};
