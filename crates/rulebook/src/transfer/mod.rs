//! The rules of HTTP for files that are sent or stored: conditions, ranges, file names, entity tags and media types.
//! Also contains the format of download links.
//!
//! The functions compute their results only from values that callers pass, such as the [`Head`](crate::call::Head) of a
//! request and the [`FileInfo`] of a file. This Rust module must not open, read or send files.

mod condition;
mod decision;
mod disposition;
mod link;
pub mod sniff;

pub use condition::Precondition;
pub use decision::{FileInfo, TransferDecision, decide_transfer, etag_from_metadata, response_fields};
pub use disposition::{content_disposition, media_type_by_name};
pub use link::{LINK_PREFIX, LinkId, LinkKey};
pub use sniff::{BINARY_MEDIA_TYPE, detect_media_type};
