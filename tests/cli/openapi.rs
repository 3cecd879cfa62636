//! Tests of `rulebook openapi`, which prints the OpenAPI document or writes it to a file.

use std::fs;

use serde_json::{Value as Json, json};

use super::{definition_folder, run_program, shop_folder, shop_module};
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};

#[test]
fn the_printed_document_equals_the_served_document() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["openapi"]);
    assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""));
    let document: Json = serde_json::from_str(&printed.stdout).unwrap();
    assert_eq!((&document["info"]["title"], &document["info"]["version"]), (&json!("Shop"), &json!("2.0.0")));
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let response = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/openapi.json"));
    assert_eq!(response.json(), document);
}

#[test]
fn the_printed_document_lists_the_security_schemes_in_the_order_of_the_served_document() {
    let (basic, mtls) = (json!({ "users": "users.htpasswd" }), json!({ "clients": { "dns:a.example": {} } }));
    // The program has an authenticator of its own, which has the scheme `bearer`.
    for (auth, expected) in [
        (json!({ "keys": {}, "basic": basic }), &["bearer", "basic"][..]),
        (json!({ "mtls": mtls, "basic": basic, "keys": {} }), &["bearer", "certificate", "basic"]),
        (json!({ "basic": basic }), &["bearer", "basic"]),
    ] {
        let app = json!({ "unbound": "echo", "auth": auth });
        let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
        fs::write(folder.path().join("users.htpasswd"), "").unwrap();
        let printed = run_program(folder.path(), &["openapi"]);
        let document: Json = serde_json::from_str(&printed.stdout).unwrap_or_else(|_| panic!("{}", printed.stderr));
        let requirements = document["paths"]["/article"]["post"]["security"].as_array().unwrap();
        let names = requirements.iter().flat_map(|requirement| requirement.as_object().unwrap().keys());
        assert_eq!(names.take(expected.len()).collect::<Vec<_>>(), expected, "{auth}");
        let address = free_address();
        let _served = ServerProcess::start(folder.path(), &address, &[]);
        let response = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/openapi.json"));
        assert_eq!(response.json(), document, "{auth}");
    }
}

#[test]
fn the_printed_document_of_a_module_equals_the_served_document() {
    let folder = shop_folder();
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let process = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/openapi.json?module=shop"));
    let printed = run_program(folder.path(), &["openapi", "--module", "shop"]);
    assert_eq!((printed.exit_code, printed.stdout), (Some(0), String::from_utf8(process.body).unwrap()));
    let lean = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/openapi.json?module=shop&lean"));
    let printed = run_program(folder.path(), &["openapi", "--module", "shop", "--lean"]);
    assert_eq!((printed.exit_code, printed.stdout), (Some(0), String::from_utf8(lean.body).unwrap()));
    let near = run_program(folder.path(), &["openapi", "--module", "shpo"]);
    assert_eq!((near.exit_code, near.stdout.as_str()), (Some(2), ""));
    assert_eq!(near.stderr, "error: --module shpo: there is no module of this name; did you mean `shop`?\n");
}

#[test]
fn the_document_is_printed_for_the_chosen_version_of_openapi() {
    let folder = shop_folder();
    let version = |arguments: &[&str]| {
        let printed = run_program(folder.path(), &[&["openapi"], arguments].concat());
        assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        let document: Json = serde_json::from_str(&printed.stdout).unwrap();
        document["openapi"].as_str().unwrap().to_owned()
    };
    assert_eq!(version(&[]), version(&["--as", "3.1"]));
    for (name, full) in [("3.0", "3.0.3"), ("3.1", "3.1.0"), ("3.2", "3.2.0")] {
        assert_eq!(version(&["--as", name]), full);
        assert_eq!(version(&["--as", name, "--module", "shop"]), full);
    }
    let unknown = run_program(folder.path(), &["openapi", "--as", "2.0"]);
    assert_eq!((unknown.exit_code, unknown.stdout.as_str()), (Some(2), ""));
    assert!(unknown.stderr.contains("3.0, 3.1, 3.2"), "{}", unknown.stderr);
}

#[test]
fn the_printed_documents_describe_the_server_with_the_same_settings() {
    let app = json!({ "title": "Shop", "version": "2.0.0" });
    let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
    for (command, output) in [("openapi", "\"args\""), ("types", "args:")] {
        for (arguments, is_shown) in [(&[command][..], false), (&[command, "--unbound", "echo"], true)] {
            let printed = run_program(folder.path(), arguments);
            assert_eq!((printed.exit_code, printed.stdout.contains(output)), (Some(0), is_shown), "{arguments:?}");
        }
    }
}

#[test]
fn an_existing_output_file_is_replaced() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["openapi"]).stdout;
    let file = folder.path().join("openapi.json");
    for before in [None, Some("longer than the document".repeat(2000))] {
        if let Some(text) = before {
            fs::write(&file, text).unwrap();
        }
        let result = run_program(folder.path(), &["openapi", "--output", "openapi.json"]);
        assert_eq!((result.exit_code, result.stdout.as_str(), result.stderr.as_str()), (Some(0), "", ""));
        assert_eq!(fs::read_to_string(&file).unwrap(), printed);
    }
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "the definition and the document; no temporary files");
}

#[test]
#[cfg(unix)]
fn an_output_path_that_is_a_link_is_followed_and_the_file_has_default_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = shop_folder();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("new"), "").unwrap();
    fs::create_dir(path("docs")).unwrap();
    symlink("docs/openapi.json", path("link")).unwrap();
    fs::write(path("docs/openapi.json"), "").unwrap();
    assert_eq!(run_program(folder.path(), &["openapi", "--output", "link"]).exit_code, Some(0));
    assert!(path("link").is_symlink() && fs::metadata(path("docs/openapi.json")).unwrap().len() > 0);
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("docs/openapi.json"), mode("new"));
}

#[test]
fn an_output_file_that_cannot_be_written_is_reported() {
    let folder = shop_folder();
    for file in ["no/such/folder.json", "api", "api/shop.json/x", "/dev/null"] {
        let result = run_program(folder.path(), &["openapi", "--output", file]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{file}");
        assert!(result.stderr.starts_with(&format!("error: --output {file}: ")), "{}", result.stderr);
    }
}

#[test]
fn no_document_is_written_for_an_invalid_definition() {
    let folder = definition_folder(&[("a.json", json!({ "/": { "a": { "GET": { "inof": "A" } } } }))]);
    let result = run_program(folder.path(), &["openapi", "--output", "openapi.json"]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""));
    assert!(
        result.stderr.contains("error[unknown-key]") && result.stderr.contains("api/a.json:1:"),
        "{}",
        result.stderr
    );
    assert!(!folder.path().join("openapi.json").exists());
}
