//! Releases: a definition with migrations that are applied only if everything fits.

use std::path::Path;
use std::time::{Duration, Instant};

use rulebook::Rulebook;
use rulebook::handler_kind::{ApplyMigrations, Migrations};
use rulebook_sql::{end_interrupted_migration, migration_status};
use serde_json::{Value as Json, json};

use crate::databases::{
    Kind, TestApi, TestDatabase, execute, for_each_database, method, of_type, runtime, try_execute,
};

const NOTES: &str = "create table note (id integer not null primary key, title varchar(20), author varchar(20));
                     insert into note values (1, 'a', 'Ada'), (2, 'b', 'Bob');";
const FIRST: &str = "select title, author from note order by id";

/// Releases of an API whose first migration creates notes.
struct Releases<'a> {
    database: &'a TestDatabase,
}

impl<'a> Releases<'a> {
    /// Starts the first release with a new database.
    fn new(database: &'a TestDatabase) -> Self {
        database.write_migration(NOTES);
        let releases = Self { database };
        drop(releases.start(FIRST, Migrations::default()).unwrap());
        releases
    }

    fn folder(&self) -> &Path {
        self.database.folder.path()
    }

    /// Returns the address of the database for other programs.
    fn url(&self) -> String {
        match self.database.kind {
            Kind::Sqlite => format!("sqlite:{}", self.folder().join("data/test.db").display()),
            _ => self.database.url.clone(),
        }
    }

    fn write(&self, file: &str, sql: &str) {
        std::fs::write(self.folder().join("migrations").join(file), sql).unwrap();
    }

    fn remove(&self, file: &str) {
        std::fs::remove_file(self.folder().join("migrations").join(file)).unwrap();
    }

    fn app(&self) -> Json {
        let migrations = self.folder().join("migrations");
        json!({ "handlers": { "sql": { "url": self.database.url, "migrations": migrations, "lock_timeout": 0.1 } } })
    }

    fn start(&self, sql: &str, migrations: Migrations) -> Result<TestApi, String> {
        let fields = json!({ "title": of_type("?string"), "author": of_type("?string") });
        let notes = json!({ "info": "The notes", "type": "array<object>", "fields": fields });
        let list = method(json!({}), json!({ "notes": notes }), json!({ "sql": sql }));
        let definition = json!({ "/": { "list": list } }).to_string();
        TestApi::start_with(self.folder(), &self.app().to_string(), &definition, migrations)
    }

    /// Checks that the first release can start, without the file of a later one, and that all rows are there.
    fn expect_first(&self, file: &str, case: &str) {
        self.remove(file);
        let api = self.start(FIRST, Migrations::default()).unwrap_or_else(|error| panic!("{case}: {error}"));
        let expected = json!([{ "title": "a", "author": "Ada" }, { "title": "b", "author": "Bob" }]);
        assert_eq!(api.outputs("list.get", json!({}))["notes"], expected, "{case}");
    }
}

fn all() -> Migrations {
    Migrations { apply: ApplyMigrations::ToAllDatabases, ..Migrations::default() }
}

fn all_with_loss() -> Migrations {
    Migrations { allow_loss: true, ..all() }
}

#[test]
fn a_release_with_a_mistake_changes_nothing() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        let drop = "alter table note drop column author";
        for (file, migration, sql, error) in [
            ("2_drop.sql", drop, "select titel as title from note", "lose"),
            ("2_drop.sql", drop, FIRST, "the column `note.author` is dropped, with 2 rows"),
            ("2_note.sql", "drop table note", "select 'x' as title", "lose"),
            ("2_rows.sql", "delete from note where id = 1", FIRST, "lose"),
            ("2-drop.sql", drop, FIRST, "`2_author.sql`"),
            ("drop.sql", drop, FIRST, "is not the name of a migration"),
            ("2_drop.SQL", drop, FIRST, "is not the name of a migration"),
            ("1_drop.sql", drop, FIRST, "has the number 1, as `1_"),
        ] {
            // MariaDB does not say what a migration would remove before it runs.
            let error =
                if database.kind == Kind::Mariadb && error.contains("with 2 rows") { "drop column" } else { error };
            releases.write(file, migration);
            let Err(found) = releases.start(sql, all()) else { panic!("{file} {migration} {sql}") };
            assert!(found.contains(error), "{file} {migration}: {found}");
            releases.expect_first(file, migration);
        }
        if database.kind == Kind::Mariadb {
            return;
        }
        for (migration, sql, error) in [
            (drop, "select titel as title from note", "the database rejects the statement"),
            (drop, FIRST, "the database rejects the statement"),
            ("drop table note; create tabel other (id integer)", FIRST, "2_drop.sql:1:"),
            ("drop table note; insert into missing values (1)", FIRST, "2_drop.sql:1:"),
            ("alter table note add column price integer", "select price as title from note", "`title`"),
        ] {
            releases.write("2_drop.sql", migration);
            let Err(found) = releases.start(sql, all_with_loss()) else { panic!("{migration} {sql}") };
            assert!(found.contains(error), "{migration}: {found}");
            releases.expect_first("2_drop.sql", migration);
        }
    });
}

