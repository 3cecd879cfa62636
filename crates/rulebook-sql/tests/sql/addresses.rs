//! The parts of addresses that sqlx ignores, and would log.

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

use crate::databases::{TestApi, method};

static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LOGGED.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn a_part_of_a_password_is_not_logged_as_an_unknown_parameter() {
    log::set_logger(&Logger).unwrap();
    log::set_max_level(LevelFilter::Warn);
    let folder = tempfile::tempdir().unwrap();
    let app = json!({ "handlers": { "sql": { "pool_timeout": 0.3,
        "url": "postgres://ada@127.0.0.1:1/notes?password=hunter&hunter2&sslmode=disable" } } });
    let definition = json!({ "/": { "a": method(json!({}), json!({}), json!({ "sql": "select 1" })) } });
    assert!(TestApi::start(folder.path(), &app, &definition).is_err());
    let logged = LOGGED.lock().unwrap().join("\n");
    assert!(logged.contains("has parameters that are not known") && !logged.contains("hunter"), "{logged}");
}
