//! The example calls of the demo, sent to the demo.

use rulebook::Rulebook;

use super::run::{self, Language};
use super::{calls, calls_at};
use crate::demo::DemoFolder;
use crate::keys::add_key;

/// Calls that fail on a new database, with their statuses: the object does not exist yet (400 in the envelope `iapi`),
/// or the key belongs to no user of the site.
const EXPECTED_ERRORS: &[(&str, u16)] =
    &[("article.create", 403), ("user.login", 403), ("article.picture", 404), ("iapi.file.download", 400)];

/// Checks that every call succeeds, except those in [`EXPECTED_ERRORS`].
fn assert_expected_statuses(language: Language) {
    let files = std::fs::read_dir("api").unwrap().map(|entry| entry.unwrap().path());
    let files = files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
    let engine = Rulebook::read(files).unbound(rulebook::Unbound::Echo).build().unwrap_or_else(|all| panic!("{all}"));
    let place = DemoFolder::with_sqlite();
    let key = add_key(place.folder.path(), &["--name", "reader", "--scope", "reader,author,editor,admin,iapi"]);
    let server = place.serve();
    let texts = calls_at(engine.api(), language, &server.address.to_string(), &key);
    let folder = tempfile::tempdir().unwrap();
    let mut methods: Vec<_> = calls(engine.api()).into_iter().map(|(method, _)| method).zip(texts).collect();
    // GET comes before DELETE.
    methods.sort_by_key(|(method, _)| method.http);
    let texts: Vec<_> = methods.iter().map(|(_, text)| text.clone()).collect();
    let responses = run::all(language, &texts, folder.path());
    for ((method, text), (status, body)) in methods.iter().zip(responses) {
        let refused = EXPECTED_ERRORS.iter().find(|(id, _)| *id == method.id).map(|(_, status)| *status);
        let expected = refused.unwrap_or(method.options.status);
        assert_eq!(status, expected, "{}: {body}\n{text}\n{}", method.id, server.process.log());
    }
}

#[test]
fn curl_calls_of_the_demo_succeed() {
    assert_expected_statuses(Language::Curl);
}

#[test]
#[ignore = "needs Node 18"]
fn javascript_calls_of_the_demo_succeed() {
    assert_expected_statuses(Language::JavaScript);
}

#[test]
#[ignore = "needs Python 3 with requests"]
fn python_calls_of_the_demo_succeed() {
    assert_expected_statuses(Language::Python);
}
