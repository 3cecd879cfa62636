//! Tests of `rulebook serve --watch`: changes of the definition while the server runs.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::{NamedTempFile, TempDir};

use super::{definition_folder, folder_with_unbound_service, shop_folder, shop_module};
use crate::server_process::{ServerProcess, free_address, program};

/// The maximum time until a change is served.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A server that watches the definition in its folder.
struct Watched {
    folder: TempDir,
    address: String,
    process: ServerProcess,
}

impl Watched {
    fn start(folder: TempDir) -> Self {
        let address = free_address();
        let process = ServerProcess::start(folder.path(), &address, &["serve", "--watch"]);
        Self { folder, address, process }
    }

    fn write(&self, file: &str, content: &str) {
        self.replace(&format!("api/{file}"), content);
    }

    /// Replaces a file in one step: a server that watches could otherwise read it while it is still empty.
    fn replace(&self, file: &str, content: &str) {
        let written = NamedTempFile::new().unwrap();
        fs::write(written.path(), content).unwrap();
        written.persist(self.folder.path().join(file)).unwrap();
    }

    /// Returns the status and the body of the response at a path.
    fn get(&self, path: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut response = agent.get(format!("http://{}{path}", self.address)).call().unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    }

    /// Waits until the response at a path is as expected.
    fn wait_for(&self, path: &str, is_expected: impl Fn(u16, &str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let (status, body) = self.get(path);
            if is_expected(status, &body) {
                return body;
            }
            assert!(begun.elapsed() < TIMEOUT, "{path} {status} {body}\n{}", self.process.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the last change, as the pages get it.
    fn last_change(&self) -> Json {
        serde_json::from_str(&self.get("/docs/changes").1).unwrap()
    }
}

#[test]
fn each_change_is_served_and_counts_stay() {
    let watched = Watched::start(shop_folder());
    assert_eq!(watched.get("/article?tag=a").0, 200);
    let first = watched.last_change();
    let mut module = shop_module();
    module["/"]["article"]["GET"]["in"]["GET@tag"]["type"] = "array<string>".into();
    watched.write("shop.json", &module.to_string());
    watched.wait_for("/article", |status, _| status == 400);
    // The page waits with the change that it knows.
    let next = watched.get(&format!("/docs/changes?known={}", first["number"])).1;
    let next: Json = serde_json::from_str(&next).unwrap();
    assert!(next["number"] != first["number"] && next["is_refused"] == false, "{next}");

    let other = json!({ "/": { "news": { "GET": { "info": "News" } } } });
    watched.write("other.json", &other.to_string());
    watched.wait_for("/news", |status, _| status == 200);
    assert!(watched.get("/openapi.json").1.contains("\"/news\""));
    assert!(watched.get("/docs/").1.contains("changes.js"));
    fs::remove_file(watched.folder.path().join("api/other.json")).unwrap();
    watched.wait_for("/news", |status, _| status == 404);
    let metrics = watched.get("/metrics").1;
    let calls = |method: &str, status: &str| {
        let labels = [format!("method=\"{method}\""), format!("status=\"{status}\"")];
        let is_row = |row: &&str| row.contains("_total{") && labels.iter().all(|label| row.contains(label));
        metrics.lines().find(is_row).map(|row| row.rsplit(' ').next().unwrap().to_owned())
    };
    // Only the first definition accepted such requests.
    assert!(calls("article.get", "200").is_some(), "{metrics}");
    assert!(calls("news.get", "200").is_some(), "{metrics}");
}

#[test]
fn a_file_that_is_written_again_is_no_change() {
    let app = json!({ "unbound": "echo", "rate_limit": { "requests": 1, "per": "day" } });
    let watched = Watched::start(definition_folder(&[("app.json", app), ("shop.json", shop_module())]));
    watched.wait_for("/article", |status, _| status == 429);
    watched.write("shop.json", &shop_module().to_string());
    watched.wait_for("/article", |_, _| watched.process.log().contains("the definition is unchanged"));
    assert_eq!(watched.get("/article").0, 429);
}

#[test]
fn a_change_with_errors_is_reported_and_the_previous_definition_is_served() {
    let watched = Watched::start(shop_folder());
    watched.write("shop.json", r#"{ "/": { "article": { "GETT": {} } } }"#);
    watched.wait_for("/docs/changes", |_, change| change.contains("true"));
    assert_eq!(watched.get("/article").0, 200);
    let ready: Json = serde_json::from_str(&watched.get("/readyz").1).unwrap();
    assert_eq!(ready["status"], "ready");
    assert!(ready["definition_refused"].is_string(), "{ready}");
    // Every client can ask, so that the errors are only printed.
    let change = watched.last_change();
    assert_eq!(change, json!({ "number": change["number"], "is_refused": true }));
    let log = watched.process.log();
    assert!(log.contains("error[unknown-method]") && log.contains("api/shop.json:1:"), "{log}");
    watched.write("shop.json", &shop_module().to_string());
    watched.wait_for("/docs/changes", |_, change| change.contains("false"));
}

#[test]
fn a_changed_file_with_a_statement_is_served() {
    let folder = folder_with_unbound_service(&json!({}));
    let number = json!({ "one": { "info": "A number", "type": "int" } });
    let method = json!({ "info": "A number", "out": number, "handler": { "sql": { "file": "sql/one.sql" } } });
    let module = json!({ "/": { "one": { "GET": method } } });
    fs::write(folder.path().join("api/extra.json"), module.to_string()).unwrap();
    fs::create_dir(folder.path().join("sql")).unwrap();
    fs::write(folder.path().join("sql/one.sql"), "select 1 as one").unwrap();
    let watched = Watched::start(folder);
    let write = |text: &str| watched.replace("sql/one.sql", text);
    watched.wait_for("/one", |status, body| status == 200 && body.contains(":1"));
    write("select 2 as one");
    watched.wait_for("/one", |_, body| body.contains(":2"));
    write("select 3 as\n  uno");
    watched.wait_for("/docs/changes", |_, body| body.contains("true"));
    assert!(watched.process.log().contains("sql/one.sql:2:3"), "{}", watched.process.log());
    assert_eq!(watched.get("/one").0, 200);
}

#[test]
fn a_changed_module_in_a_subfolder_is_served() {
    let folder = folder_with_unbound_service(&json!({}));
    let price = json!({ "price": { "info": "The price", "type": "int" } });
    let method = json!({ "info": "A price", "out": price, "handler": { "process": ["python3", "handlers.py"] } });
    let module = json!({ "/": { "price": { "GET": method } } });
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("api/extra.json", &module.to_string());
    let sdk = json!(Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python"));
    let program = "from rulebook import handler, serve\nfrom shop import prices\n\n\
                   @handler(\"price.get\")\ndef price():\n    return {\"price\": prices.PRICE}\n\nserve()\n";
    write("handlers.py", &format!("import sys\nsys.dont_write_bytecode = True\nsys.path.append({sdk})\n{program}"));
    fs::create_dir(folder.path().join("shop")).unwrap();
    write("shop/prices.py", "PRICE = 1\n");
    let watched = Watched::start(folder);
    watched.wait_for("/price", |status, body| status == 200 && body.contains(":1"));
    watched.replace("shop/prices.py", "PRICE = 2\n");
    watched.wait_for("/price", |_, body| body.contains(":2"));
}

#[test]
fn settings_that_need_a_restart_are_reported() {
    let watched = Watched::start(shop_folder());
    let app = json!({ "unbound": "echo", "title": "Changed", "workers": 1 });
    watched.write("app.json", &app.to_string());
    watched.wait_for("/docs/", |_, page| page.contains("Changed"));
    let log = watched.process.log();
    assert!(log.contains("`workers` has changed: restart the server"), "{log}");
    assert!(!log.contains("`unbound` has changed"), "{log}");
}

#[test]
fn a_server_waits_until_the_definition_has_no_errors() {
    let folder = definition_folder(&[("app.json", json!({ "unbound": "echo" }))]);
    fs::write(folder.path().join("api/shop.json"), "{").unwrap();
    let address = free_address();
    let mut command = program(folder.path());
    command.args(["serve", "--watch", "--bind", &address]).stdout(Stdio::null());
    let log = folder.path().join("log");
    let mut child = command.stderr(fs::File::create(&log).unwrap()).spawn().unwrap();
    let begun = Instant::now();
    let wait = |condition: &dyn Fn() -> bool| {
        while !condition() {
            assert!(begun.elapsed() < TIMEOUT, "{}", fs::read_to_string(&log).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait(&|| fs::read_to_string(&log).unwrap().contains("error["));
    fs::write(folder.path().join("api/shop.json"), shop_module().to_string()).unwrap();
    wait(&|| TcpStream::connect(&address).is_ok());
    child.kill().unwrap();
    child.wait().unwrap();
}
