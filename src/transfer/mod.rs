//! Files that are sent: what a client is told of them, and which part of one it gets.
//!
//! In charge of what follows from the head of a request and the facts of a file alone: conditions, ranges, names, links.
//! Must not open, read or send anything.

mod condition;
mod decision;
mod disposition;
mod link;

pub use decision::{Decision, Facts, decide, fields};
pub use disposition::{disposition, media_type};
pub use link::{KEY, Key, LINKS, Link};
