//! Tests of environment variables in the settings: they are replaced in every text of `app.json`, and their values are
//! shown to clients only where clients see the setting.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::{RunResult, definition_folder, run_program, shop_module};
use crate::server_process::program;

/// Runs the program with this value of the environment variable `SHOP_VALUE`.
fn run_with_value(folder: &Path, arguments: &[&str], value: &str) -> RunResult {
    program(folder).args(arguments).env("SHOP_VALUE", value).output().unwrap().into()
}

fn folder_with_settings(app: &Json) -> tempfile::TempDir {
    let mut settings = json!({ "unbound": "501" });
    settings.as_object_mut().unwrap().extend(app.as_object().unwrap().clone());
    definition_folder(&[("app.json", settings), ("shop.json", shop_module())])
}

#[test]
fn documents_contain_the_values_and_the_canonical_definition_contains_the_names() {
    let app = json!({
        "title": "Shop of ${SHOP_VALUE}",
        "version": "${NO_SUCH_VARIABLE:-2.0.0}",
        "info": "Written as `$${SHOP_VALUE}`",
        "contact": { "name": "${SHOP_VALUE}" },
        "servers": [{ "url": "https://${SHOP_VALUE}.example/a", "info": "The one of ${SHOP_VALUE}" }],
        "cors": { "origins": ["https://${SHOP_VALUE}.example"] }
    });
    let folder = folder_with_settings(&app);
    let document = run_with_value(folder.path(), &["openapi"], "ada");
    let document: Json = serde_json::from_str(&document.stdout).unwrap();
    assert_eq!(document["info"]["title"], "Shop of ada");
    assert_eq!(document["info"]["version"], "2.0.0");
    assert_eq!(document["info"]["description"], "Written as `${SHOP_VALUE}`");
    assert_eq!(document["info"]["contact"]["name"], "ada");
    assert_eq!(document["servers"][0], json!({ "url": "https://ada.example/a", "description": "The one of ada" }));
    let printed = run_with_value(folder.path(), &["check", "--print"], "ada");
    let printed: Json = serde_json::from_str(&printed.stdout).unwrap();
    for (key, value) in app.as_object().unwrap() {
        assert_eq!(printed[key], *value, "{key}");
    }
}

#[test]
fn variables_that_are_not_set_are_warnings_of_check_and_errors_of_serve() {
    let text = "${NO_SUCH_VARIABLE}";
    let cases: [(Json, &[&str]); 13] = [
        (json!({ "title": text }), &[]),
        (json!({ "contact": { "email": text } }), &[]),
        (json!({ "servers": [{ "url": text }] }), &[]),
        (json!({ "base": text }), &[]),
        (json!({ "unknown": text }), &[]),
        (json!({ "timezone": text }), &[]),
        (json!({ "envelope": text }), &[]),
        (json!({ "cors": { "origins": [text] } }), &[]),
        (json!({ "bind": text }), &["--bind", "127.0.0.1:0"]),
        (json!({ "data": text }), &["--data", "other"]),
        (json!({ "log": text }), &["--log", "info"]),
        (json!({ "trusted_proxies": [text] }), &["--trusted-proxies", "127.0.0.1"]),
        (json!({ "tls_certificate": text, "tls_key": text }), &["--tls-certificate", "a", "--tls-key", "b"]),
    ];
    for (app, replacement) in cases {
        let folder = folder_with_settings(&app);
        let message = "the environment variable `NO_SUCH_VARIABLE` is not set";
        let checked = run_program(folder.path(), &["check"]);
        assert_eq!(checked.exit_code, Some(0), "{app}: {checked:?}");
        assert!(checked.stderr.contains(&format!("warning[bad-option]: {message}")), "{app}: {checked:?}");
        let served = run_program(folder.path(), &["serve"]);
        assert_eq!((served.exit_code, served.stdout.as_str()), (Some(1), ""), "{app}: {served:?}");
        assert!(served.stderr.contains(&format!("error[bad-option]: {message}")), "{app}: {served:?}");
        assert!(!folder.path().join("data").exists(), "{app}");
        if !replacement.is_empty() {
            let replaced = run_program(folder.path(), &[&["check"], replacement].concat());
            assert_eq!((replaced.exit_code, replaced.stderr.as_str()), (Some(0), ""), "{app}");
        }
    }
}

#[test]
fn errors_never_contain_the_value_of_a_variable() {
    let text = "${SHOP_VALUE}";
    let method_with_sql = json!({ "/": { "note": { "GET": {
        "info": "A note",
        "out": { "id": { "info": "Its id", "type": "int" } },
        "handler": { "sql": "select 1 as id" }
    } } } });
    let sql = |settings: Json| json!({ "handlers": { "sql": settings } });
    let jwt = |key: &str| {
        let mut settings = json!({ "issuer": "a", "audience": "b", "permissions": "x", "jwks": "keys.json" });
        settings[key] = json!([text]);
        json!({ "auth": { "jwt": settings } })
    };
    let cases = [
        json!({ "base": text }),
        json!({ "envelope": text }),
        json!({ "catalogue": text }),
        json!({ "unknown": text }),
        json!({ "timezone": text }),
        json!({ "service": { "on": true, "entry": text } }),
        json!({ "bind": text }),
        json!({ "files": format!("s3://{text}") }),
        json!({ "log": format!("{text}=loud") }),
        json!({ "trusted_proxies": [text] }),
        json!({ "cors": { "origins": [text] } }),
        json!({ "cors": { "origins": ["*"], "headers": [text] } }),
        sql(json!({ "url": text })),
        sql(json!({ "url": "sqlite:a.db", "timeout": text })),
        json!({ "handlers": { "default": { text: text } } }),
        jwt("algorithms"),
        jwt("permissions"),
    ];
    for app in cases {
        let folder = folder_with_settings(&app);
        std::fs::write(folder.path().join("api/note.json"), method_with_sql.to_string()).unwrap();
        let result = run_with_value(folder.path(), &["check"], "hunter2 \"::\u{1b}");
        assert_eq!(result.exit_code, Some(1), "{app}: {result:?}");
        assert!(!result.stdout.contains("hunter2"), "{app}: {}", result.stdout);
        assert!(result.stdout.contains("api/app.json:1:"), "{app}: {}", result.stdout);
    }
}
