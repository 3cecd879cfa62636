//! The demo: the article site that `api/` defines, on a database.
//!
//! In charge of what a team would write itself: its handlers, a module of the
//! definition each, its logins, its database. Uses the public names of the
//! crate only, so that it can be copied.

mod article;
mod author;
mod database;
mod publication;
mod user;

use jiff::Timestamp;
use rulebook::{Rulebook, iapi};

use database::Database;

/// Adds the demo's modules, its logins and its database. Nothing is opened before the first request needs it.
pub(crate) fn add(rulebook: Rulebook) -> Rulebook {
    let database = Database::new(rulebook.data_folder());
    let (asked, read) = (database.clone(), database.clone());
    let rulebook = author::modules().into_iter().fold(rulebook, Rulebook::module);
    rulebook
        .ready("database", move || {
            let database = asked.clone();
            async move { database.answers().await }
        })
        .inspect(user::Logins::new(database.clone()))
        .state(iapi::Caches::new(move || {
            let database = read.clone();
            async move { database.for_caches().await }
        }))
        .state(database)
        .module(article::module())
        .module(publication::module())
        .module(user::module())
        .keep_files()
        .module(iapi::module().post("/iapi/cache", iapi::cache))
}

/// Now, as it is written in the database.
fn now() -> String {
    written(Timestamp::now())
}

/// A point in time as it is written in the database and in answers: in UTC, to the second (RFC 3339). Later ones
/// compare as greater texts.
fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
