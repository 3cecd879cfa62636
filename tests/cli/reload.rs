//! Tests of `rulebook reload` and of `serve --watch --guard`: changes of the definition that break clients.

use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{RunResult, run_program};
use crate::server_process::{ServerProcess, free_address};

fn definition(version: &str, size: &str) -> [(&'static str, Json); 2] {
    let size = json!({ "info": "Articles on a page", "type": size });
    let list = json!({ "info": "Lists articles", "in": { "GET@size": size } });
    let module = json!({ "/": { "article": { "GET": list } } });
    [("app.json", json!({ "version": version, "unbound": "echo" })), ("article.json", module)]
}

fn write(folder: &Path, files: [(&str, Json); 2]) {
    fs::create_dir_all(folder.join("api")).unwrap();
    for (name, content) in files {
        fs::write(folder.join("api").join(name), content.to_string()).unwrap();
    }
}

fn get(address: &str, path: &str) -> (u16, String) {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut response = agent.get(format!("http://{address}{path}")).call().unwrap();
    (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
}

fn reload(folder: &Path, flags: &[&str]) -> RunResult {
    run_program(folder, &[&["reload"], flags].concat())
}

const SERVED: &str = "the server serves the definition\n";

#[test]
fn a_definition_that_breaks_clients_is_refused_until_it_is_allowed() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), definition("1.0.0", "?int(1,100)"));
    let address = free_address();
    let server = ServerProcess::start(folder.path(), &address, &["serve"]);
    assert_eq!(get(&address, "/article?size=50").0, 200);
    assert_eq!(get(&address, "/article").0, 200);

    write(folder.path(), definition("1.1.0", "?int(1,20)"));
    let refused = reload(folder.path(), &[]);
    assert_eq!((refused.exit_code, refused.stdout.as_str()), (Some(1), ""), "{refused:?}");
    let expected = "\
  GET /article: `size` (query) is `int(1,20)`, and was `int(1,100)` [parameter-narrowed]
    example: {\"request\":{\"size\":100}}
    used today: 1 time without a credential
";
    assert!(refused.stderr.contains(expected), "{refused:?}");
    assert_eq!(get(&address, "/article?size=50").0, 200, "the previous definition is served");
    let ready: Json = serde_json::from_str(&get(&address, "/readyz").1).unwrap();
    assert!(ready["definition"].as_str().unwrap().contains("parameter-narrowed"), "{ready}");

    let allowed = reload(folder.path(), &["--allow-breaking"]);
    assert_eq!((allowed.exit_code, allowed.stdout.as_str()), (Some(0), SERVED), "{allowed:?} {}", server.log());
    assert_eq!(get(&address, "/article?size=50").0, 400);
    let ready: Json = serde_json::from_str(&get(&address, "/readyz").1).unwrap();
    assert_eq!((&ready["version"], ready.get("definition")), (&json!("1.1.0"), None));
}

#[test]
fn compatible_changes_and_new_major_versions_are_served() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), definition("1.0.0", "?int(1,20)"));
    let address = free_address();
    let _server = ServerProcess::start(folder.path(), &address, &["serve"]);
    for (version, size, status) in [("1.0.0", "?int(1,100)", 200), ("2.0.0", "?int(1,20)", 400)] {
        write(folder.path(), definition(version, size));
        let result = reload(folder.path(), &[]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(0), SERVED), "{version}: {result:?}");
        assert_eq!(get(&address, "/article?size=50").0, status, "{version}");
    }
    fs::write(folder.path().join("api/article.json"), "{").unwrap();
    let broken = reload(folder.path(), &[]);
    assert_eq!(broken.exit_code, Some(1), "the command reports the errors itself: {broken:?}");
    assert_eq!(get(&address, "/article").0, 200);
}

#[test]
fn a_reload_needs_a_server() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), definition("1.0.0", "?int(1,20)"));
    let result = reload(folder.path(), &[]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{result:?}");
    assert!(result.stderr.contains("no server uses the data folder"), "{result:?}");
}
