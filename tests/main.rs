//! Contains all tests of behaviour over HTTP and on the command line, with a Rust module for each behaviour.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod article;
#[cfg(target_os = "linux")]
mod attack;
mod caller_documents;
mod captured_log;
mod cli;
mod client;
mod compressed;
mod cors;
mod demo;
mod deploy;
mod deprecation;
mod describe;
mod dialect_equivalence;
mod docs;
mod documents;
mod downloads;
mod errors;
mod generated;
mod handlers;
mod http;
#[cfg(unix)]
mod iapi;
mod idempotency;
mod keys;
mod licenses;
mod migration;
mod openapi;
mod operation;
mod pages;
mod proof;
mod python;
mod readme;
mod rules;
mod schema;
mod schemas;
mod seeds;
mod server_process;
mod service;
#[cfg(unix)]
mod snippets;
#[cfg(unix)]
mod store;
mod test_client;
#[cfg(unix)]
mod tutorial;
mod typescript;
mod versions;
mod words;
