//! All tests of behaviour in one binary, a file a behaviour.

#![allow(clippy::unwrap_used, reason = "a test says by failing that what it expects is not so")]

mod article;
mod cli;
mod client;
mod client_for_users;
mod compile;
mod compressed;
mod cors;
mod definition_text;
#[cfg(feature = "demo")]
mod demo;
mod describe;
mod diagnostics;
mod docs;
mod documents;
mod downloads;
mod errors;
mod generate;
mod golden;
mod handlers;
mod http;
#[cfg(all(feature = "demo", unix))]
mod iapi;
mod keys;
mod layout;
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
mod three;
mod told;
#[cfg(unix)]
mod tutorial;
mod types;
mod typescript;
