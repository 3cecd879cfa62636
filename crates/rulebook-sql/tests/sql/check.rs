//! The check of statements without the database of the definition.

use std::time::Duration;

use rulebook::handler_kind::CheckContext;
use serde_json::{Value as Json, json};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection};

use crate::databases::{Kind, TestDatabase, check_definition, for_each_database, method, of_type, runtime};
use crate::waiting::wait_until;

/// Checks an API with a statement and a migration, with the server of a database. Returns the warnings or the errors.
fn check(database: &TestDatabase, sql: &str, migration: &str, has_server: bool) -> Result<String, String> {
    // The address of the definition is not used.
    let url = database.pick(["sqlite:data.db", "postgres://nowhere.invalid/shop", "mysql://nowhere.invalid/shop"]);
    let app = json!({ "handlers": { "sql": { "url": url, "migrations": database.write_migration(migration) } } });
    let handler = json!({ "sql": sql, "missing": "missing" });
    let definition: Json =
        json!({ "/": { "note": method(json!({}), json!({ "title": of_type("string") }), handler) } });
    let folder = tempfile::tempdir().unwrap();
    let servers = if has_server { vec![database.url.clone()] } else { Vec::new() };
    let context = CheckContext { folder: folder.path(), databases: &servers };
    check_definition(database.folder.path(), &app, &definition, context)
}

const MIGRATION: &str = "create table note (id integer primary key, title varchar(20) not null)";

/// Returns the number of databases of checks on a server.
fn count_databases(database: &TestDatabase) -> i64 {
    let sql = database.pick([
        "select 0",
        "select count(*) from pg_database where datname like 'rulebook_check_%'",
        "select count(*) from information_schema.schemata where schema_name like 'rulebook_check_%'",
    ]);
    if database.kind == Kind::Sqlite {
        return 0;
    }
    install_default_drivers();
    let count = async {
        let mut connection = AnyConnection::connect(&database.url).await?;
        sqlx::query_scalar(sql).fetch_one(&mut connection).await
    };
    runtime().block_on(count).unwrap()
}

#[test]
fn statements_are_prepared_with_the_tables_of_the_migrations() {
    for_each_database(|database| {
        assert_eq!(check(database, "select title from note", MIGRATION, true).as_deref(), Ok(""));
        let error = check(database, "select titel as title from note", MIGRATION, true).unwrap_err();
        assert!(error.contains("the database rejects the statement") && error.contains("titel"), "{error}");
        let error = check(database, "select title from note", "create tabel note (id integer)", true).unwrap_err();
        assert!(error.contains("the migration `1_tables.sql` fails") && error.contains("1_tables.sql:1:"), "{error}");
        if database.kind == Kind::Postgres {
            let migration = format!("create extension no_such_extension; {MIGRATION}");
            let warning = check(database, "select title from note", &migration, true).unwrap();
            assert!(
                warning.contains("are not checked: the migration `1_tables.sql` fails")
                    && warning.contains("no_such_extension")
            );
        }
        // Checks of other tests create databases, too.
        wait_until(Duration::from_secs(60), || count_databases(database) == 0);
        assert!(!database.folder.path().join("data").exists());
    });
}

#[test]
fn what_cannot_be_checked_is_a_warning() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let warning = check(database, "select titel from note", MIGRATION, false).unwrap();
        assert!(warning.contains("are not checked: they need a database server"), "{warning}");
        assert!(warning.contains("rulebook check --database URL"), "{warning}");
    });
}

#[test]
fn an_address_at_which_no_database_can_be_created_is_an_error() {
    for_each_database(|database| {
        if database.kind == Kind::Sqlite {
            return;
        }
        let mut unreachable = TestDatabase::sqlite();
        unreachable.kind = database.kind;
        unreachable.url =
            database.pick(["", "postgres://ada:hunter2@127.0.0.1:1/x", "mysql://ada:hunter2@127.0.0.1:1/x"]).to_owned();
        let error = check(&unreachable, "select title from note", MIGRATION, true).unwrap_err();
        assert!(error.contains("no database can be created at the address of `--database`"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    });
}
