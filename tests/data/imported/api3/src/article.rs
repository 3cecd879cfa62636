//! The handlers of the API module `article`.
//!
//! TODO: write the handlers. Until then, each of them responds with the status 501.

use rulebook::{ApiError, Context, Download, Module};

use super::api::article::{
    Handlers, ReadGetArguments, ReadGetOutputs, WritePostArguments, WritePostOutputs,
};
use super::not_implemented;

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Handlers {
        read_get,
        write_post,
        export_get,
    }
    .into_module()
}

/// Returns an article
async fn read_get(_: ReadGetArguments, _: Context) -> Result<ReadGetOutputs, ApiError> {
    Err(not_implemented("article.read.get"))
}

/// Creates an article
async fn write_post(_: WritePostArguments, _: Context) -> Result<WritePostOutputs, ApiError> {
    Err(not_implemented("article.write.post"))
}

/// Downloads all articles
async fn export_get(_: (), _: Context) -> Result<Download, ApiError> {
    Err(not_implemented("article.export.get"))
}
