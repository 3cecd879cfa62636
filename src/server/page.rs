//! The server's own paths of documents that are ready. No service can have them.

use crate::call::Head;
use crate::plan::{Document, Documents};

/// Which document is at such a path; none at another.
pub(super) fn find(head: &Head) -> Option<fn(&Documents) -> &Document> {
    match head.uri.path() {
        "/openapi.json" => Some(|documents| &documents.openapi),
        "/llms.txt" => Some(|documents| &documents.llms),
        _ => None,
    }
}
