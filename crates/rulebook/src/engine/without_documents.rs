//! Replaces the file `published_documents.rs` if the feature `documents` is disabled. All documents are empty, and
//! responses to OPTIONS are only in JSON. The server responds with 404 at the paths of documents.

use std::sync::{Arc, OnceLock};

use rulebook_model::describe::{IntermediateUri, ServiceUri, Uris};
use rulebook_model::model::Api;

use crate::plan::{Document, PublishedDocuments};

pub(super) fn render_published(_: &Arc<Api>, _: bool, _: &Arc<OnceLock<String>>) -> PublishedDocuments {
    PublishedDocuments::empty()
}

pub(super) fn markdown_for_api(_: &Api, _: &Uris<'_>) -> Option<Document> {
    None
}

pub(super) fn markdown_parent(_: &IntermediateUri<'_>) -> Option<Document> {
    None
}

pub(super) fn markdown_for_service(_: &Api, _: &ServiceUri<'_>) -> Option<Document> {
    None
}
