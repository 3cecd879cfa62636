//! Migrations of databases.

use std::sync::Barrier;
use std::thread;

use rulebook::Rulebook;
use rulebook::handler_kind::{ApplyMigrations, Migrations};
use rulebook::model::Api;
use rulebook_sql::migrate;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::databases::{TestApi, TestDatabase, execute, for_each_database, method, of_type};

fn definition() -> serde_json::Value {
    json!({ "/": { "count": method(json!({}), json!({ "n": of_type("int") }),
        json!({ "sql": "select count(*) as n from thing", "missing": false })) } })
}

fn api(app: &serde_json::Value) -> Api {
    let files =
        vec![("app.json".into(), app.to_string().into()), ("note.json".into(), definition().to_string().into())];
    Rulebook::read(files).check().unwrap()
}

fn all() -> Migrations {
    Migrations { apply: ApplyMigrations::ToAllDatabases, ..Migrations::default() }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn app_of(database: &TestDatabase) -> serde_json::Value {
    json!({ "handlers": { "sql": { "url": database.url, "migrations": database.folder.path().join("migrations") } } })
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
        assert!(error.contains("the migration `1_tables.sql` has changed since it was applied"), "{error}");
        assert!(error.contains("migrations/1_tables.sql"), "{error}");
        // A version control system may write other line endings.
        let path = database.folder.path().join("migrations/2_other.sql");
        for endings in ["\n", "\r\n", "\n"] {
            std::fs::write(&path, format!("create table other{endings}(id integer);{endings}")).unwrap();
            settings(database, "create table thing (id integer);");
            TestApi::migrate(database.folder.path(), &app_of(database), &definition()).unwrap();
        }
    });
}

#[test]
fn a_wrong_migration_is_an_error() {
    for_each_database(|database| {
        let app = settings(database, "create tabel thing (id integer);");
        let Err(error) = TestApi::start(database.folder.path(), &app, &definition()) else { panic!("it started") };
        assert!(error.contains("the migration `1_tables.sql` fails"), "{error}");
        assert!(error.contains("tabel") && error.contains("migrations/1_tables.sql:1:"), "{error}");
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
        runtime()
            .block_on(migrate(&api, &folder, all()))
            .map_err(|errors| errors[0].message.clone())
            .map(|lines| lines.len())
    };
    let results: Vec<_> = thread::scope(|scope| {
        let programs: Vec<_> = (0..PROGRAMS).map(|_| scope.spawn(run)).collect();
        programs.into_iter().map(|program| program.join().unwrap()).collect()
    });
    let applied: Vec<_> = results.iter().filter(|result| **result != Ok(0)).collect();
    assert!(matches!(applied[..], [Ok(_)]), "{:?}: {results:?}", database.kind);
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
        let lines = runtime.block_on(migrate(&api, &folder, all())).unwrap();
        assert!(lines[0].starts_with("main: new, at "), "{}", lines[0]);
        assert_eq!(lines[1], "main: 1_tables.sql");
        assert_eq!(runtime.block_on(migrate(&api, &folder, all())), Ok(Vec::new()));
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
    let errors = runtime().block_on(migrate(&api(&app), database.folder.path(), all())).unwrap_err();
    let app = app.to_string();
    let span = errors[0].span.unwrap();
    assert_eq!(&app[span.start as usize..span.end as usize], "sqlite:missing/a.db");
    assert!(errors[0].message.contains("missing/a.db cannot be used"), "{}", errors[0].message);
}

/// The tables of an author and of its books, with rows, and a table that refers to itself.
const LIBRARY: &str = "create table author (id integer primary key, name text);
    create table book (id integer primary key, author integer references author on delete cascade);
    create table essay (id integer primary key, author integer references author on delete set null);
    create table part (id integer primary key, whole integer references part on delete cascade);
    insert into author values (1, 'Ada'), (2, 'Bob');
    insert into book values (1, 1), (2, 1), (3, 2);
    insert into essay values (1, 1), (2, null);
    insert into part values (1, null), (2, 1), (3, 2);";

/// Counts the books, the essays with an author, the parts and the authors.
const COUNT: &str = "select (select count(*) from book) || ' ' || (select count(author) from essay) || ' ' || \
                     (select count(*) from part) || ' ' || (select count(*) from author) as n";

/// A database of SQLite with the tables of the library.
struct Library {
    database: TestDatabase,
    app: serde_json::Value,
}

impl Library {
    fn new() -> Self {
        let database = TestDatabase::sqlite();
        let app = settings(&database, LIBRARY);
        let library = Self { database, app };
        library.start().unwrap();
        library
    }

    /// Starts the API, which has a method that counts the rows and one that deletes an author.
    fn start(&self) -> Result<TestApi, String> {
        let count = method(json!({}), json!({ "n": of_type("string") }), json!({ "sql": COUNT, "missing": false }));
        let delete = method(json!({}), json!({}), json!({ "sql": "delete from author where id = 1" }));
        let definition = json!({ "/": { "count": count, "delete": delete } });
        TestApi::migrate(self.database.folder.path(), &self.app, &definition)
    }

    /// Replaces the migration 2, and starts the API with it.
    fn migrate(&self, sql: &str) -> Result<TestApi, String> {
        std::fs::write(self.database.folder.path().join("migrations/2_change.sql"), sql).unwrap();
        self.start()
    }
}

/// Returns the statements that replace a table, as the documentation of SQLite describes it.
fn replace_table(table: &str, columns: &str) -> String {
    format!(
        "create table new_{table} ({columns}); insert into new_{table} select * from {table};
         drop table {table}; alter table new_{table} rename to {table};"
    )
}

#[test]
fn a_migration_of_sqlite_that_replaces_a_table_keeps_the_rows_that_refer_to_it() {
    let author = replace_table("author", "id integer primary key, name text not null");
    let part = replace_table("part", "id integer primary key, whole integer references part on delete cascade");
    let pragmas = format!("-- no-transaction\npragma foreign_keys = off;\n{author}\npragma foreign_keys = on;");
    let [comment, line] =
        ["drop /* the old */ table", "drop -- the old\n table"].map(|it| author.replace("drop table", it));
    for sql in [&author, &part, &pragmas, &comment, &line] {
        let library = Library::new();
        let api = library.migrate(sql).unwrap();
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "3 1 3 2" }), "{sql}");
        // The connections of calls have foreign keys.
        api.outputs("delete.get", json!({}));
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "1 0 3 1" }), "{sql}");
        drop(api);
        let api = library.start().unwrap();
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "1 0 3 1" }), "{sql}");
    }
}

