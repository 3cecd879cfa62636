//! Replies with files: opens them, selects the part that a request asks for, reads it piece by piece, and creates
//! download links.
//!
//! What conditions and ranges mean is decided in the Rust module `transfer`. This Rust module must not depend on the
//! server.

pub(crate) mod download;
mod file_stream;
mod links;
mod open_file;

pub(crate) use download::respond_with_file;
pub(crate) use file_stream::stream_file;
pub(crate) use links::Links;
pub(crate) use open_file::{MAX_LEN_IN_MEMORY, OpenFiles};
