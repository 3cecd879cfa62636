//! Releases of a running server: migrations that are pending, and releases with a mistake.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{RunResult, folder_with_unbound_service, run_program};
use crate::server_process::{ServerProcess, free_address};

const TIMEOUT: Duration = Duration::from_secs(120);
const FIRST: &str = "select title, author from note";

/// A project with a database of notes, which its first release has created.
struct Project(TempDir);

impl Project {
    fn new() -> Self {
        let project =
            Self(folder_with_unbound_service(&json!({ "handlers": { "sql": { "migrations": "migrations" } } })));
        fs::create_dir(project.path().join("migrations")).unwrap();
        project.migration(
            "1_note.sql",
            "create table note (id integer primary key, title text, author text); insert into note values (1, 'a', 'b')",
        );
        project.release(FIRST, &json!({}));
        assert_eq!(project.run(&["migrate"]).exit_code, Some(0));
        project
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, arguments: &[&str]) -> RunResult {
        run_program(self.path(), arguments)
    }

    fn migration(&self, file: &str, sql: &str) {
        fs::write(self.path().join("migrations").join(file), sql).unwrap();
    }

    /// Writes a release whose notes come from a statement, with further services.
    fn release(&self, sql: &str, services: &Json) {
        let text = json!({ "info": "T", "type": "?string" });
        let notes = json!({ "info": "N", "type": "array<object>", "fields": { "title": text, "author": text } });
        let list = json!({ "GET": { "info": "I", "out": { "notes": notes }, "handler": { "sql": sql } } });
        let mut services = services.clone();
        services["notes"] = list;
        fs::write(self.path().join("api/extra.json"), json!({ "/": services }).to_string()).unwrap();
    }

    fn status(&self) -> String {
        self.run(&["migrate", "--status"]).stdout
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("http://{address}{path}")).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn wait_for(server: &ServerProcess, address: &str, path: &str, status: u16) {
    let begun = Instant::now();
    while get(address, path).0 != status {
        assert!(begun.elapsed() < TIMEOUT, "{path}: {:?} {}", get(address, path), server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_server_waits_until_somebody_has_applied_the_migrations_that_its_statements_need() {
    let project = Project::new();
    project.migration("2_price.sql", "alter table note add column price text");
    project.release("select title, price as author from note", &json!({}));
    let address = free_address();
    let mut server = ServerProcess::start(project.path(), &address, &["serve"]);
    assert_eq!(get(&address, "/healthz").0, 200);
    let (status, body) = get(&address, "/readyz");
    assert_eq!(status, 503);
    assert!(body.contains("1 migration is pending"), "{body}");
    assert_eq!(get(&address, "/notes").0, 503);
    assert_eq!(get(&address, "/openapi.json").0, 200);
    assert_eq!(project.status(), "main: 1 applied, 1 pending: `2_price.sql`\n");
    assert_eq!(project.run(&["migrate"]).exit_code, Some(0));
    wait_for(&server, &address, "/readyz", 200);
    assert_eq!(get(&address, "/notes").0, 200);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn a_release_with_a_mistake_changes_no_data_and_what_runs_still_answers() {
    let project = Project::new();
    let address = free_address();
    let server = ServerProcess::start(project.path(), &address, &["serve", "--migrate"]);
    let worker = json!({ "worker": { "GET": { "info": "I", "handler": { "process": ["./missing-program"] } } } });
    let wrong_output = json!({ "n": { "GET": { "info": "I", "out": { "n": { "info": "N", "type": "int" } },
        "handler": { "sql": "select title as n from note", "missing": false } } } });
    for (file, migration, sql, services) in [
        ("2_drop.sql", "alter table note drop column author", "select titel as title from note", json!({})),
        ("2_drop.sql", "alter table note drop column author", "select title from note", json!({})),
        ("2_more.sql", "alter table note add column more text; create tabel x (y)", FIRST, json!({})),
        ("2_more.sql", "alter table note add column more text", FIRST, worker),
        ("2_more.sql", "alter table note add column more text", FIRST, wrong_output),
        ("1_more.sql", "alter table note add column more text", FIRST, json!({})),
    ] {
        project.migration(file, migration);
        project.release(sql, &services);
        let reloaded = project.run(&["reload"]);
        assert_eq!(reloaded.exit_code, Some(1), "{migration} {sql} {services}: {reloaded:?}");
        assert_eq!(get(&address, "/notes").0, 200, "{migration}");
        // Another server with this release does not start, and changes nothing either.
        let started = project.run(&["serve", "--migrate", "--share-data", "--bind", &free_address()]);
        assert_ne!(started.exit_code, Some(0), "{migration}: {started:?}");
        fs::remove_file(project.path().join("migrations").join(file)).unwrap();
        project.release(FIRST, &json!({}));
        assert_eq!(project.status(), "main: 1 applied, 0 pending\n", "{migration}");
    }
    // A change without a mistake is served.
    project.migration("2_more.sql", "alter table note add column more text");
    project.release("select title, more as author from note", &json!({}));
    assert_eq!(project.run(&["reload"]).exit_code, Some(0), "{}", server.log());
    assert_eq!(project.status(), "main: 2 applied, 0 pending\n");
}

#[test]
fn migrations_that_break_a_server_are_refused_until_it_has_stopped_or_serves_another_release() {
    let project = Project::new();
    let address = free_address();
    let mut server = ServerProcess::start(project.path(), &address, &["serve"]);
    project.migration("2_drop.sql", "alter table note drop column author");
    project.release("select title, null as author from note", &json!({}));
    let begun = Instant::now();
    let mut plan = String::new();
    // The server records its statements after it has started.
    while !plan.contains("  breaks `notes.get` of ") {
        assert!(begun.elapsed() < TIMEOUT, "{plan} {}", server.log());
        plan = project.run(&["migrate", "--plan"]).stdout;
    }
    assert!(plan.contains("which 1 server runs: ") && plan.contains("no such column: author"), "{plan}");
    let refused = project.run(&["migrate", "--allow-loss"]);
    assert_eq!(refused.exit_code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("would break statements of servers that run: `notes.get` of ")
            && refused.stderr.contains("--allow-breaking")
    );
    assert_eq!(get(&address, "/notes").0, 200);
    // With the new release, which fits to the tables before and after the migration, nothing breaks.
    assert_eq!(project.run(&["reload"]).exit_code, Some(0), "{}", server.log());
    let mut plan = project.run(&["migrate", "--plan"]).stdout;
    while plan.contains("breaks") {
        assert!(begun.elapsed() < TIMEOUT, "{plan} {}", server.log());
        plan = project.run(&["migrate", "--plan"]).stdout;
    }
    assert_eq!(project.run(&["migrate", "--allow-loss"]).exit_code, Some(0));
    assert_eq!(get(&address, "/notes").0, 200);
    // A server that has stopped counts no longer.
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    project.migration("3_title.sql", "alter table note rename column title to heading");
    project.release("select heading as title, null as author from note", &json!({}));
    assert_eq!(project.run(&["migrate"]).exit_code, Some(0));
}

#[test]
fn an_address_in_use_is_found_before_migrations_run() {
    let project = Project::new();
    project.migration("2_price.sql", "alter table note add column price text");
    let used = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = used.local_addr().unwrap().to_string();
    let started = project.run(&["serve", "--migrate", "--bind", &address]);
    assert_eq!(started.exit_code, Some(3), "{started:?}");
    assert!(started.stderr.contains(&address), "{started:?}");
    assert_eq!(project.status(), "main: 1 applied, 1 pending: `2_price.sql`\n");
}
