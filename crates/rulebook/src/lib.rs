//! An HTTP API is written down once, as JSON definitions. rulebook reads them and routes requests, checks every
//! parameter and permission, responds to OPTIONS on every route with the definition of the route, generates the OpenAPI
//! document and the documentation pages, and calls the handlers of the program.
//!
//! A program adds its handlers to a [`Rulebook`], in [`Module`]s, and builds an [`Engine`] that serves the API or calls
//! its methods from code:
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
//!     // `engine.serve(&Settings::default())?.wait()` serves the API over HTTP. A call from code is checked in the same way:
//!     let response = engine.call("hello.get").arg("name", "Ada").send().await;
//!     assert_eq!(response.get("greeting").unwrap(), "Hello, Ada!");
//!
//!     let error = engine.call("hello.get").arg("name", "").send().await;
//!     assert_eq!(error.status(), 400);
//!     Ok(())
//! }
//! ```
//!
//! # What is where
//!
//! | to | use |
//! | --- | --- |
//! | load a definition and add to it | [`Rulebook`], [`Unbound`], [`Report`] |
//! | serve it, mount it into an actix `App`, or call it from code | [`Engine`], [`Settings`], [`ApiService`], [`CallBuilder`] |
//! | write handlers | [`Module`], [`Args`], [`Context`], [`ApiError`], [`CallEnd`] |
//! | receive and return files | [`Upload`], [`Download`], and stored files in [`store`] |
//! | find out who sends a request | [`Authenticate`], [`Identity`], [`Head`], [`RateLimiter`], and bearer keys in [`key`] |
//! | open a database at the start | [`Rulebook::on_start`], [`StartContext`], [`DataFolder`] |
//! | add types to the language of definitions | [`types`], [`Rulebook::callable`] |
//! | change what responses look like | [`envelope`] |
//! | handle errors of calls | [`error`], [`Response`] |
//! | read what a definition means | [`model`] |
//!
//! `rulebook_cli::run` gives a program the command line of rulebook, and `rulebook_test::Client` tests it over HTTP.

mod bind;
mod call;
mod engine;
pub mod envelope;
pub mod error;
mod handler;
pub mod key;
pub mod model;
mod pipeline;
mod plan;
mod secret;
mod server;
pub mod store;
mod transfer;
pub mod types;

pub use call::{
    ApiError, AuthScheme, Authenticate, Authentication, ByteStream, Content, CustomError, Download, ETag, Head,
    HttpMethod, Identity, Quota, RateLimiter, RequestId, ResponseError, Upload,
};
pub use engine::{DataFolder, Engine, Rulebook, StartContext, log_panics};
pub use handler::{Args, CallBuilder, CallEnd, Context, IntoHandler, Module, Response};
pub use rulebook_model::diagnostic::Report;
pub use rulebook_model::model::Unbound;
pub use server::{ApiService, RunningServer, Settings, StopHandle};

/// The crate of the types of header fields, methods and URIs in [`Head`] and [`Download`].
pub use http;
