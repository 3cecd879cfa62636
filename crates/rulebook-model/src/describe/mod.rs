//! The documents that describe an API to its clients. They are generated from the model only.
//!
//! This module generates the canonical form of a definition, the responses to OPTIONS, the OpenAPI document, the
//! documentation pages and the TypeScript declarations. It must not depend on plans or requests.

mod canonical;
mod conditions;
mod escape;
pub mod example;
mod markdown;
mod module_part;
mod openapi;
mod options;
mod outputs;
mod pages;
mod snippet;
mod typescript;
mod uris;

pub use canonical::{canonical, canonical_service};
pub use markdown::{markdown_all, markdown_intermediate, markdown_service};
pub use module_part::ModulePart;
pub use openapi::{openapi, openapi_part, write_openapi};
pub use options::{options_all, options_intermediate, options_service};
pub use pages::Pages;
pub use snippet::{KEY_PLACEHOLDER, Snippet, server_url, snippets};
pub use typescript::{argument_names, typescript};
pub use uris::{IntermediateUri, ServiceUri, Uris, uris};