#[test]
fn losses_are_found_however_they_are_written() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        execute(&releases.url(), "create table audit (id integer primary key, what varchar(9))");
        execute(&releases.url(), "insert into audit values (1, 'a'), (2, 'b')");
        let written: Vec<(&str, &str)> = database.pick([
            vec![
                ("delete from audit where id = 1; insert into audit values (3, 'c')", "1 of the rows"),
                ("delete from audit; insert into audit values (3, 'c'), (4, 'd')", "2 of the rows"),
                ("drop table audit; commit", "contains `commit`"),
                ("begin; drop table audit; commit", "contains `begin`"),
                (
                    "alter table audit drop column what; alter table audit add column what varchar(9)",
                    "the column `audit.what` has 0 values instead of 2",
                ),
                (
                    "create table new (id integer primary key, what varchar(9)); insert into new (id) select id from audit; \
                     drop table audit; alter table new rename to audit",
                    "the column `audit.what` has 0 values instead of 2",
                ),
            ],
            vec![
                ("delete from audit where id = 1; insert into audit values (3, 'c')", "1 of the rows"),
                ("truncate audit; insert into audit values (3, 'c'), (4, 'd')", "2 of the rows"),
                ("drop table audit; end", "contains `drop table`"),
                ("end; drop table audit", "contains `drop table`"),
                ("drop table audit; rollback", "contains `rollback`"),
                ("create table other (id integer); rollback", "contains `rollback`"),
                (
                    "-- no-transaction\nwith d as (delete from audit returning 1) select count(*) from d",
                    "contains `delete from`",
                ),
                ("-- no-transaction\ndo $$ begin execute 'delete from audit'; end $$", "contains `do`"),
                (
                    "-- no-transaction\ncreate procedure p() language sql as 'delete from audit'; call p()",
                    "contains `call`",
                ),
                ("-- no-transaction\nselect purge()", "contains `select`"),
                ("-- no-transaction\nmerge into audit using audit a on true when matched then delete", "contains `merge`"),
                (
                    "alter table audit drop column what; alter table audit add column what varchar(9)",
                    "the column `audit.what` has 0 values instead of 2",
                ),
                (
                    "alter table audit alter column what type varchar(20) using null",
                    "the column `audit.what` has 0 values instead of 2",
                ),
            ],
            vec![
                ("create or replace table audit (id integer primary key)", "contains `replace table`"),
                ("create procedure p() delete from audit; call p()", "contains `call`"),
                ("alter table audit truncate partition all", "contains `truncate partition`"),
                ("/*!50000 drop table audit */", "contains `drop table`"),
                ("/*M!100000 delete audit from audit */", "contains `delete`"),
                ("select purge()", "contains `select`"),
                ("alter table audit discard tablespace", "contains `discard tablespace`"),
                ("prepare s from 'delete from audit'; execute s", "contains `execute`"),
                ("alter ignore table audit add unique (what)", "contains `alter ignore`"),
                ("set sql_mode = ''; alter table audit modify what varchar(1)", "contains `sql_mode"),
            ],
        ]);
        for (migration, reason) in written {
            releases.write("2_loss.sql", migration);
            let Err(found) = releases.start(FIRST, all()) else { panic!("{migration}") };
            assert!(found.contains(reason), "{migration}: {found}");
            assert_eq!(
                try_execute(&releases.url(), "update audit set what = what where id < 3").unwrap(),
                2,
                "{migration}"
            );
        }
        releases.expect_first("2_loss.sql", "everything was refused");
    });
}

