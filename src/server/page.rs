//! The server's own paths whose answers were made ready at start. No service can have them.

use crate::call::Head;
use crate::pipeline::{self, Reply};
use crate::plan::Plan;

/// The answer at such a path; none at another.
pub(super) fn answer(plan: &Plan, head: &Head) -> Option<Reply> {
    let document = match head.uri.path() {
        "/openapi.json" => &plan.documents.openapi,
        "/llms.txt" => &plan.documents.llms,
        _ => return None,
    };
    Some(pipeline::document(plan, head, document))
}
