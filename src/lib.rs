//! The demo: a site of articles, which `api/` defines, with a database.
//!
//! This crate is an example of the code that a team writes for its API: handlers (a Rust module for each API module),
//! authentication by logins, and a database. It uses only public items of rulebook, so that a team can copy its code.

/// The types and handlers that `api/` defines, which the build script generates.
mod api {
    include!(concat!(env!("OUT_DIR"), "/api.rs"));
}

mod article;
mod author;
mod database;
mod publication;
mod user;

use jiff::Timestamp;
use rulebook::Rulebook;

use database::Database;

/// Adds the handlers, the authentication and the database of the demo. The first request that needs the database opens
/// it.
pub fn add(rulebook: Rulebook) -> Rulebook {
    let database = Database::new(rulebook.data_folder_handle());
    let (checked, cached) = (database.clone(), database.clone());
    let rulebook = author::modules().into_iter().fold(rulebook, Rulebook::module);
    rulebook
        .readiness_check("database", move || {
            let database = checked.clone();
            async move { database.check_readiness().await }
        })
        .state(rulebook_login::Logins::default())
        .authenticator(user::LoginAuthenticator::new(database.clone()))
        .state(rulebook_iapi::Caches::new(move || {
            let database = cached.clone();
            async move { database.for_caches().await }
        }))
        .state(database)
        .module(article::module())
        .module(publication::module())
        .module(user::module())
        .keep_files()
        .module(rulebook_iapi::module().post("/iapi/cache", rulebook_iapi::cache))
}

/// Returns the current time in the format in which the database stores times.
fn now() -> String {
    format_time(Timestamp::now())
}

/// Formats a time for the database and for responses: in UTC, without fractions of a second (RFC 3339). Comparing two
/// such texts compares the times.
fn format_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
