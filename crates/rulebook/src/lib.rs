//! A team writes its HTTP API down once, as JSON definitions in `api/`. rulebook reads them and routes requests, checks
//! every parameter and permission, answers OPTIONS on every route with the definition of the route, generates the OpenAPI
//! document and the documentation pages, and calls the handlers of the program.
//!
//! A program adds its handlers to a [`Rulebook`], in [`Module`]s, and builds an [`Engine`] that serves the API or calls
//! its methods from code. A handler is an `async fn` that takes [`Args`] and a [`Context`], and returns outputs or an
//! [`ApiError`]. [`Authenticate`] finds out who sends a request; [`Keys`] does so with a file of bearer keys.
//!
//! Definitions can be extended with [`types`], with responses in an [`envelope`] or [`mod@format`] of the program, and
//! with functions. Stored files are in [`store`].
//!
//! `rulebook_cli::run` gives a program the command line of rulebook, and `rulebook_test::Client` tests it over HTTP.

pub use rulebook_model::{envelope, error, format, model, types};

mod secret;

pub mod call;
pub mod store;

mod transfer;

pub mod handler;

mod plan;

mod bind;

mod server;

mod pipeline;

pub mod key;

mod engine;

pub use call::{
    ApiError, AuthScheme, Authenticate, Authentication, CustomError, Download, ETag, Encode, Head, HttpMethod,
    Identity, Quota, RateLimiter, RequestId, ResponseError, TypeMismatch, Upload, Value, Violation,
};
pub use engine::{DataFolder, Engine, Rulebook, StartContext, log_panics};
pub use handler::{Args, CallBuilder, CallEnd, Context, Module, Response};
pub use key::{KeyEntryError, KeyError, KeyFileWatcher, Keys};
pub use rulebook_model::diagnostic::Report;
pub use rulebook_model::envelope::{Envelope, MemberWriter, WriteError};
pub use rulebook_model::error::{ErrorCode, ErrorStatus};
pub use rulebook_model::format::{Format, FormatError, Xml};
pub use rulebook_model::model::Unbound;
pub use rulebook_model::span::{Span, Spanned};
pub use server::{ApiService, RunningServer, Settings, StopHandle};

/// The types of header fields, methods and URIs in [`Head`] and [`Download`].
pub use http;

/// The README's program is compiled with the other examples.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

/// So are those of the page about handlers.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/handlers.md")]
pub struct Handlers;

/// And of the page about moving.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/migration.md")]
pub struct Migration;
