//! What caches may be called. It is judged before the database is asked, so here there is none.

use std::pin::Pin;

use rulebook::iapi::Caches;
use rulebook::store::Patterns;
use rulebook::{Head, Identity, Inspect, Inspection};

use super::Caching;

/// Says of everybody that they may name `cache/own-*` only.
struct Limited;

impl Inspect for Limited {
    fn inspect<'a>(&'a self, _: &'a Head) -> Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        let identity = Identity::new("test", [""; 0]).limited_to(Patterns::new(["cache/own-*"]).unwrap());
        Box::pin(std::future::ready(Inspection::Identity(identity)))
    }
}

fn without_database() -> Caching {
    Caching::with("texts.content", |rulebook| {
        rulebook.inspect(Limited).state(Caches::new(|| async { Err("none".to_owned()) }))
    })
}

#[test]
fn counts_then_names_then_what_is_allowed_then_the_database() {
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
        caching.assert_refused(&caching.ask(keys, names), status, code);
    }
}

#[test]
fn no_name_leads_out_of_its_folder() {
    let caching = without_database();
    for name in ["..", "../a", "/a", "a/b", "a/../b", ".hidden", "a\\b", "%2e%2e", "a\0", "", " a", "CON", "a*"] {
        caching.assert_refused(&caching.ask(&["1"], &[name]), 400, "invalid-parameter");
    }
}
