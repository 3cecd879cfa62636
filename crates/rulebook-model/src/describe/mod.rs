//! The documents that describe an API to its clients. All documents are generated from the model of the API alone.
//!
//! This Rust module generates the canonical form of a definition, the responses to OPTIONS, the OpenAPI document, the
//! documentation pages, the TypeScript declarations and the Python client. Without the Cargo feature `documents`, it
//! generates only the canonical form and the responses to OPTIONS. It must not depend on the plan that handles
//! requests, or on requests.

pub(crate) mod canonical;
#[cfg_attr(not(feature = "documents"), expect(dead_code, reason = "only documents use all examples"))]
pub mod example;
mod options;
#[cfg_attr(not(feature = "documents"), expect(dead_code, reason = "only documents describe lists"))]
mod parameter_format;

#[cfg(feature = "documents")]
mod client;
#[cfg(feature = "documents")]
mod in_words;
#[cfg(feature = "documents")]
mod markdown;
#[cfg(feature = "documents")]
mod method_schemas;
#[cfg(feature = "documents")]
mod openapi;
#[cfg(feature = "documents")]
mod pages;
#[cfg(feature = "documents")]
mod python;
#[cfg(feature = "documents")]
mod snippet;
#[cfg(feature = "documents")]
mod typescript;

pub use canonical::{
    canonical_definition, canonical_definition_with_origins, canonical_service_definition, canonical_settings,
};
pub use options::{
    IntermediateUri, ServiceUri, Uris, options_for_api, options_for_intermediate_uri, options_for_service, uris,
    write_options_for_api,
};

#[cfg(feature = "documents")]
pub use self::{
    openapi::{ModulePart, OpenapiDetail, OpenapiVersion, convert_openapi, openapi, openapi_part, write_openapi},
    pages::{PageForm, Pages, markdown_for_api, markdown_for_intermediate_uri, markdown_for_service, method_page_url},
    python::{python, python_handlers},
    snippet::{API_KEY_PLACEHOLDER, Snippet, server_url, snippets},
    typescript::{argument_names, typescript, typescript_handlers},
};
