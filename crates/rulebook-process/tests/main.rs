//! Tests of the kind of handler `process`: APIs whose handlers are workers in Python or shell programs, which behave
//! well or badly.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod calls;
mod captured_log;
mod crashes;
mod diagnostics;
mod examples;
mod files;
mod invalid_responses;
mod isolation;
mod kills;
mod limits;
mod once;
mod panics;
mod pools;
mod python;
mod start;
mod stop;
mod support;
