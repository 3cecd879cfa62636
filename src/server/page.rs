//! The server's own paths of documents that are ready. No service can have them.

use crate::call::Head;
use crate::pipeline::Described;

/// Which document is at such a path; none at another.
pub(super) fn find(head: &Head) -> Option<Described> {
    match head.uri.path() {
        "/openapi.json" => Some(Described::OpenApi),
        "/llms.txt" => Some(Described::Llms),
        _ => None,
    }
}
