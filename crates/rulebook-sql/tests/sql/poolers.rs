//! A pooler between a server and PostgreSQL.

use rulebook::handler_kind::{ApplyMigrations, Migrations};
use serde_json::json;

use crate::databases::{TestApi, method, of_type};

#[test]
fn a_pooler_of_sessions_works_and_an_old_one_of_transactions_is_named() {
    let Some(session) = support::test_server("TEST_POOLER_SESSION") else { return };
    let transaction = std::env::var("TEST_POOLER_TRANSACTION").unwrap();
    let direct = std::env::var("TEST_POSTGRES").unwrap().replace("/postgres?", "/pooled?");
    let folder = tempfile::tempdir().unwrap();
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::write(migrations.join("1_note.sql"), "create table note (title text); insert into note values ('a')")
        .unwrap();
    let start = |url: &str, migrations_url: &str| {
        let sql = json!({ "url": url, "migrations_url": migrations_url, "migrations": migrations });
        let app = json!({ "handlers": { "sql": sql } });
        let title = json!({ "title": of_type("string") });
        let get = method(json!({}), title, json!({ "sql": "select title from note", "missing": false }));
        let all = Migrations { apply: ApplyMigrations::ToAllDatabases, ..Migrations::default() };
        TestApi::start_with(folder.path(), &app.to_string(), &json!({ "/": { "note": get } }).to_string(), all)
    };
    for migrations_url in ["", &session, &direct] {
        let api = start(&session, migrations_url).unwrap_or_else(|error| panic!("{migrations_url}: {error}"));
        assert_eq!(api.outputs("note.get", json!({})), json!({ "title": "a" }));
    }
    // The first start leaves its prepared statements in a connection that the next one gets.
    let starts: Vec<_> = (0..3).map(|_| start(&transaction, "").err().unwrap_or_default()).collect();
    let error = starts.concat();
    assert!(error.contains("use PgBouncer from version 1.21"), "{error}");
    let Err(error) = start(&session, "sqlite:other.db") else { panic!("it started") };
    assert!(error.contains("`migrations_url` is not the address of such a server"), "{error}");
}
