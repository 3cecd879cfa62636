//! Names of caches. They are checked before the database is used, so that these tests have none.

use rulebook::store::FilePatterns;
use rulebook::{Authenticate, Authentication, Head, Identity};
use rulebook_iapi::Caches;

use super::CacheServer;

/// Authentication under which every caller may use the names `cache/own-*` only.
struct Limited;

impl Authenticate for Limited {
    async fn authenticate(&self, _: &Head) -> Authentication {
        let patterns = FilePatterns::new(["cache/own-*"]).unwrap();
        Authentication::Identity(Identity::new("test", [""; 0]).with_file_patterns(patterns))
    }
}

fn without_database() -> CacheServer {
    CacheServer::with("texts.content", |rulebook| {
        rulebook.authenticator(Limited).state(Caches::new(|| async { Err("none".to_owned()) }))
    })
}

#[test]
fn counts_names_and_permissions_are_checked_before_the_database() {
    let caching = without_database();
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
        caching.assert_error(&caching.request_caches(keys, names), status, code);
    }
}

#[test]
fn no_name_reaches_outside_of_the_folder() {
    let caching = without_database();
    for name in ["..", "../a", "/a", "a/b", "a/../b", ".hidden", "a\\b", "%2e%2e", "a\0", "", " a", "CON", "a*"] {
        caching.assert_error(&caching.request_caches(&["1"], &[name]), 400, "invalid-parameter");
    }
}
