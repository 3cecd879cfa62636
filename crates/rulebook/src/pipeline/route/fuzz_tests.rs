//! Fuzz target of the paths of requests.

use rulebook_model::uri::percent_decode;
use support::fuzz::{Inputs, MAX_SCRIPT_LEN, TEXTS, check};

use super::path::{is_parent_of_base, path_below_base};

const BASE: &str = "/api/v 1";

/// A path is below the base path exactly if its first decoded segments are those of the base path, and the rest of the
/// path is unchanged.
fn check_path(text: &[u8]) {
    let Ok(path) = std::str::from_utf8(text) else { return };
    let base: Vec<_> = BASE.split('/').skip(1).collect();
    let segments: Vec<_> = path.split('/').skip(1).collect();
    let matching = segments
        .iter()
        .zip(&base)
        .take_while(|(segment, expected)| percent_decode(segment).is_ok_and(|decoded| decoded == **expected));
    let matching = matching.count();
    let is_below = path.starts_with('/') && matching == base.len();
    let rest = format!("/{}", segments.get(base.len()..).unwrap_or_default().join("/"));
    assert_eq!(path_below_base(BASE, path), is_below.then_some(rest.as_str()));
    if is_below && segments.len() > base.len() {
        assert!(path.ends_with(&rest));
        assert!(!is_parent_of_base(BASE, path) || rest == "/");
    }
}

#[test]
fn fuzz_path() {
    const TOKENS: &[&str] = &["/", "api", "v 1", "v%201", "%2F", "%61pi", "%", "%C3%A9", "%ff", "..", ".", "//", "é"];
    let inputs = Inputs::check_corpus("path", TOKENS, check_path);
    check!()
        .with_iterations(TEXTS)
        .with_max_len(MAX_SCRIPT_LEN)
        .for_each(|script| inputs.check_script(script, check_path));
}
