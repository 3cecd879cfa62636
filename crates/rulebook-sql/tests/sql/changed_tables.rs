//! Changes of the tables while an API runs, as in an upgrade of several servers one after the other.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use futures_util::StreamExt;
use rulebook::handler_kind::{ApplyMigrations, HandlerError, Migrations};
use rulebook::model::Api;

use rulebook::{Content, Response, Rulebook};
use rulebook_sql::migrate;
use serde_json::{Value as Json, json};
use tokio::runtime::{Builder, Runtime};

use crate::databases::{Kind, POSTGRES, TestApi, TestDatabase, execute, for_each_database, method, of_type};
use crate::waiting::{WAIT, wait_until};

/// The connections of the API under load.
const POOL: u32 = 4;

const CODE: &str = "6f0f6f4e-6a3c-4d0e-9a53-3a7d9a3c1f10";

const TABLES: [&str; 3] = [
    "create table thing (id integer primary key, title varchar(20), n int, tag text, code text, note text);
     create table entry (id integer primary key, n int);
     create table file (content text, name varchar(20));",
    "create type color as enum ('red', 'blue');
     create table thing (id integer primary key, title varchar(20), n int, tag color, code text, note text);
     create table entry (id serial primary key, n int);
     create table file (content text, name varchar(20));",
    "create table thing (id integer primary key, title varchar(20), n int, tag enum('red', 'blue'), code varchar(36),
         note text);
     create table entry (id integer auto_increment primary key, n int);
     create table file (content text, name varchar(20));",
];

/// Changes for SQLite, PostgreSQL and MariaDB.
const CHANGES: [[&str; 3]; 5] = [
    [
        "alter table thing add column first_new int",
        "alter table thing alter column title type varchar(50)",
        "alter table thing modify column title varchar(50)",
    ],
    [
        "alter table entry add column new int",
        "alter table thing alter column n type bigint; alter table entry alter column n type bigint",
        "alter table thing modify column n bigint; alter table entry modify column n bigint",
    ],
    [
        "alter table thing add column new text default 'x'; alter table entry add column other text default 'x'",
        "alter table thing add column new text default 'x'; alter table entry add column new text default 'x'",
        "alter table thing add column new text default 'x'; alter table entry add column new text default 'x'",
    ],
    // The order of the columns, and a type that is made anew.
    [
        "create table other (new int, code text, tag text, title text, n int, note text, id integer primary key);
         insert into other (id, title, n, tag, code) select id, title, n, tag, code from thing;
         drop table thing; alter table other rename to thing",
        "alter type color rename to old_color; create type color as enum ('red', 'green', 'blue');
         alter table thing alter column tag type color using tag::text::color; drop type old_color",
        "alter table thing add column front int default 7 first, modify column title varchar(60) after n;
         alter table entry add column front int default 7 first",
    ],
    [
        "create index thing_code on thing (code)",
        "alter table thing alter column code type uuid using code::uuid",
        "alter table thing modify column code uuid",
    ],
];

fn definition(database: &TestDatabase) -> Json {
    let with_id = || json!({ "GET@id": of_type("int") });
    let download = |input: Json, handler: Json| {
        let mut method = method(input, json!({}), handler);
        method["GET"]["options"] = json!({ "download": true });
        method
    };
    let row = json!({ "id": of_type("int"), "title": of_type("string"), "n": of_type("int"), "tag": of_type("string"),
        "code": of_type("string"), "note": of_type("?string"), "never": of_type("?int") });
    let entry = if database.kind == Kind::Mariadb {
        "insert into entry (n) values (:n) returning id, n"
    } else {
        "insert into entry (n) values (:n) returning *"
    };
    json!({ "/": {
        "title": method(with_id(), json!({ "title": of_type("string") }),
            json!({ "sql": "select title from thing where id = :id", "missing": "missing" })),
        "number": method(with_id(), json!({ "n": of_type("int") }),
            json!({ "sql": "select n from thing where id = :id", "missing": "missing" })),
        "row": method(with_id(), row, json!({ "sql": "select * from thing where id = :id", "missing": "missing" })),
        "count": method(json!({ "GET@tag": of_type("string") }), json!({ "found": of_type("int") }),
            json!({ "sql": "select count(*) as found from thing where tag = :tag", "missing": false })),
        "code": method(json!({ "GET@code": of_type("string") }), json!({ "id": of_type("int") }),
            json!({ "sql": "select id from thing where code = :code", "missing": "missing" })),
        "entry": method(json!({ "GET@n": of_type("int") }), json!({ "id": of_type("int"), "n": of_type("int") }),
            json!({ "sql": entry })),
        "entries": method(json!({}), json!({ "found": of_type("int") }),
            json!({ "sql": "select count(*) as found from entry", "missing": false })),
        "change": method(json!({ "GET@n": of_type("int") }), json!({ "n": of_type("int") }), json!({ "missing": "missing",
            "sql": ["insert into entry (n) values (:n)", "update thing set n = :n where id = 1",
                "select n from thing where id = 1"] })),
        "lines": download(json!({}), json!({ "sql": "select id, n from thing" })),
        "csv": download(json!({}), json!({ "sql": "select title, n from thing", "format": "csv" })),
        "all": download(json!({}), json!({ "sql": "select * from thing" })),
        "file": download(with_id(), json!({ "sql": "select * from file where :id = 1", "format": "file",
            "missing": "missing" })),
    } })
}

