//! rulebook serves an HTTP API from its definition: JSON files that list the methods of the API with their parameters,
//! outputs and permissions. For each request, rulebook finds the method, checks the permission and every parameter, and
//! calls the handler of the method, which the program or the definition contains. rulebook also responds to OPTIONS on
//! every path of the API, and generates the OpenAPI document and the documentation pages.
//!
//! A program adds its handlers to a [`Rulebook`], grouped in [`Module`]s, and builds an [`Engine`]. The engine serves
//! the API over HTTP, and also calls methods of the API from code:
//!
//! ```
//! use rulebook::{ApiError, Args, Context, Module, Rulebook};
//! use serde::{Deserialize, Serialize};
//!
//! /// The definition: usually files in the folder `api`, which `Rulebook::load("api")` reads.
//! const DEFINITION: &str = r#"{ "/": { "hello": { "GET": {
//!     "info": "Greets",
//!     "in":  { "GET@name": { "info": "The name", "type": "string(1,40)", "name": "name" } },
//!     "out": { "greeting": { "info": "The greeting", "type": "string" } }
//! } } } }"#;
//!
//! #[derive(Deserialize)]
//! struct Person {
//!     name: String,
//! }
//!
//! #[derive(Serialize)]
//! struct Greeting {
//!     greeting: String,
//! }
//!
//! async fn hello(Args(person): Args<Person>, _: Context) -> Result<Greeting, ApiError> {
//!     Ok(Greeting { greeting: format!("Hello, {}!", person.name) })
//! }
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let engine = Rulebook::read(vec![("hello.json".into(), DEFINITION.into())])
//!         .module(Module::new("hello").get("/hello", hello))
//!         .build()?;
//!
//!     // `engine.serve(&Settings::default())?.wait()` serves the API over HTTP. A call from code is
//!     // checked in the same way:
//!     let response = engine.call("hello.get").arg("name", "Ada").send().await;
//!     assert_eq!(response.get("greeting").unwrap(), "Hello, Ada!");
//!
//!     let error = engine.call("hello.get").arg("name", "").send().await;
//!     assert_eq!(error.status(), 400);
//!     Ok(())
//! }
//! ```
//!
//! # Where to find what
//!
//! | to | use |
//! | --- | --- |
//! | load a definition and add handlers to it | [`Rulebook`], [`Unbound`], [`Report`] |
//! | serve the API, or mount it into an actix `App` | [`Engine`], [`Settings`], [`Services`] |
//! | call methods of the API from code | [`Engine`], [`CallBuilder`] |
//! | write handlers | [`Module`], [`Args`], [`Context`], [`ApiError`], [`CallEnd`] |
//! | add kinds of handlers that definitions can choose | [`handler_kind`], [`Rulebook::handler_kind`] |
//! | add kinds of authenticators that definitions can choose | [`auth_kind`], [`Rulebook::auth_kind`] |
//! | receive and return files | [`Upload`], [`Download`], and stored files in [`store`] |
//! | find out which client sends a request | [`Authenticate`], [`Identity`], [`Head`], [`ClientCertificates`] |
//! | limit the requests of a client | [`RateLimiter`], [`Quota`] |
//! | store the responses for idempotency keys | [`idempotency`], [`Rulebook::idempotency_storage`] |
//! | manage and check bearer keys | [`key`] |
//! | open a database when the program starts | [`Rulebook::on_start`], [`StartContext`], [`DataFolder`] |
//! | add parameter types that definitions can use | [`types`], [`Rulebook::callable`] |
//! | change what responses look like | [`envelope`] |
//! | handle errors of calls | [`error`], [`Response`] |
//! | send forms with files to other servers | [`multipart`] |
//! | read the services, methods and parameters that a definition describes | [`model`] |
//!
//! `rulebook_cli::run` gives a program the command line of rulebook. `rulebook_test::Client` tests a program over HTTP.

mod auth;
pub mod auth_kind;
mod bind;
mod call;
mod client_shares;
mod engine;
pub mod envelope;
pub mod error;
mod file_reply;
mod handler;
pub mod handler_kind;
pub mod idempotency;
pub mod key;
mod line_queue;
mod metrics;
pub mod model;
pub mod multipart;
mod pages;
mod pipeline;
mod plan;
mod rate_limit;
mod regular_file;
mod secret;
mod server;
mod settings;
pub mod store;
mod time;
pub mod trace;
mod transfer;
pub mod types;
// It is hidden because only the command line uses it.
#[doc(hidden)]
pub mod usage;

pub use call::{
    ApiError, AuthError, AuthScheme, Authenticate, Authentication, BodyFields, ByteStream, CertificateName, Claims,
    ClientCertificate, ClientCertificates, Content, CustomError, Download, ETag, Head, HttpMethod, Identity,
    InvalidCertificateName, Quota, RangedContent, RateLimiter, RequestId, ResponseError, Upload,
};
// It is hidden because only the command line and the test client use it.
pub use engine::{DataFolder, Engine, Rulebook, StartContext, StartError, log_panics};
#[doc(hidden)]
pub use engine::{InputDigest, UsedKinds, Validated};
// It is hidden because only other crates of rulebook use it.
#[doc(hidden)]
pub use handler::describe_with_causes;
pub use handler::{Args, CallBuilder, CallEnd, Context, IntoHandler, Module, Out, Response};
pub use line_queue::LineQueue;
pub use rate_limit::{Claim, ClaimError, Grant, SharedCounter, SharedCounterSettings};
pub use rulebook_model::diagnostic::Report;
pub use rulebook_model::model::{
    AddressRange, AddressRangeError, ClientCertificateMode, ForwardedField, LinkTarget, Unbound, WhenUnavailable,
};
pub use server::{ApiHandle, ApiService, RunningServer, Services, StopHandle};
pub use settings::{Settings, TlsSettings};

/// The crate `http`, whose types [`Head`] and [`Download`] use for header fields, HTTP methods and URIs.
pub use http;