#[test]
fn a_loss_that_is_allowed_happens_after_a_copy_of_the_file() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        releases.write("2_drop.sql", "alter table note drop column author");
        let api = releases.start("select title from note where id = 1", all_with_loss()).unwrap();
        assert_eq!(api.outputs("list.get", json!({}))["notes"][0]["title"], "a");
        drop(api);
        if database.kind == Kind::Sqlite {
            let copy = releases.folder().join("data/test.db.before-2");
            execute(&format!("sqlite:{}", copy.display()), "select author from note");
        }
    });
}

/// A rename loses nothing, but it must not hide that another column is lost.
#[test]
fn a_rename_is_no_loss_and_hides_none() {
    let rebuilt = "create table new_note (id integer not null primary key, title varchar(20), price varchar(9));
                   insert into new_note (id, title) select id, title from note; drop table note;
                   alter table new_note rename to note";
    let database = TestDatabase::sqlite();
    let releases = Releases::new(&database);
    releases.write("2_price.sql", rebuilt);
    let Err(error) = releases.start("select title, price as author from note", all()) else { panic!("it started") };
    assert!(error.contains("the column `note.author` is dropped, with 2 rows"), "{error}");
    releases.expect_first("2_price.sql", rebuilt);
    let Some(postgres) = crate::databases::POSTGRES.new_database() else { return };
    for database in [&database, &postgres] {
        let releases = Releases::new(database);
        let hidden = "alter table note rename column title to name; alter table note drop column author;
                      alter table note add column rename_to varchar(9)";
        releases.write("2_rename.sql", hidden);
        let Err(error) = releases.start("select name as title from note", all()) else { panic!("it started") };
        assert!(error.contains("lose data: the column `note.author` is dropped, with 2 rows"), "{error}");
        let renamed = "alter table note rename column title to \"Name\"; alter table note rename to \"Entry\"";
        releases.write("2_rename.sql", renamed);
        let api = releases.start("select \"Name\" as title, author from \"Entry\"", all()).unwrap();
        assert_eq!(api.outputs("list.get", json!({}))["notes"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn the_release_before_an_additive_migration_still_starts() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        releases.write("2_price.sql", "alter table note add column price integer");
        drop(releases.start(FIRST, all()).unwrap());
        releases.expect_first("2_price.sql", "the release before");
        // A gap and a number below an applied one are no newer release.
        releases.write("3_other.sql", "create table other (id integer)");
        let Err(error) = releases.start(FIRST, all()) else { panic!("a gap") };
        assert!(error.contains("has the migration 2, whose file is missing"), "{error}");
        releases.remove("3_other.sql");
        releases.write("2_price.sql", "alter table note add column price integer");
        releases.write("0_early.sql", "create table other (id integer)");
        let Err(error) = releases.start(FIRST, all()) else { panic!("a number below") };
        assert!(error.contains("`0_early.sql` is new, but the database has the later number 2"), "{error}");
    });
}

#[test]
fn a_release_ignores_the_columns_of_a_newer_one_in_a_star() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        let all_columns = "select * from pair";
        releases.write(
            "2_pair.sql",
            "create table pair (title varchar(9), author varchar(9)); insert into pair values ('a', 'b')",
        );
        drop(releases.start(all_columns, all()).unwrap());
        releases.write("3_price.sql", "alter table pair add column price integer not null default 1");
        let Err(error) = releases.start(all_columns, all()) else { panic!("the release does not have the column") };
        assert!(error.contains("the column `price` is not an output"), "{error}");
        drop(releases.start("select title, author from pair", all()).unwrap());
        releases.remove("3_price.sql");
        let api = releases.start(all_columns, Migrations::default()).unwrap();
        assert_eq!(api.outputs("list.get", json!({}))["notes"], json!([{ "title": "a", "author": "b" }]));
    });
}

#[test]
fn pending_migrations_are_applied_only_on_demand_and_the_statements_decide() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        releases.write("2_price.sql", "alter table note add column price varchar(5)");
        drop(releases.start(FIRST, Migrations::default()).unwrap());
        let needs_it = "select price as title from note";
        let Err(error) = releases.start(needs_it, Migrations::default()) else { panic!("it started") };
        assert!(error.contains("the migration `2_price.sql` of the database `main` is pending"), "{error}");
        drop(releases.start(needs_it, all()).unwrap());
        drop(releases.start(needs_it, Migrations::default()).unwrap());
    });
}

