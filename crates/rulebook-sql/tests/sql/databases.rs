//! Databases for tests, and APIs whose methods use them.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use rulebook::handler_kind::{ApplyMigrations, CheckContext, Migrations};
use rulebook::{Engine, Identity, Response, Rulebook};
use rulebook_sql::SqlKind;
use rulebook_test::Client;
use serde_json::{Value as Json, json};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The kind of a database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
    Mariadb,
}

/// A database server for tests.
pub struct Server {
    kind: Kind,
    url_variable: &'static str,
    control_variable: &'static str,
    /// The test that stops the server holds the write lock, all other tests hold the read lock.
    lock: RwLock<()>,
}

pub static POSTGRES: Server = Server {
    kind: Kind::Postgres,
    url_variable: "TEST_POSTGRES",
    control_variable: "TEST_POSTGRES_CTL",
    lock: RwLock::new(()),
};

pub static MARIADB: Server = Server {
    kind: Kind::Mariadb,
    url_variable: "TEST_MARIADB",
    control_variable: "TEST_MARIADB_CTL",
    lock: RwLock::new(()),
};

/// A new database without tables.
pub struct TestDatabase {
    pub kind: Kind,
    pub folder: TempDir,
    /// The address, with the characters that a JSON string may contain only.
    pub url: String,
    _running: Option<RwLockReadGuard<'static, ()>>,
}

/// The tables of the tests: notes, their authors, and files.
const TABLES: [&str; 3] = [
    "create table author (id integer primary key, name text not null);
     insert into author (id, name) values (1, 'Ada');
     create table note (id integer primary key, title text not null unique, stars integer not null default 0,
         done boolean not null default false, meta text, price real, author_id integer references author (id),
         constraint stars_positive check (stars >= 0));
     create table attachment (id integer primary key, content blob, name varchar(100), type varchar(100), size integer);",
    "create table author (id integer primary key, name text not null);
     insert into author (id, name) values (1, 'Ada');
     create table note (id serial primary key, title text not null constraint note_title unique,
         stars integer not null default 0, done boolean not null default false, meta jsonb, price numeric(10, 2),
         author_id integer constraint note_author references author (id),
         constraint stars_positive check (stars >= 0));
     create table attachment (id integer primary key, content bytea, name varchar(100), type varchar(100), size integer);",
    "create table author (id integer primary key, name text not null);
     insert into author (id, name) values (1, 'Ada');
     create table note (id integer auto_increment primary key, title varchar(200) not null, stars integer not null default 0,
         done boolean not null default false, meta json, price decimal(10, 2), author_id integer,
         constraint note_title unique (title),
         constraint note_author foreign key (author_id) references author (id),
         constraint stars_positive check (stars >= 0));
     create table attachment (id integer primary key, content longblob, name varchar(100), type varchar(100), size integer);",
];

impl Server {
    pub fn new_database(&'static self) -> Option<TestDatabase> {
        let running = self.lock.read().unwrap_or_else(PoisonError::into_inner);
        let mut database = self.create()?;
        database._running = Some(running);
        Some(database)
    }

    fn create(&self) -> Option<TestDatabase> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = support::test_server(self.url_variable)?;
        let name = format!("sql_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        execute(&server, &format!("CREATE DATABASE {name}"));
        let (before, parameters) = server.split_once('?').unwrap();
        let (address, _) = before.rsplit_once('/').unwrap();
        let url = format!("{address}/{name}?{parameters}");
        Some(TestDatabase { kind: self.kind, folder: tempfile::tempdir().unwrap(), url, _running: None })
    }

    /// Runs a test that stops and starts the server, with a new database and a function that runs a command of the
    /// server (`stop` or `start`). The test does not run if there is no server.
    pub fn with_control(&self, test: impl FnOnce(&TestDatabase, &dyn Fn(&str))) {
        let _no_other_test = self.lock.write().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = self.create() else { return };
        let control = std::env::var(self.control_variable).unwrap();
        test(&database, &|what| {
            assert!(Command::new(&control).arg(what).output().unwrap().status.success(), "{what}");
        });
    }
}

/// Executes statements on a database server.
pub fn execute(url: &str, sql: &str) {
    try_execute(url, sql).unwrap();
}

/// Runs statements with a new connection, and returns the number of changed rows, or the error of a statement that
/// fails.
pub fn try_execute(url: &str, sql: &str) -> sqlx::Result<u64> {
    install_default_drivers();
    let execute = async { AnyConnection::connect(url).await?.execute(sql).await };
    runtime().block_on(execute).map(|result| result.rows_affected())
}

/// Runs a test with SQLite and with each database server that exists.
pub fn for_each_database(test: impl Fn(&TestDatabase)) {
    test(&TestDatabase::sqlite());
    for server in [&POSTGRES, &MARIADB] {
        if let Some(database) = server.new_database() {
            test(&database);
        }
    }
}

impl TestDatabase {
    pub fn sqlite() -> Self {
        let (folder, url) = (tempfile::tempdir().unwrap(), "sqlite:test.db".to_owned());
        Self { kind: Kind::Sqlite, folder, url, _running: None }
    }

    /// Returns one of three values, for SQLite, PostgreSQL or MariaDB.
    pub fn pick<T>(&self, [sqlite, postgres, mariadb]: [T; 3]) -> T {
        match self.kind {
            Kind::Sqlite => sqlite,
            Kind::Postgres => postgres,
            Kind::Mariadb => mariadb,
        }
    }

