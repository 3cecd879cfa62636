//! A team writes its HTTP API down once, as JSON definitions in `api/`; rulebook does the rest from that one
//! text: it routes, checks every parameter, checks permissions, answers and documents.
//!
//! # A map of the crate
//!
//! Two ways run through it, and the folders are their stations.
//!
//! What things are: [`error`] (the table of request errors) · [`diagnostic`] (what is wrong with a definition)
//! · `filename` (what stored files may be called) · [`call`] (values, slots, identities, refusals) · `transfer` (what
//! follows from the head of a request for a file) · [`store`] (stored files) · [`types`] (one type a file) ·
//! [`envelope`] (the shapes of answers) · [`mod@format`] (what they are written as) · [`model`] (what an API is) ·
//! [`handler`] (what users write against) · `plan` (all that a request touches).
//!
//! A definition's way, at start: [`definition`] (text as written) → [`compile`] (as meant; the plan) and
//! [`describe`] (the definition again). What may stand in a file of one, [`schema`] says to editors.
//!
//! A request's way: `server` (the only folder that names actix) → `pipeline` (every stage in order: route,
//! identify, permit, read, check, act, respond), with `key` finding out whose key a request carries.
//!
//! [`Rulebook`] puts them together; the command line is [`cli`], which with the feature `client` also sends files to
//! other servers and fetches them (`remote`). With the feature `iapi` there are handlers by which servers exchange files,
//! `rulebook::iapi`; with the feature `test` a client for the tests of programs that are built on rulebook,
//! `rulebook::test::Client`.

mod place;
//
mod near;
//
mod secret;
//
mod filename;

// What things are.
pub mod error;
// Blank lines and comments keep the stations in their order.
pub mod diagnostic;
//
pub mod call;
//
mod transfer;
//
pub mod store;
//
pub mod types;
//
pub mod envelope;
//
pub mod format;
//
pub mod model;
//
pub mod handler;
//
mod plan;

// A definition's way, at start.
pub mod definition;
//
pub mod schema;
//
pub mod compile;
//
pub mod describe;

// A request's way.
mod server;
//
mod pipeline;
//
mod key;

mod engine;

// What programs can add.
#[cfg(feature = "iapi")]
pub mod iapi;

// What programs ask of others.
#[cfg(feature = "client")]
mod remote;

pub mod cli;

#[cfg(feature = "test")]
pub mod test;

pub use call::{
    AnswerError, Broken, Download, ETag, Encode, Head, Http, Identity, Inspect, Inspection, Meter, Mismatch, Objection,
    Quota, Refusal, RequestId, Upload, Value,
};
pub use diagnostic::Report;
pub use engine::{DataFolder, Engine, Rulebook, log_panics};
pub use envelope::{Envelope, Members, WriteError};
pub use error::{Code, ErrorStatus};
pub use format::{Format, FormatError, Xml};
pub use handler::{Args, Calling, Context, Ended, Module, Response};
pub use key::{EntryFlaw, Keeper, KeyError, Keys};
pub use model::Unbound;
pub use place::{Place, Placed};
pub use server::{Running, Settings, Stopper};

/// The README's program is compiled with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

/// So are those of the page about handlers.
#[cfg(doctest)]
#[doc = include_str!("../docs/handlers.md")]
pub struct Handlers;

/// And of the page about moving.
#[cfg(doctest)]
#[doc = include_str!("../docs/migration.md")]
pub struct Migration;
