//! What clients read about an API, made from the model alone.
//!
//! In charge of the canonical form of a definition, of what OPTIONS answers, of
//! the OpenAPI document and of texts for people. Must not know plans or requests.

mod canonical;
pub mod example;
mod markdown;
mod openapi;
mod options;
mod outputs;
mod pages;
mod part;
mod snippet;
mod typescript;
mod uris;
mod visible;
mod when;

pub use canonical::{canonical, canonical_service};
pub use markdown::{markdown_above, markdown_all, markdown_service};
pub use openapi::{openapi, openapi_part, write_openapi};
pub use options::{options_above, options_all, options_service};
pub use pages::Pages;
pub use part::Part;
pub use snippet::{KEY, Snippet, server, snippets};
pub use typescript::{argument_names, typescript};
pub use uris::{Above, ServiceUri, Uris, uris};