fn app(database: &TestDatabase, sql: &str) -> Json {
    let sql = format!(
        "{sql} insert into thing (id, title, n, tag, code) values (1, 'a', 5, 'red', '{CODE}'); \
         insert into file values ('text', 'a.txt');"
    );
    let settings = json!({ "url": database.url, "migrations": database.write_migration(&sql), "pool": POOL });
    json!({ "handlers": { "sql": settings } })
}

/// Returns the address of the database for a program with another current directory than the data folder.
fn url(database: &TestDatabase) -> String {
    match database.kind {
        Kind::Sqlite => format!("sqlite:{}", database.folder.path().join("data/test.db").display()),
        Kind::Postgres | Kind::Mariadb => database.url.clone(),
    }
}

/// The methods, their arguments, and the results. Some calls add an entry.
fn calls() -> Vec<(&'static str, Json, Json)> {
    let row = json!({ "id": 1, "title": "a", "n": 5, "tag": "red", "code": CODE });
    vec![
        ("title.get", json!({ "id": 1 }), json!({ "title": "a" })),
        ("number.get", json!({ "id": 1 }), json!({ "n": 5 })),
        ("row.get", json!({ "id": 1 }), row.clone()),
        ("count.get", json!({ "tag": "red" }), json!({ "found": 1 })),
        ("code.get", json!({ "code": CODE }), json!({ "id": 1 })),
        ("entry.get", json!({ "n": 3 }), json!({ "n": 3 })),
        ("change.get", json!({ "n": 5 }), json!({ "n": 5 })),
        ("lines.get", json!({}), json!("{\"id\":1,\"n\":5}\n")),
        ("csv.get", json!({}), json!("title,n\r\na,5\r\n")),
        ("all.get", json!({}), row),
    ]
}

fn is_download(method: &str) -> bool {
    matches!(method, "lines.get" | "csv.get" | "all.get")
}

/// Returns the outputs of a call without those that depend on earlier calls, or the text of a download. The error is
/// the status and the reason.
fn result(runtime: &Runtime, is_download: bool, response: Response, expected: &Json) -> Result<Json, (u16, String)> {
    if let Some(error) = response.error() {
        return Err((response.status(), format!("{error} {}", error.log().unwrap_or_default())));
    }
    // Without the columns that were added or removed.
    Ok(match (expected, is_download) {
        (_, false) => members(response.outputs().unwrap(), expected),
        (Json::Object(_), true) => members(serde_json::from_str(&text(runtime, response)).unwrap(), expected),
        (_, true) => text(runtime, response).into(),
    })
}

/// Returns the text of a download.
fn text(runtime: &Runtime, response: Response) -> String {
    let Content::Stream(stream) = response.into_download().unwrap().into_content() else { panic!("no stream") };
    let chunks: Vec<_> = runtime.block_on(stream.collect());
    chunks.into_iter().map(|chunk| String::from_utf8(chunk.unwrap().to_vec()).unwrap()).collect()
}

/// Returns the members of an object that another object has.
fn members(mut object: Json, of: &Json) -> Json {
    object.as_object_mut().unwrap().retain(|name, _| of.get(name).is_some());
    object
}

