//! HTTP rules for sending and storing files: conditions, ranges, file names, download links, entity tags, media types.
//!
//! All functions compute their result from the head of a request and the [`FileInfo`] of a file. This module must not
//! open, read or send files.

mod condition;
mod decision;
mod disposition;
mod etag;
mod link;
mod precondition;
pub mod sniff;

pub use decision::{Decision, FileInfo, decide, fields};
pub use disposition::{disposition, media_type};
pub use etag::etag_from_metadata;
pub use link::{LINK_KEY_LEN, LINK_PREFIX, Link, LinkKey};
pub use precondition::Precondition;
pub use sniff::sniff;
