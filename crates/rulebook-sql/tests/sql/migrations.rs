//! Migrations of databases.

use std::sync::Barrier;
use std::thread;

use rulebook::Rulebook;
use rulebook::model::Api;
use rulebook_sql::migrate;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::databases::{TestApi, TestDatabase, for_each_database, method, of_type};

fn definition() -> serde_json::Value {
    json!({ "/": { "count": method(json!({}), json!({ "n": of_type("int") }),
        json!({ "sql": "select count(*) as n from thing", "missing": false })) } })
}

fn api(app: &serde_json::Value) -> Api {
    let files =
        vec![("app.json".into(), app.to_string().into()), ("note.json".into(), definition().to_string().into())];
    Rulebook::read(files).check().unwrap()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
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

/// Applies five migrations, each of which inserts a row, in six programs at the same time.
fn migrate_concurrently(database: &TestDatabase) {
    const PROGRAMS: usize = 6;
    let app = settings(database, "create table thing (id integer); insert into thing values (1);");
    for number in 2..=5 {
        let sql = format!("create table thing{number} (id integer); insert into thing values ({number});");
        std::fs::write(database.folder.path().join(format!("migrations/{number}_thing.sql")), sql).unwrap();
    }
    let (barrier, folder) = (Barrier::new(PROGRAMS), database.folder.path().join("data"));
    std::fs::create_dir_all(&folder).unwrap();
    let run = || {
        let api = api(&app);
        barrier.wait();
        runtime().block_on(migrate(&api, &folder)).map_err(|errors| errors[0].message.clone())
    };
    let results: Vec<_> = thread::scope(|scope| {
        let programs: Vec<_> = (0..PROGRAMS).map(|_| scope.spawn(run)).collect();
        programs.into_iter().map(|program| program.join().unwrap()).collect()
    });
    assert_eq!(results, vec![Ok(vec!["main".to_owned()]); PROGRAMS], "{:?}", database.kind);
    let api = TestApi::start(database.folder.path(), &app, &definition()).unwrap();
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": 5 }), "{:?}", database.kind);
}

#[test]
fn programs_that_migrate_at_the_same_time_all_succeed_and_apply_each_migration_once() {
    for_each_database(migrate_concurrently);
}

#[test]
fn a_program_can_run_the_migrations_alone() {
    for_each_database(|database| {
        let app = settings(database, "create table thing (id integer);");
        let (api, runtime) = (api(&app), runtime());
        let folder = database.folder.path().join("data");
        std::fs::create_dir_all(&folder).unwrap();
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
    let app = json!({ "handlers": { "sql": { "migrations": migrations, "url": "sqlite:missing/a.db" } } });
    let errors = runtime().block_on(migrate(&api(&app), database.folder.path())).unwrap_err();
    let app = app.to_string();
    let span = errors[0].span.unwrap();
    assert_eq!(&app[span.start as usize..span.end as usize], "sqlite:missing/a.db");
    assert!(errors[0].message.contains("the database `main` cannot be used"), "{}", errors[0].message);
}