#[test]
fn a_migration_of_sqlite_after_which_rows_refer_to_missing_ones_is_undone() {
    let replaced = replace_table("author", "id integer primary key, name text not null");
    let replaced = replaced.replace("from author", "from author where id = 1");
    let deleted = format!("delete from author where id = 2; {}", replace_table("part", "id integer, whole integer"));
    for (sql, expected) in [
        ("drop table author", "row 1 of the table `book` would refer to a row of `"),
        (&*deleted, "row 3 of the table `book` would refer to a row of `"),
        (&*replaced, "row 3 of the table `book` would refer to a row of `"),
        (
            &*replace_table("author", "id integer, name text not null"),
            "the foreign keys of the table `book` would not be valid",
        ),
    ] {
        let library = Library::new();
        let Err(error) = library.migrate(sql) else { panic!("{sql}") };
        assert!(error.contains(expected) && error.contains("author"), "{error}");
        expect_undone(&library, sql);
    }
    let library = Library::new();
    let Err(error) = library.migrate("drop table essay; commit; drop table author; begin") else {
        panic!("it started")
    };
    assert!(error.contains("the migration `2_change.sql` contains `commit`"), "{error}");
    expect_undone(&library, "commit");
}

#[test]
fn a_migration_of_sqlite_that_drops_no_table_runs_with_foreign_keys() {
    for comment in ["", "-- this does not drop table author\n"] {
        let library = Library::new();
        let api = library.migrate(&format!("{comment}delete from author where id = 2")).unwrap();
        assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "2 1 3 1" }));
    }
    let library = Library::new();
    let Err(error) = library.migrate("insert into essay values (7, 9)") else { panic!("it started") };
    assert!(error.contains("FOREIGN KEY constraint failed"), "{error}");
    expect_undone(&library, "insert");
    // Rows that refer to missing ones, and keys that cannot be checked, prevent no other migration.
    let library = Library::new();
    let url = format!("sqlite:{}", library.database.folder.path().join("data/test.db").display());
    execute(
        &url,
        "pragma foreign_keys = off; insert into essay values (8, 99); create table other (name); \
         create table odd (n references other(name))",
    );
    library.migrate("alter table essay rename to text; alter table text rename to essay").unwrap();
    let sql = "create table spare (n); drop table spare";
    std::fs::write(library.database.folder.path().join("migrations/3_odd.sql"), sql).unwrap();
    library.start().unwrap();
}

#[test]
fn migrations_of_sqlite_have_the_same_effect_on_a_new_database_as_one_by_one() {
    let library = Library::new();
    library.migrate("delete from author where id = 2").unwrap();
    let third = library.database.folder.path().join("migrations/3_spare.sql");
    std::fs::write(third, "create table spare (n); drop table spare").unwrap();
    let api = library.start().unwrap();
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "2 1 3 1" }));
    drop(api);
    let fourth = library.database.folder.path().join("migrations/4_more.sql");
    std::fs::write(fourth, "delete from author where id = 1").unwrap();
    let api = library.start().unwrap();
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "0 0 3 0" }));
    drop(api);
    std::fs::remove_dir_all(library.database.folder.path().join("data")).unwrap();
    let api = library.start().unwrap();
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "0 0 3 0" }));
}

/// Checks that a failed migration has changed nothing, and can be corrected.
fn expect_undone(library: &Library, sql: &str) {
    let api = library.migrate("select 1").unwrap();
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "3 1 3 2" }), "{sql}");
    api.outputs("delete.get", json!({}));
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "1 0 3 1" }), "{sql}");
}

#[test]
fn rows_of_sqlite_that_referred_to_missing_ones_before_do_not_prevent_a_migration() {
    let library = Library::new();
    let url = format!("sqlite:{}", library.database.folder.path().join("data/test.db").display());
    execute(&url, "pragma foreign_keys = off; delete from author where id = 2");
    let author = replace_table("author", "id integer primary key, name text not null");
    let api = library.migrate(&author).unwrap();
    assert_eq!(api.outputs("count.get", json!({})), json!({ "n": "3 1 3 1" }));
    drop(api);
    std::fs::write(library.database.folder.path().join("migrations/3_more.sql"), "drop table author").unwrap();
    let Err(error) = library.start() else { panic!("it started") };
    assert!(error.contains("row 1 of the table `book`"), "{error}");
}
