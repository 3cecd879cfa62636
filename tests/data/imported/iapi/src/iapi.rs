//! The handlers of the API module `iapi`, through which servers exchange files.

use std::env;

use rulebook::Module;
use rulebook_iapi::{Caches, Database};

/// Returns the handlers of the API module.
pub fn module() -> Module {
    Module::new("iapi")
        .get("/internal/file", rulebook_iapi::download)
        .post("/internal/file", rulebook_iapi::upload)
        .post("/internal/cache", rulebook_iapi::cache)
}

/// Returns the database from which caches are written.
pub fn caches() -> Caches {
    Caches::new(|| async {
        let url = env::var("DATABASE_URL");
        url.map(Database::Mysql)
            .map_err(|error| format!("DATABASE_URL: {error}"))
    })
}