#[test]
fn a_database_with_only_tables_of_rulebook_is_new_and_one_with_others_is_not() {
    for_each_database(|database| {
        let url = match database.kind {
            Kind::Sqlite => {
                std::fs::create_dir_all(database.folder.path().join("data")).unwrap();
                format!("sqlite:{}?mode=rwc", database.folder.path().join("data/test.db").display())
            }
            _ => database.url.clone(),
        };
        execute(&url, "create table rulebook_keys (id integer)");
        Releases::new(database);
    });
    let database = TestDatabase::sqlite();
    std::fs::create_dir_all(database.folder.path().join("data")).unwrap();
    let url = format!("sqlite:{}?mode=rwc", database.folder.path().join("data/test.db").display());
    execute(&url, "create table note (id integer)");
    database.write_migration(NOTES);
    let Err(error) = (Releases { database: &database }).start(FIRST, Migrations::default()) else {
        panic!("it started")
    };
    assert!(error.contains("is pending"), "{error}");
}

#[test]
fn a_migration_waits_for_a_lock_only_for_a_short_time() {
    let Some(database) = crate::databases::POSTGRES.new_database() else { return };
    let releases = Releases::new(&database);
    releases.write("2_price.sql", "alter table note add column price integer");
    let lock = "begin; lock table note in access exclusive mode; select pg_sleep(60); commit";
    let url = database.url.clone();
    std::thread::spawn(move || drop(try_execute(&url, lock)));
    let locked = "do $$ begin if not exists (select from pg_locks where relation = 'note'::regclass and granted) \
                  then raise 'not yet'; end if; end $$";
    while try_execute(&database.url, locked).is_err() {}
    let Err(error) = releases.start(FIRST, all()) else { panic!("it started") };
    assert!(error.contains("lock timeout") && error.contains("`lock_timeout`"), "{error}");
    execute(
        &database.url,
        "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' \
                            and pid <> pg_backend_pid()",
    );
    drop(releases.start(FIRST, all()).unwrap());
}

#[test]
fn a_migration_that_cannot_run_in_a_transaction_says_so() {
    let Some(database) = crate::databases::POSTGRES.new_database() else { return };
    let releases = Releases::new(&database);
    let index = "create index concurrently note_title on note (title)";
    releases.write("2_index.sql", index);
    let Err(error) = releases.start(FIRST, all()) else { panic!("it started") };
    assert!(error.contains("`-- no-transaction`"), "{error}");
    releases.write("2_index.sql", &format!("-- no-transaction\n{index}"));
    drop(releases.start(FIRST, all()).unwrap());
}

/// The migrations that are tried in a new database must not reach the one that is served.
#[test]
fn a_migration_that_names_its_database_is_not_tried_in_another_one() {
    let Some(database) = crate::databases::MARIADB.new_database() else { return };
    let name = database.url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    for first in [format!("use {name}; drop table if exists note;"), format!("drop table if exists `{name}`.`note`;")] {
        execute(&database.url, "drop table if exists note, _sqlx_migrations");
        database.write_migration(&format!("{first} {NOTES}"));
        let releases = Releases { database: &database };
        drop(releases.start(FIRST, Migrations::default()).unwrap());
        execute(&database.url, "insert into note values (7, 'c', 'Cyd')");
        releases.write("2_price.sql", "alter table note add column price integer");
        drop(releases.start(FIRST, all()).unwrap());
        assert_eq!(try_execute(&database.url, "update note set title = 'd' where id = 7").unwrap(), 1, "{first}");
        releases.remove("2_price.sql");
    }
}

#[test]
fn a_migration_of_mariadb_is_tried_in_another_database() {
    let Some(database) = crate::databases::MARIADB.new_database() else { return };
    let releases = Releases::new(&database);
    let add = "alter table note add column price integer";
    for (migration, sql, error) in [
        (format!("{add}; insert into missing values (1)"), FIRST, "the migration `2_price.sql` fails"),
        (add.to_owned(), "select titel as title from note", "the database rejects the statement"),
    ] {
        releases.write("2_price.sql", &migration);
        let Err(found) = releases.start(sql, all()) else { panic!("{migration}") };
        assert!(found.contains(error), "{found}");
        releases.expect_first("2_price.sql", &migration);
    }
}

