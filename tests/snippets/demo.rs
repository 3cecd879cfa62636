//! Tests the example calls in the documents of the demo, by sending them to a server of the demo.

use rulebook::Rulebook;

use super::run_calls::{self, Language};
use super::{calls_to_server, methods_with_calls};
use crate::demo::DemoFolder;
use crate::keys::add_key;

/// The ids of methods whose example call fails on a new database, with the expected statuses. Either the requested
/// object does not exist yet (400 in the envelope `iapi`), or the API key does not belong to a user of the site.
const EXPECTED_ERRORS: &[(&str, u16)] =
    &[("article.create", 403), ("user.login", 403), ("article.picture", 404), ("iapi.file.download", 400)];

/// Checks that every example call succeeds, except the calls in [`EXPECTED_ERRORS`].
fn assert_expected_statuses(language: Language) {
    let files = std::fs::read_dir("api").unwrap().map(|entry| entry.unwrap().path());
    let files = files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();
    let engine = Rulebook::read(files).unbound(rulebook::Unbound::Echo).build().unwrap_or_else(|all| panic!("{all}"));
    let place = DemoFolder::new();
    let key = add_key(place.folder.path(), &["--name", "reader", "--scope", "reader,author,editor,admin,iapi"]);
    let server = place.serve();
    let texts = calls_to_server(engine.api(), language, &server.address.to_string(), &key);
    let folder = tempfile::tempdir().unwrap();
    let mut methods: Vec<_> =
        methods_with_calls(engine.api()).into_iter().map(|(method, _)| method).zip(texts).collect();
    // Calls of GET are sent before calls of DELETE, so that the objects still exist.
    methods.sort_by_key(|(method, _)| method.http);
    let texts: Vec<_> = methods.iter().map(|(_, text)| text.clone()).collect();
    let responses = run_calls::run_calls(language, &texts, folder.path());
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

#[test]
#[ignore = "needs PHP with curl"]
fn php_calls_of_the_demo_succeed() {
    assert_expected_statuses(Language::Php);
}

#[test]
#[ignore = "needs Go"]
fn go_calls_of_the_demo_succeed() {
    assert_expected_statuses(Language::Go);
}
