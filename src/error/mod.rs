//! What can go wrong with a request, as one table.
//!
//! In charge of the codes, their numbers and statuses, and of the catalogues
//! of their words. Knows nothing of requests: the data of a refusal is in
//! [`crate::call`].

pub mod codes;
pub mod texts;

pub use codes::{Code, ErrorStatus};