/// Starts an API that lists, adds and changes notes, and makes its record in the database that of another process.
fn start_other_server(releases: &Releases<'_>) -> TestApi {
    let fields = json!({ "title": of_type("?string"), "author": of_type("?string") });
    let notes = json!({ "info": "The notes", "type": "array<object>", "fields": fields });
    let write = |sql: &str, name: &str| {
        let parameters = json!({ "id": of_type("id"), name: of_type("string") });
        json!({ "POST": { "info": "I", "in": parameters, "handler": { "sql": sql } } })
    };
    let definition = json!({ "/": {
        "list": method(json!({}), json!({ "notes": notes }), json!({ "sql": FIRST })),
        "add": write("insert into note (id, title) values (:id, :title)", "title"),
        "author": write("update note set author = :author where id = :id", "author"),
        "put": write(
            releases.database.pick([
                "insert into note (id, author) values (:id, :author) on conflict (id) do update set author = 'x'",
                "insert into note (id, author) values (:id, :author) on conflict (id) do update set author = 'x'",
                "insert into note (id, author) values (:id, :author) on duplicate key update author = 'x'",
            ]),
            "author",
        ),
    } });
    let app = releases.app().to_string();
    let api = TestApi::start_with(releases.folder(), &app, &definition.to_string(), all()).unwrap();
    let url = releases.url();
    let take = "update rulebook_releases set server = 'other', seen = seen + 100000 where statements like '%add.post%'";
    // The record is written after the start.
    let begun = Instant::now();
    while !matches!(try_execute(&url, take), Ok(1)) {
        assert!(
            begun.elapsed() < Duration::from_secs(120),
            "the server is not recorded: {:?}",
            try_execute(&url, take)
        );
    }
    api
}

