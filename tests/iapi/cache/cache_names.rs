//! Tests the file names of caches. Names are checked before the database is used, so that these tests need no database.

use rulebook::store::FilePatterns;
use rulebook::{Authenticate, Authentication, Head, Identity};
use rulebook_iapi::Caches;

use super::CacheServer;

/// An authenticator with which every caller may use only the names `cache/own-*`.
struct OwnCachesOnly;

impl Authenticate for OwnCachesOnly {
    async fn authenticate(&self, _: &Head) -> Authentication {
        let patterns = FilePatterns::new(["cache/own-*"]).unwrap();
        Authentication::Identity(Identity::new("test", [""; 0]).with_file_patterns(patterns))
    }
}

fn server_without_database() -> CacheServer {
    CacheServer::with_program("texts.content", |rulebook| {
        rulebook.authenticator(OwnCachesOnly).state(Caches::new(|| async { Err("none".to_owned()) }))
    })
}

#[test]
fn numbers_names_and_permissions_are_checked_before_the_database_is_used() {
    let server = server_without_database();
    let cases: [(&[&str], &[&str], u16, &str); 8] = [
        (&["1", "2"], &["same"], 400, "count_mismatch"),
        (&["1"], &["own-1", "own-2"], 400, "count_mismatch"),
        (&["1", "2"], &["same", "same"], 400, "duplicate_filename"),
        (&["1", "2"], &["é", "e\u{301}"], 400, "duplicate_filename"),
        (&["1", "2"], &["./same", "same"], 400, "duplicate_filename"),
        (&["1"], &["other"], 403, "not_allowed"),
        (&["1", "2"], &["own-1", "other"], 403, "not_allowed"),
        (&["1"], &["own-1"], 503, "no_database"),
    ];
    for (keys, names, status, code) in cases {
        server.assert_error(&server.request_caches(keys, names), status, code);
    }
}

#[test]
fn no_cache_name_leads_outside_of_the_folder() {
    let server = server_without_database();
    for name in ["..", "../a", "/a", "a/b", "a/../b", ".hidden", "a\\b", "%2e%2e", "a\0", "", " a", "CON", "a*"] {
        server.assert_error(&server.request_caches(&["1"], &[name]), 400, "invalid-parameter");
    }
}
