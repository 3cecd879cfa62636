//! The errors that a request can cause: codes, HTTP statuses, and message catalogues.
//!
//! This module must not know requests: the data of one error is an [`ApiError`](crate::ApiError) of [`crate::call`].

pub mod codes;
pub mod texts;

pub use codes::{ErrorCode, ErrorStatus};
