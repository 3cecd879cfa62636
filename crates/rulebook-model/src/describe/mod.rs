//! The documents that describe an API to its clients. All documents are generated from the model of the API alone.
//!
//! This Rust module generates the canonical form of a definition, the responses to OPTIONS, the OpenAPI document, the
//! documentation pages and the TypeScript declarations. Without the Cargo feature `documents`, it generates only the
//! canonical form and the responses to OPTIONS. It must not depend on the plan that handles requests, or on requests.

mod canonical;
mod options;
mod uris;

#[cfg(feature = "documents")]
mod conditions;
#[cfg(feature = "documents")]
mod escape;
#[cfg(feature = "documents")]
pub mod example;
#[cfg(feature = "documents")]
mod markdown;
#[cfg(feature = "documents")]
mod module_part;
#[cfg(feature = "documents")]
mod openapi;
#[cfg(feature = "documents")]
mod outputs;
#[cfg(feature = "documents")]
mod pages;
#[cfg(feature = "documents")]
mod snippet;
#[cfg(feature = "documents")]
mod typescript;

pub use canonical::{canonical, canonical_service};
pub use options::{options_all, options_intermediate, options_service};
pub use uris::{IntermediateUri, ServiceUri, Uris, uris};

#[cfg(feature = "documents")]
pub use self::{
    markdown::{markdown_all, markdown_intermediate, markdown_service},
    module_part::ModulePart,
    openapi::{openapi, openapi_part, write_openapi},
    pages::Pages,
    snippet::{KEY_PLACEHOLDER, Snippet, server_url, snippets},
    typescript::{argument_names, typescript},
};
