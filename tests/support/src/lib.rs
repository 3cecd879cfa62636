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

use std::fmt::Display;
use std::io::{self, Write};
use std::{env, thread};

/// Says that the test that calls this function is skipped, and why. The message is also shown if the test passes, and
/// `scripts/test` shows it again at the end.
pub fn skip(reason: impl Display) {
    let thread = thread::current();
    // The test harness captures what `eprintln!` prints.
    let _ = writeln!(io::stderr(), "SKIPPED {}: {reason}", thread.name().unwrap_or_default());
}

/// Returns the value of an environment variable that describes a server for tests, such as `TEST_POSTGRES`. The scripts
/// `scripts/with-…` set these variables. If there is no such server, says that the test skips it.
pub fn test_server(variable: &str) -> Option<String> {
    let server = env::var(variable).ok();
    if server.is_none() {
        skip(format_args!("{variable} is not set"));
    }
    server
}

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
