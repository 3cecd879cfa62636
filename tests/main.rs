//! All tests of behaviour in one binary, a file a behaviour.

#![allow(clippy::unwrap_used, reason = "a test says by failing that what it expects is not so")]

mod article;
mod cli;
mod client;
mod client_for_users;
mod compressed;
mod cors;
mod demo;
mod describe;
mod dialect_equivalence;
mod docs;
mod documents;
mod downloads;
mod errors;
mod handlers;
mod http;
#[cfg(unix)]
mod iapi;
mod keys;
mod licenses;
mod logged;
mod migration;
mod openapi;
mod operation;
mod pages;
mod proof;
mod readme;
mod rules;
mod schema;
mod seeds;
mod served;
mod service;
#[cfg(unix)]
mod snippets;
#[cfg(unix)]
mod store;
mod told;
#[cfg(unix)]
mod tutorial;
mod typescript;
