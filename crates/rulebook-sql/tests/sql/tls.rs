//! Encrypted connections to PostgreSQL.

use std::time::Duration;

use rulebook_sql::SqlKeys;
use serde_json::json;

use crate::databases::{TestApi, method, of_type};

/// Starts an API with a database at an address that ends with these parameters, and returns whether the connection of a
/// call is encrypted. The error is the report of the errors.
fn is_encrypted(address: &str) -> Result<bool, String> {
    let folder = tempfile::tempdir().unwrap();
    let app = json!({ "handlers": { "sql": { "url": address } } });
    let sql = "select ssl as encrypted from pg_stat_ssl where pid = pg_backend_pid()";
    let definition = json!({ "/": { "tls": method(json!({}), json!({ "encrypted": of_type("bool") }),
        json!({ "sql": sql, "missing": "missing" })) } });
    let api = TestApi::start(folder.path(), &app, &definition)?;
    Ok(api.outputs("tls.get", json!({}))["encrypted"].as_bool().unwrap())
}

#[test]
fn connections_are_encrypted_and_the_certificate_is_checked_as_the_address_says() {
    let Some(url) = support::test_server("TEST_POSTGRES_TLS") else { return };
    let authority = std::env::var("TEST_POSTGRES_CA").unwrap();
    let other_name = url.replace("localhost", "127.0.0.1");
    for (address, expected) in [
        (url.clone(), Ok(true)),
        (format!("{url}?sslmode=disable"), Ok(false)),
        (format!("{other_name}?sslmode=require"), Ok(true)),
        (format!("{url}?sslmode=verify-full&sslrootcert={authority}"), Ok(true)),
        (format!("{other_name}?sslmode=verify-full&sslrootcert={authority}"), Err("not valid for name")),
        (format!("{other_name}?sslmode=verify-ca&sslrootcert={authority}"), Err("not valid for name")),
        (format!("{url}?sslmode=verify-full"), Err("UnknownIssuer")),
        (format!("{url}?sslmode=verify-full&sslrootcert=/missing.pem"), Err("No such file")),
    ] {
        match (is_encrypted(&address), expected) {
            (Ok(is_encrypted), Ok(expected)) => assert_eq!(is_encrypted, expected, "{address}"),
            (Err(report), Err(reason)) => assert!(report.contains(reason), "{address}: {report}"),
            (started, _) => panic!("{address}: {started:?}"),
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let keys = |parameters: &str| SqlKeys::open(&format!("{url}?{parameters}"), folder.path(), Duration::ZERO);
    assert!(keys(&format!("sslmode=verify-full&sslrootcert={authority}")).is_ok());
    let error = keys("sslmode=verify-full").unwrap_err().to_string();
    assert!(error.contains("UnknownIssuer"), "{error}");
}
