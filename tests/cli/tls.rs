//! Tests of the settings of TLS that contradict each other, in flags and in `app.json`.

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{RunResult, definition_folder, run_program, shop_module};
use crate::server_process::{ServerProcess, free_address};

/// Creates a folder with a small API, whose settings are in the second line of `app.json`.
fn folder_with(app: &Json) -> TempDir {
    let folder = definition_folder(&[("shop.json", shop_module())]);
    let members = app.to_string();
    let text = format!("{{ \"unbound\": \"echo\",\n{}", &members[1..]);
    std::fs::write(folder.path().join("api/app.json"), text).unwrap();
    folder
}

fn serve(app: &Json, arguments: &[&str]) -> RunResult {
    run_program(folder_with(app).path(), &[&["serve", "--bind", "127.0.0.1:0"], arguments].concat())
}

#[test]
fn flags_of_tls_that_have_no_effect_are_wrong_usage() {
    let (certificate, key) = (["--tls-certificate", "a.pem"], ["--tls-key", "a.key"]);
    let pair = [certificate, key].concat();
    let required = ["--tls-client-certificate", "required"];
    for (arguments, expected) in [
        (
            certificate.to_vec(),
            "--tls-certificate names 1 file, and --tls-key no file; name a key for each certificate",
        ),
        (key.to_vec(), "--tls-certificate names no file, and --tls-key 1 file; name a key for each certificate"),
        (
            [&pair[..], &certificate].concat(),
            "--tls-certificate names 2 files, and --tls-key 1 file; name a key for each certificate",
        ),
        (
            required.to_vec(),
            "--tls-client-certificate has no effect without --tls-client-ca; name the file with the authorities of the clients",
        ),
        (
            [&pair[..], &["--tls-client-certificate", "optional"]].concat(),
            "--tls-client-certificate has no effect without --tls-client-ca; name the file with the authorities of the clients",
        ),
        (
            [&required[..], &["--tls-client-ca", "ca.pem"]].concat(),
            "--tls-client-ca has no effect without --tls-certificate; name the certificate of the server, and its key",
        ),
    ] {
        let result = serve(&json!({ "title": "A" }), &arguments);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{arguments:?}: {result:?}");
        assert_eq!(result.stderr, format!("error: {expected}\n"), "{arguments:?}");
    }
}

#[test]
fn settings_of_tls_that_have_no_effect_are_reported_at_their_place() {
    let names = "`tls_certificate` names 1 file, and";
    let without_ca = "`tls_client_certificate` has no effect without `tls_client_ca`";
    for (app, arguments, message, place) in [
        (json!({ "tls_certificate": "../a.pem" }), &[][..], format!("{names} `tls_key` no file"), "../a.pem"),
        (
            json!({ "tls_certificate": "../a.pem" }),
            &["--tls-key", "a.key,b.key"],
            format!("{names} --tls-key 2 files"),
            "../a.pem",
        ),
        (
            json!({ "tls_key": ["a.key"] }),
            &[],
            "`tls_certificate` names no file, and `tls_key` 1 file".to_owned(),
            "a.key",
        ),
        (json!({ "tls_client_certificate": "required" }), &[], without_ca.to_owned(), "required"),
        (
            json!({ "tls_certificate": "a.pem", "tls_key": "a.key", "tls_client_certificate": "optional" }),
            &[],
            without_ca.to_owned(),
            "optional",
        ),
        (
            json!({ "tls_client_ca": "ca.pem", "tls_client_certificate": "required" }),
            &[],
            "`tls_client_ca` has no effect without `tls_certificate`".to_owned(),
            "ca.pem",
        ),
    ] {
        let result = serve(&app, arguments);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""), "{app}: {result:?}");
        // The first line has the brace that is missing in the second one, which begins with the first member.
        let column = app.to_string().find(place).unwrap();
        let expected = format!("error[bad-option]: {message}\n --> api/app.json:2:{column}\n");
        assert!(result.stderr.starts_with(&expected), "{expected} is not in {}", result.stderr);
    }
    // The flag completes the definition, so that the error is the missing file.
    let result =
        serve(&json!({ "tls_certificate": "a.pem" }), &["--tls-key", "a.key", "--bind", "https://127.0.0.1:0"]);
    assert_eq!(result.exit_code, Some(3), "{result:?}");
    assert!(result.stderr.contains("the TLS certificates cannot be used: a.pem: No such file"), "{}", result.stderr);
}

#[test]
fn a_definition_that_accepts_certificates_of_clients_without_tls_causes_a_warning() {
    let mtls = json!({ "clients": { "dns:billing.internal": { "permissions": ["writer"] } } });
    let app = json!({ "auth": { "mtls": mtls } });
    let folder = folder_with(&app);
    let address = free_address();
    let server = ServerProcess::start(folder.path(), &address, &["serve"]);
    let expected = "warning[bad-auth]: `mtls` recognises no client: no address to listen on has TLS\n";
    assert!(server.log().contains(expected) && server.log().contains("api/app.json:2:"), "{}", server.log());
    drop(server);
    for (arguments, reason) in [
        (&["--tls-client-ca", "ca.pem"][..], None),
        (&[], Some("`mtls` recognises no client: `tls_client_ca` is missing\n")),
    ] {
        let pair = ["--bind", "https://127.0.0.1:0", "--tls-certificate", "a.pem", "--tls-key", "a.key"];
        // The server does not start without these files, but prints warnings first.
        let result = serve(&app, &[&pair, arguments].concat());
        assert_eq!(result.exit_code, Some(3), "{result:?}");
        assert_eq!(result.stderr.contains("recognises no client"), reason.is_some(), "{}", result.stderr);
        assert!(reason.is_none_or(|reason| result.stderr.contains(reason)), "{}", result.stderr);
    }
}

#[test]
fn the_case_of_the_scheme_of_an_address_is_ignored() {
    let folder = folder_with(&json!({ "title": "A" }));
    let result = run_program(folder.path(), &["serve", "--bind", "HTTPS://127.0.0.1:0"]);
    assert_eq!(result.exit_code, Some(2), "{result:?}");
    let expected = "error: --bind HTTPS://127.0.0.1:0: an address begins with `https://`, but there is no certificate";
    assert!(result.stderr.starts_with(expected), "{}", result.stderr);
    let address = free_address();
    let server = ServerProcess::start(folder.path(), &address, &["serve", "--bind", "HTTP://127.0.0.1:0"]);
    assert!(server.stdout.contains("listens    http://127.0.0.1:"), "{}", server.stdout);
    let result = run_program(folder.path(), &["serve", "--bind", "https://:8090"]);
    assert_eq!(result.exit_code, Some(2), "{result:?}");
    assert!(result.stderr.contains("expected `address:port`, such as `127.0.0.1:8090`"), "{}", result.stderr);
}
