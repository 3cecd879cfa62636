//! The kinds of errors that a request can cause: their codes, their HTTP statuses, and the texts of their messages.
//!
//! This Rust module must not depend on requests. The error of a single request is an [`ApiError`](crate::ApiError),
//! which the module [`crate::call`] defines.

pub mod catalogue;
pub mod codes;

pub use codes::{ErrorCode, ErrorStatus};
