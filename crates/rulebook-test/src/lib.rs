//! A test client for programs that are built on rulebook.
//!
//! [`Client`] serves the API of a program for the duration of a test and calls it over HTTP, so that a test sees what
//! clients see. A test names methods by id, arguments by name and callers by their permissions. This module must not
//! know plans or the pipeline: it reads the model, as clients read the documents.
//!
//! If a test uses the client incorrectly, for example names a method that the API does not have, the client panics with
//! a message. If the API responds with an error, that is an ordinary [`TestResponse`].

mod client;
mod identities;
mod method_call;
mod multipart;
mod request;
mod response;
mod usage_error;

pub use client::{Client, StartError};
pub use method_call::MethodCall;
pub use request::Request;
pub use response::TestResponse;
