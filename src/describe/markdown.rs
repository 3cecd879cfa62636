//! The API for people, in markdown.

use super::Above;
use crate::model::{Api, Module, Service};

/// The whole API.
#[must_use]
pub fn markdown_all(api: &Api) -> String {
    format!("# {} {}\n", api.title, api.version)
}

/// One service.
#[must_use]
pub fn markdown_service(_: &Api, _: &Module, service: &Service) -> String {
    format!("# {}\n", service.uri())
}

/// What is below a URI.
#[must_use]
pub fn markdown_above(_: &Api, _: &Above) -> String {
    String::new()
}
