//! `rulebook openapi`: the document on standard output and in files.

use std::fs;

use serde_json::{Value as Json, json};

use super::{folder, run, shop};
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};

#[test]
fn the_printed_document_is_the_served_one() {
    let folder = shop();
    let printed = run(folder.path(), &["openapi"]);
    assert_eq!((printed.code, printed.err.as_str()), (Some(0), ""));
    let document: Json = serde_json::from_str(&printed.out).unwrap();
    assert_eq!((&document["info"]["title"], &document["info"]["version"]), (&json!("Shop"), &json!("2.0.0")));
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let response = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/openapi.json"));
    assert_eq!(response.json(), document);
}

#[test]
fn the_printed_document_of_a_module_is_the_served_one() {
    let folder = shop();
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let process = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/openapi.json?module=shop"));
    let printed = run(folder.path(), &["openapi", "--module", "shop"]);
    assert_eq!((printed.code, printed.out), (Some(0), String::from_utf8(process.body).unwrap()));
    let near = run(folder.path(), &["openapi", "--module", "shpo"]);
    assert_eq!((near.code, near.out.as_str()), (Some(2), ""));
    assert_eq!(near.err, "error: --module shpo: there is no module of this name; did you mean `shop`?\n");
}

#[test]
fn a_file_is_replaced_atomically() {
    let folder = shop();
    let printed = run(folder.path(), &["openapi"]).out;
    let file = folder.path().join("openapi.json");
    for before in [None, Some("longer than the document".repeat(2000))] {
        if let Some(text) = before {
            fs::write(&file, text).unwrap();
        }
        let result = run(folder.path(), &["openapi", "--output", "openapi.json"]);
        assert_eq!((result.code, result.out.as_str(), result.err.as_str()), (Some(0), "", ""));
        assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    }
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "the definition and the document; no temporary files");
}

#[test]
#[cfg(unix)]
fn links_are_followed_and_permissions_are_those_of_new_files() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = shop();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("new"), "").unwrap();
    fs::create_dir(path("docs")).unwrap();
    symlink("docs/openapi.json", path("link")).unwrap();
    fs::write(path("docs/openapi.json"), "").unwrap();
    assert_eq!(run(folder.path(), &["openapi", "--output", "link"]).code, Some(0));
    assert!(path("link").is_symlink() && fs::metadata(path("docs/openapi.json")).unwrap().len() > 0);
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("docs/openapi.json"), mode("new"));
}

#[test]
fn a_file_that_cannot_be_written_is_reported() {
    let folder = shop();
    for file in ["no/such/folder.json", "api", "api/shop.json/x", "/dev/null"] {
        let result = run(folder.path(), &["openapi", "--output", file]);
        assert_eq!((result.code, result.out.as_str()), (Some(3), ""), "{file}");
        assert!(result.err.starts_with(&format!("error: --output {file}: ")), "{}", result.err);
    }
}

#[test]
fn an_invalid_definition_has_no_document() {
    let folder = folder(&[("a.json", json!({ "/": { "a": { "GET": { "inof": "A" } } } }))]);
    let result = run(folder.path(), &["openapi", "--output", "openapi.json"]);
    assert_eq!((result.code, result.out.as_str()), (Some(1), ""));
    assert!(result.err.contains("error[unknown-key]") && result.err.contains("api/a.json:1:"), "{}", result.err);
    assert!(!folder.path().join("openapi.json").exists());
}
