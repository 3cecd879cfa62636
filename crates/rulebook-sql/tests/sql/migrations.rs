//! Migrations of databases.

use rulebook::Rulebook;
use rulebook_sql::migrate;
use serde_json::json;

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

fn definition() -> serde_json::Value {
    json!({ "/": { "count": method(json!({}), json!({ "n": of_type("int") }),
        json!({ "sql": "select count(*) as n from thing", "missing": false })) } })
}

fn settings(database: &TestDatabase, sql: &str) -> serde_json::Value {
    json!({ "handlers": { "sql": { "url": database.url, "migrations": database.write_migration(sql) } } })
}

#[test]
fn migrations_run_once_at_the_start() {
    for_each_database(|database| {
        let app = settings(database, "create table thing (id integer); insert into thing values (1);");
        for _ in 0..2 {
            let api = TestApi::start(database.folder.path(), &app, &definition()).unwrap();
            assert_eq!(api.outputs("count.get", json!({})), json!({ "n": 1 }));
        }
    });
}

#[test]
fn a_changed_migration_is_an_error() {
    for_each_database(|database| {
        let app = settings(database, "create table thing (id integer);");
        TestApi::start(database.folder.path(), &app, &definition()).unwrap();
        let app = settings(database, "create table thing (id integer, name text);");
        let Err(error) = TestApi::start(database.folder.path(), &app, &definition()) else { panic!("it started") };
        assert!(error.contains("migration 1 was previously applied but has been modified"), "{error}");
        assert!(error.contains("migrations/1_tables.sql"), "{error}");
    });
}

#[test]
fn a_wrong_migration_is_an_error() {
    for_each_database(|database| {
        let app = settings(database, "create tabel thing (id integer);");
        let Err(error) = TestApi::start(database.folder.path(), &app, &definition()) else { panic!("it started") };
        assert!(error.contains("the migrations of the database `main`"), "{error}");
        assert!(error.contains("tabel") && error.contains("migrations/1_tables.sql"), "{error}");
    });
}

#[test]
fn a_program_can_run_the_migrations_alone() {
    for_each_database(|database| {
        let app = settings(database, "create table thing (id integer);");
        let files =
            vec![("app.json".into(), app.to_string().into()), ("note.json".into(), definition().to_string().into())];
        let api = Rulebook::read(files).check().unwrap();
        let folder = database.folder.path().join("data");
        std::fs::create_dir_all(&folder).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for _ in 0..2 {
            assert_eq!(runtime.block_on(migrate(&api, &folder)), Ok(vec!["main".to_owned()]));
        }
        let app = json!({ "handlers": { "sql": { "url": database.url } } });
        let api = TestApi::start(database.folder.path(), &app, &definition()).unwrap();
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": 0 }));
    });
}

#[test]
fn a_database_that_cannot_be_opened_is_reported_at_its_address() {
    let database = TestDatabase::sqlite();
    let migrations = database.write_migration("create table thing (id integer);");
    let app = json!({ "handlers": { "sql": { "migrations": migrations, "url": "sqlite:missing/a.db" } } }).to_string();
    let files = vec![("app.json".into(), app.clone().into()), ("note.json".into(), definition().to_string().into())];
    let api = Rulebook::read(files).check().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let errors = runtime.block_on(migrate(&api, database.folder.path())).unwrap_err();
    let span = errors[0].span.unwrap();
    assert_eq!(&app[span.start as usize..span.end as usize], "sqlite:missing/a.db");
    assert!(errors[0].message.contains("the database `main` cannot be used"), "{}", errors[0].message);
}