#[test]
fn migrations_that_break_a_server_that_runs_are_refused() {
    for_each_database(|database| {
        let releases = Releases::new(database);
        let _other = start_other_server(&releases);
        let mut refused = vec![
            ("alter table note drop column author", "author"),
            ("alter table note rename column author to writer", "author"),
            ("alter table note rename column title to heading", "title"),
            ("drop table note", "note"),
            ("alter table note rename to notes", "note"),
            ("create unique index one_title on note (title)", "`note.title` becomes unique"),
        ];
        refused.extend(database.pick([
            vec![
                ("create table new (id integer, title text, author text not null); insert into new select * from note; \
                  drop table note; alter table new rename to note", "`note.author` cannot be null"),
                ("create table new (id integer, title text, author text, price integer not null); \
                  insert into new select *, 1 from note; drop table note; alter table new rename to note",
                  "`note.price` needs a value"),
                ("create table new (id integer, title text, author text, check (title <> '')); \
                  insert into new select * from note; drop table note; alter table new rename to note", "`note.title` gets the check"),
                ("alter table note add column code text not null default ''; update note set code = id; \
                  create unique index codes on note (code)", "which the default breaks"),
            ],
            vec![
                ("alter table note alter column title type varchar(5)", "`note.title` becomes `character varying(5)`"),
                ("alter table note alter column author type integer using 1", "author"),
                ("alter table note alter column author set not null", "`note.author` cannot be null"),
                ("alter table note add column price integer not null default 1; \
                  alter table note alter column price drop default", "`note.price` needs a value"),
                ("alter table note add constraint named check (title <> '')", "gets the check `CHECK"),
                ("alter table note drop constraint note_pkey", "`note.id` is not unique any more"),
                ("alter table note add column age integer not null default 0; update note set age = 30; \
                  alter table note add check (age >= 18)", "which the default breaks"),
                ("alter table note add column code varchar(9) not null default ''; update note set code = 'c' || id; \
                  create unique index codes on note (code)", "which the default breaks"),
                ("create table tenant (id integer primary key); insert into tenant values (7); \
                  alter table note add column tenant integer not null default 0; update note set tenant = 7; \
                  alter table note add foreign key (tenant) references tenant", "which the default breaks"),
                ("create domain short as varchar(20) check (value <> 'q'); alter table note alter column title type short", "becomes `short"),
            ],
            vec![
                ("alter table note modify title varchar(5)", "`note.title` becomes `varchar(5)`"),
                ("alter table note drop column author, add column author integer", "author"),
                ("alter table note modify author varchar(20) not null", "`note.author` cannot be null"),
                ("alter table note add column price integer not null", "`note.price` needs a value"),
                ("alter table note add constraint named check (title <> '')", "gets the check `"),
                ("alter table note drop primary key", "`note.id` is not unique any more"),
                ("alter table note add column age integer not null default 0; update note set age = 30; \
                  alter table note add check (age >= 18)", "which the default breaks"),
                ("alter table note add column code varchar(9) not null default ''; update note set code = id; \
                  create unique index codes on note (code)", "which the default breaks"),
                ("create table tenant (id integer primary key); insert into tenant values (7); \
                  alter table note add column tenant integer not null default 0; update note set tenant = 7; \
                  alter table note add foreign key (tenant) references tenant (id)", "which the default breaks"),
                ("alter table note modify title varchar(20) character set latin1", "character set latin1"),
                ("alter table note modify title varchar(20) as ('x') stored", "title"),
            ],
        ]));
        let uses_none = "select 'x' as title, null as author";
        for (migration, reason) in refused {
            releases.write("2_break.sql", migration);
            let Err(found) = releases.start(uses_none, all_with_loss()) else { panic!("{migration}") };
            assert!(
                found.contains("`2_break.sql` would break statements of servers that run: `"),
                "{migration}: {found}"
            );
            assert!(found.contains("which 1 server runs") && found.contains(reason), "{migration}: {found}");
        }
        releases.expect_first("2_break.sql", "everything was refused");
        let additive = [
            "alter table note add column price integer",
            "alter table note add column stars integer not null default 1",
            "create index titles on note (title)",
            "alter table note add column rating integer check (rating between 1 and 5)",
            "create unique index ids on note (id, title)",
            "alter table note add column code varchar(20); create unique index codes on note (code)",
            "insert into note (id, title) values (9, 'z')",
            database.pick([
                "select 1",
                "alter table note alter column title type varchar(90), alter column author type text",
                "alter table note modify title varchar(90)",
            ]),
            database.pick([
                "select 1",
                "alter table note alter column id type bigint",
                "alter table note modify id bigint",
            ]),
            "create view titles_only as select title from note",
            "alter table note add column age integer not null default 18 check (age >= 18)",
            database.pick([
                "select 1",
                "create table kind (id integer primary key); insert into kind values (1); \
                 alter table note add column kind integer not null default 1 references kind; \
                 alter table note add column public uuid not null default gen_random_uuid() unique",
                "create table kind (id integer primary key); insert into kind values (1); \
                 alter table note add column kind integer not null default 1; \
                 alter table note add foreign key (kind) references kind (id)",
            ]),
            "create unique index authors on note (price, rating)",
            database.pick([
                "create trigger t after insert on note begin select 1; end",
                "create function f() returns trigger language plpgsql as $$ begin return null; end $$; \
                 create trigger t after insert on note for each row execute function f()",
                "create trigger t after insert on note for each row set @last = new.id",
            ]),
            "create table comment (id integer primary key, note bigint references note (id), text varchar(9) not null)",
        ];
        for (number, migration) in additive.iter().enumerate() {
            releases.write(&format!("{}_add.sql", number + 2), migration);
            drop(releases.start(FIRST, all()).unwrap_or_else(|error| panic!("{migration}: {error}")));
        }
        releases.write("30_drop.sql", "alter table note drop column author");
        drop(
            releases
                .start("select title, null as author from note", Migrations { allow_breaking: true, ..all_with_loss() })
                .unwrap(),
        );
    });
}

