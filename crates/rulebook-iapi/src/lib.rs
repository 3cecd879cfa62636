//! The internal API: handlers through which servers exchange files, and write values of database columns to files.
//!
//! The definition determines paths, permissions, allowed file names, media types and declared errors. The handlers work
//! with any definition whose methods have the parameters that the handlers expect. They use only public items of the
//! crate `rulebook`, so that a program can implement similar handlers itself.

mod cache;
mod file;
mod source;

use rulebook::Module;

pub use cache::{Caches, cache};
pub use file::{download, upload, upload_all};
pub use source::Database;

/// Returns the handlers of an API module `iapi`: `GET` and `POST /iapi/file`, `POST /iapi/files`. The program must call
/// [`Rulebook::keep_files`](rulebook::Rulebook::keep_files).
///
/// Programs with a database can add the handler for caches, see [`Caches`]. If the definition has other paths, add
/// each handler with its path:
///
/// ```
/// use rulebook::Module;
///
/// let module = rulebook_iapi::module().post("/iapi/cache", rulebook_iapi::cache);
/// let pictures = Module::new("pictures")
///     .get("/picture", rulebook_iapi::download)
///     .post("/pictures", rulebook_iapi::upload_all);
/// ```
#[must_use]
pub fn module() -> Module {
    Module::new("iapi")
        .get("/iapi/file", file::download)
        .post("/iapi/file", file::upload)
        .post("/iapi/files", file::upload_all)
}
