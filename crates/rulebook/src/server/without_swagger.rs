//! Takes the place of `swagger.rs` without the feature `swagger-ui`: there are no files.

use super::browser_policy::Keep;
use crate::call::{ApiError, Head};
use crate::plan::{Document, Plan};

pub(super) async fn find(_: &str, _: &Plan, _: &Head) -> Result<Option<(Document, Keep)>, ApiError> {
    Ok(None)
}