#[test]
fn calls_succeed_after_each_change_of_the_tables() {
    for_each_database(|database| {
        let app = app(database, database.pick(TABLES));
        let api = TestApi::start(database.folder.path(), &app, &definition(database)).unwrap();
        let mut entries = 0;
        let mut call_all = |after: &str| {
            for (method, arguments, expected) in calls().into_iter().chain(calls()) {
                entries += i32::from(matches!(method, "entry.get" | "change.get"));
                let found = result(&api.runtime, is_download(method), api.call(method, arguments), &expected);
                assert_eq!(found, Ok(expected), "{method} of {:?} after {after}", database.kind);
            }
            // No statement has run twice.
            assert_eq!(api.outputs("entries.get", json!({})), json!({ "found": entries }), "{after}");
        };
        call_all("the start");
        for change in CHANGES {
            let change = database.pick(change);
            execute(&url(database), change);
            call_all(change);
        }
    });
}

#[test]
fn a_column_that_an_output_needs_is_an_error_when_it_is_gone() {
    for_each_database(|database| {
        let app = app(database, database.pick(TABLES));
        let api = TestApi::start(database.folder.path(), &app, &definition(database)).unwrap();
        let is_error = |method: &str, column: &str| {
            let (status, reason) = api.error(method, json!({ "id": 1 }));
            assert!(status == 500 && reason.contains(column), "{method} of {:?}: {reason}", database.kind);
        };
        assert_eq!(api.call("row.get", json!({ "id": 1 })).status(), 200);
        // Null would hide that an optional output has a value, and the row of a file its content.
        execute(&url(database), "alter table thing rename column note to remark");
        is_error("row.get", "note");
        execute(&url(database), "alter table thing drop column remark");
        is_error("row.get", "note");
        execute(&url(database), "alter table thing add column note text");
        assert_eq!(api.call("row.get", json!({ "id": 1 })).status(), 200);
        execute(&url(database), "alter table file rename column name to title");
        is_error("file.get", "name");
        execute(&url(database), "alter table thing rename column title to heading");
        // Neither a row without a title nor an error for a missing row.
        is_error("row.get", "title");
        is_error("title.get", "title");
        assert_eq!(api.outputs("number.get", json!({ "id": 1 })), json!({ "n": 5 }));
        // The columns of a download are those that it had at start.
        let all = text(&api.runtime, api.call("all.get", json!({})));
        assert_eq!(serde_json::from_str::<Json>(&all).unwrap()["title"], Json::Null, "{:?}", database.kind);
    });
}

#[test]
fn a_statement_is_prepared_again_until_the_tables_stay_as_they_are_at_most_three_times() {
    let Some(database) = POSTGRES.new_database() else { return };
    // A sequence counts the runs also if they are undone. The error is the one of a table that was changed.
    let function = "create sequence runs;
        create function changed(times int) returns bigint language plpgsql as $$
        begin
            if nextval('runs') <= times then raise exception 'changed' using errcode = '0A000'; end if;
            return currval('runs');
        end $$;";
    let settings = json!({ "migrations": database.write_migration(function) });
    let run = method(
        json!({ "GET@times": of_type("int") }),
        json!({ "runs": of_type("int") }),
        json!({ "sql": "select changed(:times) as runs", "missing": false }),
    );
    let api = database.api_with(settings, json!({ "run": run }));
    assert_eq!(api.outputs("run.get", json!({ "times": 3 })), json!({ "runs": 4 }));
    execute(&url(&database), "alter sequence runs restart");
    let (status, reason) = api.error("run.get", json!({ "times": 4 }));
    assert!(status == 503 && reason.contains("changed"), "{status}: {reason}");
}

/// Returns the statements of a migration, which changes the types and the columns of a table.
fn migration(database: &TestDatabase, number: u32) -> String {
    let (length, int) = (20 + number, if number.is_multiple_of(2) { "int" } else { "bigint" });
    database.pick([
        format!(
            "alter table thing add column new{number} text default 'x'; alter table entry add column new{number} int;"
        ),
        // The calls lock the tables in the same order.
        format!(
            "alter table entry alter column n type {int}, add column new{number} int; \
             alter table thing alter column title type varchar({length}), alter column n type {int}, \
             add column new{number} text default 'x';"
        ),
        format!(
            "alter table thing modify column title varchar({length}), modify column n {int}, \
             add column new{number} int default 7 first;"
        ),
    ])
}

/// The responses of calls while migrations run.
#[derive(Default)]
struct Responses {
    right: AtomicU32,
    unavailable: Mutex<Vec<String>>,
    wrong: Mutex<Vec<String>>,
}

