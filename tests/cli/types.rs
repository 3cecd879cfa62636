//! Tests of `rulebook types`, which prints TypeScript declarations or a Python client of a definition or of a server's
//! API, or the types of handlers.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{run_program, shop_folder};
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address};
use support::golden;

#[test]
fn declarations_of_a_server_equal_those_of_its_definition() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["types"]);
    assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""));
    assert!(printed.stdout.contains("export interface Api "), "{}", printed.stdout);
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let response = Connection::open(address.parse().unwrap()).send(&Request::new("GET", "/docs/api.d.ts"));
    assert_eq!((response.status, response.field("content-type")), (200, Some("text/plain; charset=utf-8")));
    assert_eq!(String::from_utf8(response.body).unwrap(), printed.stdout);
    let again = Connection::open(address.parse().unwrap())
        .send(&Request::new("GET", "/docs/api.d.ts").field("if-none-match", response_tag(&response.head)));
    assert_eq!(again.status, 304);

    // The machine that fetches the declarations does not have the definition.
    let elsewhere = TempDir::new().unwrap();
    for url in [format!("http://{address}"), format!("http://{address}/")] {
        let fetched = run_program(elsewhere.path(), &["types", "--from", &url]);
        assert_eq!((fetched.exit_code, fetched.stderr.as_str()), (Some(0), ""));
        assert_eq!(fetched.stdout, printed.stdout);
    }
    let url = format!("http://{address}");
    let written = run_program(elsewhere.path(), &["types", "--from", &url, "--output", "api.d.ts"]);
    assert_eq!((written.exit_code, written.stdout.as_str()), (Some(0), ""));
    assert_eq!(fs::read_to_string(elsewhere.path().join("api.d.ts")).unwrap(), printed.stdout);
}

/// Returns the entity tag in the head of a response.
fn response_tag(head: &str) -> &str {
    let line = head.lines().find(|line| line.to_lowercase().starts_with("etag:")).unwrap();
    line.split_once(':').unwrap().1.trim()
}

#[test]
fn a_server_without_declarations_is_an_error() {
    let folder = shop_folder();
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let fetch = |url: &str| run_program(folder.path(), &["types", "--retries", "0", "--from", url]);
    let missing = fetch(&format!("http://{address}/nothing"));
    assert_eq!((missing.exit_code, missing.stdout.as_str()), (Some(1), ""));
    assert!(missing.stderr.contains("404"), "{}", missing.stderr);
    let absent = fetch(&format!("http://{}", free_address()));
    assert_eq!(absent.exit_code, Some(3));
    assert!(absent.stderr.starts_with("error: the connection failed: "), "{}", absent.stderr);
    assert_eq!(fetch("shop.example").exit_code, Some(2));
}

#[test]
fn python_client_of_a_server_equals_that_of_its_definition() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["types", "--lang", "python"]);
    assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""));
    assert!(printed.stdout.contains("class Api:"), "{}", printed.stdout);
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let elsewhere = TempDir::new().unwrap();
    let fetch = |url: &str| {
        let arguments = ["types", "--lang", "python", "--unbound", "echo", "--retries", "0", "--from", url];
        run_program(elsewhere.path(), &arguments)
    };
    let fetched = fetch(&format!("http://{address}"));
    assert_eq!((fetched.exit_code, fetched.stderr.as_str()), (Some(0), ""));
    assert_eq!(fetched.stdout, printed.stdout);
    let missing = fetch(&format!("http://{address}/nothing"));
    assert_eq!((missing.exit_code, missing.stdout.as_str()), (Some(1), ""));
    assert!(missing.stderr.contains("404"), "{}", missing.stderr);
    assert_eq!(run_program(elsewhere.path(), &["types", "--lang", "cobol"]).exit_code, Some(2));
}

#[test]
fn rust_types_of_a_server_equal_those_of_its_definition() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["types", "--lang", "rust"]);
    assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""));
    assert!(printed.stdout.contains("pub struct "), "{}", printed.stdout);
    assert!(!printed.stdout.contains("rulebook::"), "the types need only serde: {}", printed.stdout);
    let address = free_address();
    let _served = ServerProcess::start(folder.path(), &address, &[]);
    let elsewhere = TempDir::new().unwrap();
    let fetched = run_program(elsewhere.path(), &["types", "--lang", "rust", "--from", &format!("http://{address}")]);
    assert_eq!((fetched.exit_code, fetched.stdout), (Some(0), printed.stdout), "{}", fetched.stderr);
}

#[test]
fn the_types_of_handlers_equal_the_golden_files() {
    let folder = Path::new("tests/handler_types");
    let api = fs::canonicalize(folder.join("api")).unwrap();
    let elsewhere = TempDir::new().unwrap();
    for (language, kept) in [("python", "handlers.py"), ("typescript", "handlers.d.ts")] {
        let arguments = ["types", "--handlers", "--lang", language, "--api", api.to_str().unwrap()];
        let printed = run_program(elsewhere.path(), &arguments);
        assert_eq!((printed.exit_code, printed.stderr.as_str()), (Some(0), ""));
        golden::compare(&folder.join(kept), &printed.stdout);
    }
}

#[test]
fn types_of_handlers_need_handlers_in_processes() {
    let folder = shop_folder();
    let printed = run_program(folder.path(), &["types", "--handlers"]);
    assert_eq!((printed.exit_code, printed.stdout.as_str()), (Some(2), ""));
    assert!(printed.stderr.contains("no method has a handler of the kind `process`"), "{}", printed.stderr);
    assert_eq!(run_program(folder.path(), &["types", "--handlers", "--from", "http://x"]).exit_code, Some(2));
}
