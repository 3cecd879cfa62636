//! The internal API: handlers by which servers exchange files and have caches written, for any definition that wants them.
//!
//! In charge of what `/iapi/file` and its like do with a store of files. What they take, from whom, and which names and
//! media types they let pass is the definition's, and so are the errors that they declare. Uses the crate's public names
//! only, so that a program can write its own in the same way.

mod cache;
mod file;
mod refused;
mod source;

use crate::handler::Module;

pub use cache::{Caches, cache};
pub use file::{download, upload, upload_all};
pub use source::Database;

/// The handlers of a module `iapi`: `GET` and `POST /iapi/file`, `POST /iapi/files`. The program has to
/// [keep files](crate::Rulebook::keep_files).
///
/// That for caches is added by programs that have a database, see [`Caches`]. A definition with other paths binds the
/// handlers itself:
///
/// ```
/// use rulebook::{Module, iapi};
///
/// let module = iapi::module().post("/iapi/cache", iapi::cache);
/// let pictures = Module::new("pictures").get("/picture", iapi::download).post("/pictures", iapi::upload_all);
/// ```
#[must_use]
pub fn module() -> Module {
    Module::new("iapi")
        .get("/iapi/file", file::download)
        .post("/iapi/file", file::upload)
        .post("/iapi/files", file::upload_all)
}
