//! Code that the tests of several crates share: random definitions, golden files, random numbers, and validators of
//! JSON Schemas that are independent of rulebook.

#![allow(missing_docs, clippy::unwrap_used, reason = "support of tests fails by panicking")]

pub mod canonical;
pub mod fuzz;
pub mod generate;
pub mod golden;
pub mod memory;
pub mod random;
pub mod schema_validator;
pub mod unprivileged_user;
mod without_spans;

pub use without_spans::WithoutSpans;

/// Runs the code examples of the README as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// Runs the code examples of the page about handlers as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/handlers.md")]
pub struct Handlers;

/// Runs the code examples of the page about migration as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/migration.md")]
pub struct Migration;