    /// Writes a migration, and returns the folder with it.
    pub fn write_migration(&self, sql: &str) -> String {
        let folder = self.folder.path().join("migrations");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("1_tables.sql"), sql).unwrap();
        folder.to_str().unwrap().to_owned()
    }

    /// Returns an API with the tables of the tests, and the methods of a definition.
    #[track_caller]
    pub fn api(&self, methods: Json) -> TestApi {
        self.api_with(json!({}), methods)
    }

    /// Returns an API with settings of the database besides its address.
    #[track_caller]
    pub fn api_with(&self, settings: Json, methods: Json) -> TestApi {
        let app = self.app(settings);
        TestApi::start(self.folder.path(), &app, &json!({ "/": methods })).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl TestDatabase {
    /// Returns the content of `app.json` with settings of the database besides its address.
    pub fn app(&self, mut settings: Json) -> Json {
        settings["url"] = self.url.as_str().into();
        if settings.get("migrations").is_none() {
            settings["migrations"] = self.write_migration(self.pick(TABLES)).into();
        }
        json!({ "handlers": { "sql": settings } })
    }

    /// Returns an API with the tables of the tests, which is not served yet.
    pub fn engine(&self, settings: Json, methods: Json) -> Engine {
        let (app, definition) = (self.app(settings).to_string(), json!({ "/": methods }).to_string());
        rulebook(self.folder.path(), &app, &definition).build().unwrap()
    }

    /// Serves an API with the tables of the tests, unless the settings name other migrations.
    pub fn serve(&self, settings: Json, methods: Json) -> Client {
        let (app, definition) = (self.app(settings).to_string(), json!({ "/": methods }).to_string());
        Client::new(rulebook(self.folder.path(), &app, &definition)).unwrap()
    }
}

/// An API that was started.
pub struct TestApi {
    pub engine: Engine,
    pub runtime: Runtime,
}

impl TestApi {
    /// Builds and starts an API. The error is the report of the errors.
    pub fn start(folder: &Path, app: &Json, definition: &Json) -> Result<Self, String> {
        Self::start_texts(folder, &app.to_string(), &definition.to_string())
    }

    pub fn start_texts(folder: &Path, app: &str, definition: &str) -> Result<Self, String> {
        Self::start_with(folder, app, definition, Migrations::default())
    }

    /// Builds and starts an API, which first applies the pending migrations whatever they change.
    pub fn migrate(folder: &Path, app: &Json, definition: &Json) -> Result<Self, String> {
        let migrations =
            Migrations { apply: ApplyMigrations::ToAllDatabases, allow_loss: true, ..Migrations::default() };
        Self::start_with(folder, &app.to_string(), &definition.to_string(), migrations)
    }

    pub fn start_with(folder: &Path, app: &str, definition: &str, migrations: Migrations) -> Result<Self, String> {
        let rulebook = rulebook(folder, app, definition).migrations(migrations);
        let engine = rulebook.build().map_err(|report| report.to_string())?;
        engine.start().map_err(|error| error.to_string())?;
        Ok(Self { engine, runtime: runtime() })
    }

    /// Calls a method, with the members of an object as arguments.
    pub fn call(&self, method: &str, arguments: Json) -> Response {
        self.runtime.block_on(self.started_call(method, arguments))
    }

    pub fn started_call(&self, method: &str, arguments: Json) -> impl Future<Output = Response> + use<> {
        let call = self.engine.call(method).identity(Identity::new("ada", ["writer", "user[7]"]));
        let Json::Object(arguments) = arguments else { panic!("the arguments must be an object") };
        call.args(arguments).send()
    }

    /// Calls a method, and returns its outputs.
    #[track_caller]
    pub fn outputs(&self, method: &str, arguments: Json) -> Json {
        let response = self.call(method, arguments);
        let reason = response.error().and_then(|error| error.log()).unwrap_or_default().to_owned();
        response.outputs().unwrap_or_else(|error| panic!("{error:?}: {reason}"))
    }

    /// Calls a method, and returns the status and the name of its error, and the reason in the log.
    #[track_caller]
    pub fn error(&self, method: &str, arguments: Json) -> (u16, String) {
        let response = self.call(method, arguments);
        let error = response.error().unwrap_or_else(|| panic!("{method} succeeded"));
        (response.status(), format!("{:?}: {}", error.code(), error.log().unwrap_or_default()))
    }
}

/// Returns an API whose data is in a folder.
fn rulebook(folder: &Path, app: &str, definition: &str) -> Rulebook {
    let files = vec![("app.json".into(), app.into()), ("note.json".into(), definition.into())];
    Rulebook::read(files).handler_kind(SqlKind::new()).data_folder(folder.join("data"))
}

/// Checks the handlers of an API as the command `check` does. Returns the warnings, or the report of the errors.
pub fn check_definition(
    folder: &Path,
    app: &Json,
    definition: &Json,
    context: CheckContext<'_>,
) -> Result<String, String> {
    let validated = rulebook(folder, &app.to_string(), &definition.to_string()).validate();
    let validated = validated.and_then(rulebook::Validated::check_defined_handlers);
    let validated = validated.map_err(|report| report.to_string())?;
    let checked = runtime().block_on(validated.used_kinds().check(context));
    checked.map(|warnings| warnings.render(false)).map_err(|report| report.to_string())
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Returns a definition of a method.
pub fn method(input: Json, output: Json, handler: Json) -> Json {
    json!({ "GET": {
        "info": "A method", "in": input, "out": output, "handler": handler,
        "errors": {
            "missing": { "info": "There is no such note", "status": 404 },
            "taken": { "info": "The title is taken", "status": 409 },
            "wrong": { "info": "The value is wrong", "status": 422 }
        }
    } })
}

/// Returns the definition of a parameter or an output.
pub fn of_type(r#type: &str) -> Json {
    json!({ "info": "A value", "type": r#type })
}
