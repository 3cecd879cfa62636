//! The pages that the server itself has: the documentation pages and Swagger UI, and what they may do in a browser.
//!
//! This Rust module finds and renders pages. It must not depend on the server, which sends them.

pub(crate) mod browser_policy;
pub(crate) mod docs;
#[cfg_attr(not(feature = "swagger-ui"), path = "without_swagger.rs")]
pub(crate) mod swagger;
