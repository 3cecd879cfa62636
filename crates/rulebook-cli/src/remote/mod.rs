//! The client side of `rulebook send` and `rulebook fetch`: it sends files to another rulebook server, and fetches
//! files from it. The methods that it calls are those of the crate `rulebook-iapi`. It also fetches the TypeScript
//! declarations and the definition of an API, for `rulebook types --from`, and OpenAPI descriptions, for `rulebook
//! import`.
//!
//! This module sends the requests, repeats failed requests, and verifies that the local file and the file on the server
//! have the same content. It does not read a definition: the server decides which files it accepts.

mod client;
mod digest;
mod error;
mod error_response;
mod fetch;
mod multipart;
mod partial;
mod progress;
mod send;
mod server_url;

pub(crate) use client::{Client, FetchedDefinition, bearer_field};
pub(crate) use digest::Verification;
pub(crate) use error::TransferError;
pub(crate) use fetch::fetch;
pub(crate) use progress::Progress;
pub(crate) use send::{OutgoingFile, send};
pub(crate) use server_url::{document_url, parse_server_url};
