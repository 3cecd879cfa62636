//! A test client for programs that are built on rulebook.
//!
//! [`Client`] serves the API of a program for the duration of a test and calls it over HTTP, so that a test sees the
//! same responses as clients. A test specifies methods by id, arguments by name and callers by their permissions. This
//! crate must not use the server's compiled plan of the API. It uses only the model of the API, which contains what
//! clients can read in the documents.
//!
//! If a test uses the client incorrectly, for example with the id of a method that does not exist, the client panics
//! with a message at the line of the test; functions such as [`Client::try_call`] return the message instead. If the
//! API responds with an error, the client returns an ordinary [`TestResponse`].

mod client;
mod request;
mod response;

pub use client::{Client, Misuse, StartError};
pub use request::{MethodCall, Request};
pub use response::TestResponse;
