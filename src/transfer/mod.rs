//! Files that are sent and kept: what a client is told of them, which part of one it gets, and when it may write one.
//!
//! In charge of what follows from the head of a request and the facts of a file alone: conditions, ranges, names, links,
//! tags, kinds.
//! Must not open, read or send anything.

mod condition;
mod decision;
mod disposition;
mod link;
mod precondition;
mod sniff;
mod tag;

pub use decision::{Decision, Facts, decide, fields};
pub use disposition::{disposition, media_type};
pub use link::{KEY, Key, LINKS, Link};
pub use precondition::Precondition;
pub use sniff::{SAMPLE, sniff};
pub use tag::tag;