/// Calls methods until the flag is set.
fn call_repeatedly(api: &TestApi, responses: &Responses, must_end: &AtomicBool) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    while !must_end.load(Ordering::Relaxed) {
        for (method, arguments, expected) in calls() {
            let response = runtime.block_on(api.started_call(method, arguments));
            match result(&runtime, is_download(method), response, &expected) {
                Ok(found) if found == expected => drop(responses.right.fetch_add(1, Ordering::Relaxed)),
                Err((503, reason)) => responses.unavailable.lock().unwrap().push(format!("{method}: {reason}")),
                other => responses.wrong.lock().unwrap().push(format!("{method}: {other:?}")),
            }
        }
    }
}

#[test]
fn migrations_beside_calls_cause_no_wrong_response() {
    // `TEST_MIGRATIONS=100` measures more of them.
    let migrations = std::env::var("TEST_MIGRATIONS").map_or(6, |number| number.parse::<u32>().unwrap());
    for_each_database(|database| {
        let (app, definition) = (app(database, database.pick(TABLES)), definition(database));
        let api = TestApi::start(database.folder.path(), &app, &definition).unwrap();
        let files =
            vec![("app.json".into(), app.to_string().into()), ("note.json".into(), definition.to_string().into())];
        let model: Api = Rulebook::read(files).check().unwrap();
        let (responses, must_end) = (Responses::default(), AtomicBool::new(false));
        let calls = || responses.right.load(Ordering::Relaxed);
        let migrated = thread::scope(|scope| {
            for _ in 0..POOL {
                scope.spawn(|| call_repeatedly(&api, &responses, &must_end));
            }
            let results = (1..=migrations).map(|number| {
                let file = format!("migrations/{}_change.sql", number + 1);
                std::fs::write(database.folder.path().join(file), migration(database, number)).unwrap();
                let folder = database.folder.path().join("data");
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(migrate(
                    &model,
                    &folder,
                    Migrations { apply: ApplyMigrations::ToAllDatabases, allow_loss: true, ..Migrations::default() },
                ))?;
                // Each method is called after the migration.
                let before = calls();
                wait_until(WAIT, || calls() > before + 20 * POOL);
                Ok::<_, Vec<HandlerError>>(())
            });
            let migrated = results.collect::<Result<Vec<()>, _>>();
            must_end.store(true, Ordering::Relaxed);
            migrated
        });
        assert!(migrated.is_ok(), "{:?}: {migrated:?}", database.kind);
        let (wrong, unavailable) = (responses.wrong.into_inner().unwrap(), responses.unavailable.into_inner().unwrap());
        eprintln!(
            "{:?}: {migrations} migrations, {} right responses, {} with the status 503, {} wrong",
            database.kind,
            responses.right.into_inner(),
            unavailable.len(),
            wrong.len()
        );
        assert!(wrong.is_empty(), "{:?}: {} wrong responses: {wrong:#?}", database.kind, wrong.len());
        assert!(unavailable.len() <= (POOL * migrations) as usize, "{:?}: {unavailable:#?}", database.kind);
    });
}

#[test]
fn a_database_that_fails_all_calls_is_not_ready_until_one_succeeds() {
    for_each_database(|database| {
        let methods = definition(database)["/"].clone();
        let app = app(database, database.pick(TABLES));
        let settings = json!({ "migrations": app["handlers"]["sql"]["migrations"], "max_failed_calls": 3 });
        let client = database.serve(settings, methods);
        let status = |target: &str| client.get(target).send().status();
        let wait_for_readiness = |expected: u16| {
            wait_until(WAIT, || status("/readyz") == expected);
        };
        wait_for_readiness(200);
        for (change, undo) in [
            ("alter table thing rename to moved", "alter table moved rename to thing"),
            ("alter table thing rename column note to remark", "alter table thing rename column remark to note"),
        ] {
            execute(&url(database), change);
            for _ in 0..2 {
                assert_eq!(status("/row?id=1"), 500, "{change}");
            }
            assert_eq!((status("/entries"), status("/row?id=1")), (200, 500), "{change}");
            for _ in 0..2 {
                assert_eq!(status("/row?id=1"), 500, "{change}");
            }
            wait_for_readiness(503);
            execute(&url(database), undo);
            assert_eq!(status("/row?id=1"), 200, "{change}");
            wait_for_readiness(200);
        }
    });
}
