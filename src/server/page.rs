//! The server's own paths whose answers were made ready at start.

use crate::call::Head;
use crate::plan::{Document, Plan};

/// The document at the path of a request; none where there is none.
pub(super) fn find<'p>(plan: &'p Plan, head: &Head) -> Option<&'p Document> {
    match head.uri.path() {
        "/openapi.json" => Some(&plan.documents.openapi),
        "/llms.txt" => Some(&plan.documents.llms),
        _ => None,
    }
}
