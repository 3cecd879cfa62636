//! Tests of the summary that `rulebook serve` prints: the settings that apply, and what servers share.

use serde_json::json;
use tempfile::TempDir;

use super::{definition_folder, folder_with_unbound_service, run_program, shop_folder, shop_module};
use crate::server_process::{ServerProcess, free_address, program};

#[test]
fn the_summary_lists_the_api_the_addresses_and_the_settings() {
    let folder = shop_folder();
    assert_eq!(run_program(folder.path(), &["keys", "add", "--name", "ada"]).exit_code, Some(0));
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve", "--workers", "2"]);
    let expected = format!(
        "Shop 2.0.0\n  definition api\n  serves     1 module, 1 service, 2 methods\n  listens    http://{address}/\n  \
         unbound    echo: every method responds with its checked arguments\n  data       data (1 key)\n  files      data/files\n  \
         static     static (not found: `/` is the built-in page)\n  workers    2\n  log        info,actix=off,actix_server=warn\n"
    );
    assert_eq!(process.stdout, expected);
}

/// Creates a folder with an API that has a method with the option `idempotent`. `storage` is the setting
/// `idempotency_storage`.
fn folder_with_idempotent_method(storage: Option<&str>) -> TempDir {
    let mut app = json!({ "unbound": "501" });
    if let Some(storage) = storage {
        app["idempotency_storage"] = storage.into();
    }
    let folder = folder_with_unbound_service(&app);
    let method = json!({ "info": "Orders", "options": { "idempotent": "required" } });
    let orders = json!({ "/": { "orders": { "POST": method } } });
    std::fs::write(folder.path().join("api/orders.json"), orders.to_string()).unwrap();
    folder
}

#[test]
fn the_summary_lists_what_servers_share() {
    let arguments = ["serve", "--shared-limits", "redis://ada:hunter2@127.0.0.1:1"];
    let expected = "\n  shared     limits; not keys, files, download links, idempotency keys\n";
    // A file of SQLite is not shared, even if its address is in a variable.
    for storage in [None, Some("${IDEMPOTENCY_URL:-sqlite:keys.db}")] {
        let folder = folder_with_idempotent_method(storage);
        let process = ServerProcess::start(folder.path(), &free_address(), &arguments);
        assert!(process.stdout.ends_with(expected), "{storage:?}: {}", process.stdout);
    }
}

/// Runs with the database of `tests/external/databases`.
#[test]
fn the_summary_lists_keys_and_idempotency_keys_in_a_database_as_shared() {
    let Some(url) = support::test_server("TEST_POSTGRES") else { return };
    let folder = folder_with_idempotent_method(Some("${TEST_POSTGRES}"));
    let mut command = program(folder.path());
    // Servers that share keys need the same pepper.
    command.args(["serve", "--key-storage", &url]).env("RULEBOOK_PEPPER", "the same secret of at least 32 characters");
    let process = ServerProcess::run(&mut command, folder.path(), &free_address());
    let expected = "\n  shared     keys, idempotency keys; not limits, files, download links\n";
    assert!(process.stdout.ends_with(expected), "{}", process.stdout);
}

#[test]
fn errors_of_the_storage_of_idempotency_keys_name_the_setting_with_the_address() {
    for (url, flag, exit_code, expected) in [
        (Some("${NO_SUCH_VARIABLE}"), None, 2, "`idempotency_storage` in app.json: the environment variable"),
        (Some("${URL:-ftp:}"), None, 2, "`idempotency_storage` in app.json: the database of the idempotency keys:"),
        (Some("sqlite:keys.db"), Some("ftp:"), 2, "--idempotency-storage: the database of the idempotency keys:"),
        (None, None, 3, "--data data: "),
    ] {
        let folder = folder_with_idempotent_method(url);
        // The file cannot be opened.
        std::fs::create_dir_all(folder.path().join("data/idempotency.db")).unwrap();
        let mut arguments = vec!["serve", "--bind", "127.0.0.1:0"];
        arguments.extend(flag.into_iter().flat_map(|url| ["--idempotency-storage", url]));
        let result = run_program(folder.path(), &arguments);
        assert_eq!(result.exit_code, Some(exit_code), "{result:?}");
        assert!(result.stderr.contains(expected), "{expected}: {}", result.stderr);
    }
}

#[test]
fn servers_that_share_a_folder_share_its_data() {
    let folder = definition_folder(&[("app.json", json!({ "unbound": "echo" })), ("shop.json", shop_module())]);
    let process = ServerProcess::start(folder.path(), &free_address(), &["serve", "--share-data"]);
    let expected = "\n  shared     keys, files, download links; not limits\n";
    assert!(process.stdout.ends_with(expected), "{}", process.stdout);
}

#[test]
fn the_summary_contains_no_control_characters() {
    let folder =
        folder_with_unbound_service(&json!({ "unbound": "echo", "title": "T\u{1b}]0;x\u{7}", "data": "d\u{9b}31m" }));
    let text = ServerProcess::start(folder.path(), &free_address(), &["serve"]).stdout.clone();
    assert!(text.starts_with("T\u{fffd}]0;x\u{fffd} ") && text.contains("d\u{fffd}31m"), "{text:?}");
    assert!(!text.contains(|char: char| char.is_control() && char != '\n'), "{text:?}");
}
