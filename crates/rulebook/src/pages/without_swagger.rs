//! This file replaces the Rust module `swagger` if the feature `swagger-ui` of the crate is disabled. No file is found.

use super::browser_policy::BrowserCaching;
use crate::call::{ApiError, Head};
use crate::plan::{Document, Plan};

pub(crate) async fn find_file(_: &str, _: &Plan, _: &Head) -> Result<Option<(Document, BrowserCaching)>, ApiError> {
    Ok(None)
}
