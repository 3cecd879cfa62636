//! A client for the tests of programs that are built on rulebook.
//!
//! In charge of serving a program's API for the length of a test, and of
//! asking it in the API's words: methods by id, arguments by name, callers by
//! their permissions. What is asked goes over a socket, so that a test sees
//! what clients get. Must not know plans or the pipeline: it reads the model,
//! as clients read the documents.
//!
//! Where a test uses it wrongly (a method or parameter that the API does not
//! have) it fails the test, in words; what the API refuses is an [`Answer`].

mod answer;
mod calling;
mod client;
mod identities;
mod misuse;
mod multipart;
mod request;

pub use answer::Answer;
pub use calling::Calling;
pub use client::{Client, StartError};
pub use request::Request;
