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
    sent today: 1 time without a credential
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
fn each_change_says_whose_requests_it_concerns() {
    let parameter = |term: &str| json!({ "info": "I", "type": term });
    let files = |query: &str, header: &str, word: &str, envelope: &str| {
        let mut inputs =
            json!({ "GET@size": parameter(query), "HEADER@size": parameter(header), "GET@word": parameter(word) });
        inputs["GET@size"]["name"] = json!("shown");
        inputs["HEADER@size"]["name"] = json!("sent");
        let module = json!({ "/": { "article": { "GET": { "info": "Lists articles", "in": inputs } } } });
        [("app.json", json!({ "unbound": "echo", "envelope": envelope })), ("article.json", module)]
    };
    let folder = TempDir::new().unwrap();
    write(folder.path(), files("?int(1,100)", "?int(1,100)", "?string", "plain"));
    let address = free_address();
    let _server = ServerProcess::start(folder.path(), &address, &["serve"]);
    for path in ["/article?size=50", "/article?word=a", "/article"] {
        assert_eq!(get(&address, path).0, 200);
    }
    for (files, expected) in [
        (files("?int(1,20)", "?int(1,100)", "?string", "plain"), "sent today: 1 time without a credential"),
        (files("?int(1,100)", "?int(1,20)", "?string", "plain"), "sent today: never"),
        // Those who do not send it are refused.
        (files("?int(1,100)", "?int(1,100)", "string", "plain"), "called today: 3 times without a credential"),
        (files("?int(1,100)", "?int(1,100)", "?string", "iapi"), "methods called today: 3 times without a credential"),
    ] {
        write(folder.path(), files);
        let refused = reload(folder.path(), &[]);
        assert!(refused.stderr.contains(&format!("\n    {expected}\n")), "{expected}: {refused:?}");
    }
}

#[test]
fn reloads_at_the_same_time_wait_for_each_other() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), definition("1.0.0", "?int(1,100)"));
    let address = free_address();
    let _server = ServerProcess::start(folder.path(), &address, &["serve"]);
    write(folder.path(), definition("1.0.0", "?int(1,20)"));
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..3).map(|_| scope.spawn(|| reload(folder.path(), &[]))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for result in results {
        assert_eq!(result.exit_code, Some(1), "{result:?}");
        assert!(result.stderr.contains("parameter-narrowed"), "{result:?}");
    }
}

#[test]
fn a_reload_needs_a_server() {
    let folder = TempDir::new().unwrap();
    write(folder.path(), definition("1.0.0", "?int(1,20)"));
    let result = reload(folder.path(), &[]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{result:?}");
    assert!(result.stderr.contains("no server uses the data folder"), "{result:?}");
}
