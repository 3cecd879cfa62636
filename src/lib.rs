//! The demo: a site of articles, which `api/` defines, with a database.
//!
//! This is the code that a team writes itself: handlers (one module for each module of the definition), authentication
//! by logins, and a database. It uses only public names of the crate, so that it can be copied.

mod article;
mod author;
mod database;
mod publication;
mod user;

use jiff::Timestamp;
use rulebook::Rulebook;

use database::Database;

/// Adds the demo's modules, its authentication and its database. The database is opened by the first request that needs
/// it.
pub fn add(rulebook: Rulebook) -> Rulebook {
    let database = Database::new(rulebook.data_folder_handle());
    let (checked, cached) = (database.clone(), database.clone());
    let rulebook = author::modules().into_iter().fold(rulebook, Rulebook::module);
    rulebook
        .readiness_check("database", move || {
            let database = checked.clone();
            async move { database.check().await }
        })
        .authenticator(user::LoginAuthenticator::new(database.clone()))
        .state(rulebook_iapi::Caches::new(move || {
            let database = cached.clone();
            async move { database.location_for_caches().await }
        }))
        .state(database)
        .module(article::module())
        .module(publication::module())
        .module(user::module())
        .keep_files()
        .module(rulebook_iapi::module().post("/iapi/cache", rulebook_iapi::cache))
}

/// Returns the current time in the format of the database.
fn now() -> String {
    format_time(Timestamp::now())
}

/// Formats a time for the database and for responses: in UTC, to the second (RFC 3339). Later times are greater texts.
fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