#[test]
fn a_migration_of_mariadb_that_was_interrupted_can_be_ended() {
    let Some(database) = crate::databases::MARIADB.new_database() else { return };
    let releases = Releases::new(&database);
    // A new database does not have this row, so that the migration succeeds there.
    execute(&database.url, "insert into note values (7, 'c', 'Cyd')");
    releases.write("2_half.sql", "alter table note add column price integer; insert into note (id) values (7)");
    let Err(error) = releases.start(FIRST, all()) else { panic!("it started") };
    assert!(error.contains("the migration `2_half.sql` fails"), "{error}");
    let Err(error) = releases.start(FIRST, all()) else { panic!("it started") };
    assert!(error.contains("was interrupted") && error.contains("--as-pending 2"), "{error}");
    drop(releases.start(FIRST, Migrations::default()).unwrap());
    let module = json!({ "/": {} }).to_string();
    let files = vec![("app.json".into(), releases.app().to_string().into()), ("note.json".into(), module.into())];
    let api = Rulebook::read(files).check().unwrap();
    let end = |is_applied| runtime().block_on(end_interrupted_migration(&api, releases.folder(), 2, is_applied));
    assert_eq!(end(false), Ok(vec!["main".to_owned()]));
    assert!(end(false).unwrap_err()[0].message.contains("no database has a migration 2 that was interrupted"));
    let status = || runtime().block_on(migration_status(&api, releases.folder())).unwrap();
    assert_eq!(status(), ["main: 1 applied, 1 pending: `2_half.sql`"]);
    execute(&database.url, "alter table note drop column price");
    let Err(error) = releases.start(FIRST, all()) else { panic!("it started") };
    assert!(error.contains("the migration `2_half.sql` fails"), "{error}");
    assert_eq!(end(true), Ok(vec!["main".to_owned()]));
    assert_eq!(status(), ["main: 2 applied, 0 pending"]);
    drop(releases.start(FIRST, all()).unwrap());
}

#[test]
fn two_databases_in_one_folder_are_migrated_together() {
    let database = TestDatabase::sqlite();
    let folder = |name: &str| {
        let folder = database.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("1_note.sql"), "create table note (id integer primary key)").unwrap();
        folder
    };
    let databases =
        ["main", "log"].map(|name| (name, json!({ "url": format!("sqlite:{name}.db"), "migrations": folder(name) })));
    let handlers = json!({ "sql": { "databases": serde_json::Map::from_iter(databases.map(|(name, value)| (name.to_owned(), value))) } });
    let get = |name: &str| {
        method(
            json!({}),
            json!({ "*": of_type("array<int>") }),
            json!({ "sql": "select id from note", "database": name }),
        )
    };
    let methods = json!({ "/": { "main": get("main"), "log": get("log") } });
    let app = json!({ "handlers": handlers });
    let api = TestApi::start_with(database.folder.path(), &app.to_string(), &methods.to_string(), all()).unwrap();
    assert_eq!(api.outputs("log.get", json!({})), json!([]));
}

#[test]
fn a_migration_of_sqlite_can_be_edited_until_it_is_right() {
    let database = TestDatabase::sqlite();
    let releases = Releases::new(&database);
    let edited = Migrations { apply: ApplyMigrations::ToEditedFiles, ..Migrations::default() };
    let url = format!("sqlite:{}", releases.folder().join("data/test.db").display());
    execute(
        &url,
        "create table rulebook_keys (id integer); create index title on note (title); \
                   create trigger stars after insert on note begin update note set author = 'x' where id = new.id; end",
    );
    for column in ["prize", "price", "cost"] {
        let sql =
            format!("alter table note add column {column} varchar(9); insert into note (id, title) values (7, 'c')");
        releases.write("2_price.sql", &sql);
        let list = format!("select title, coalesce({column}, author) as author from note order by id");
        let api = releases.start(&list, edited).unwrap();
        let notes = api.outputs("list.get", json!({}))["notes"].clone();
        assert_eq!(notes.as_array().unwrap().len(), 3, "{notes}");
        assert_eq!((&notes[0]["author"], &notes[2]["author"]), (&json!("Ada"), &json!("x")));
        drop(api);
        execute(
            &url,
            &format!("insert into rulebook_keys values (1); insert into note (id, title) values (99, '{column}')"),
        );
        // A mistake leaves everything as it is.
        releases.write("2_price.sql", "alter table note add colum price varchar(9)");
        releases.start(&list, edited).err().unwrap();
        releases.write("2_price.sql", &sql);
        drop(releases.start(&list, edited).unwrap());
    }
    // What the last edit has replaced is beside the database.
    for (number, column) in ["prize", "price"].into_iter().enumerate() {
        let end = if number == 0 { String::new() } else { format!(".{number}") };
        let copy = format!("sqlite:{}", releases.folder().join(format!("data/test.db.edited-2{end}")).display());
        execute(&copy, &format!("select {column} from note where id = 99"));
    }
}
