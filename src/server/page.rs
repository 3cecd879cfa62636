//! The server's own paths whose answers were made ready at start. No service can have them.

use crate::call::Head;
use crate::plan::{Document, Plan};

/// The document at such a path; none at another.
pub(super) fn find<'p>(plan: &'p Plan, head: &Head) -> Option<&'p Document> {
    match head.uri.path() {
        "/openapi.json" => Some(&plan.documents.openapi),
        "/llms.txt" => Some(&plan.documents.llms),
        _ => None,
    }
}
