//! Tests of `rulebook reload` and of `serve --watch --guard`: changes of the definition that break clients.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{RunResult, definition_folder, folder_with_unbound_service, run_program};
use crate::client::{Connection, Request};
use crate::keys::add_key;
use crate::server_process::{ServerProcess, free_address, program};

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
const UNCHANGED: &str = "the definition is unchanged\n";

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
    let time: jiff::Timestamp = ready["definition_refused"].as_str().unwrap().parse().unwrap();
    assert!(time.duration_until(jiff::Timestamp::now()) < jiff::SignedDuration::from_hours(1), "{ready}");

    let allowed = reload(folder.path(), &["--allow-breaking"]);
    assert_eq!((allowed.exit_code, allowed.stdout.as_str()), (Some(0), SERVED), "{allowed:?} {}", server.log());
    assert_eq!(get(&address, "/article?size=50").0, 400);
    let ready: Json = serde_json::from_str(&get(&address, "/readyz").1).unwrap();
    assert_eq!((&ready["version"], ready.get("definition_refused")), (&json!("1.1.0"), None));
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

fn send(address: &str, request: &Request) -> u16 {
    Connection::open(address.parse().unwrap()).send(request).status
}

#[test]
fn limits_and_failed_logins_stay_unless_something_has_changed() {
    let app = json!({
        "unbound": "echo",
        "auth": { "basic": { "users": "users.htpasswd" } },
        "rate_limit": { "requests": 2, "per": "day" }
    });
    let guarded = json!({ "info": "I", "scope": [["admin"]], "options": { "rate_limit": [] } });
    let module = json!({ "/": { "limited": { "GET": { "info": "I" } }, "guarded": { "GET": guarded } } });
    let folder = definition_folder(&[("app.json", app.clone()), ("shop.json", module.clone())]);
    let write = |file: &str, content: &str| fs::write(folder.path().join(file), content).unwrap();
    let users = "eve:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";
    write("users.htpasswd", users);
    let address = free_address();
    let server = ServerProcess::start(folder.path(), &address, &["serve"]);
    let limited = || get(&address, "/limited").0;
    // `eve:wrong`
    let guess = || send(&address, &Request::new("GET", "/guarded").field("authorization", "Basic ZXZlOndyb25n"));
    let use_up = || {
        while limited() == 200 {}
        while guess() == 401 {}
        assert_eq!((limited(), guess()), (429, 429));
    };
    use_up();
    for (file, content, expected) in [
        // A file that is written again is no change.
        ("api/shop.json", module.to_string(), UNCHANGED),
        ("api/notes.txt", "x".to_owned(), UNCHANGED),
        ("users.htpasswd", "invalid".to_owned(), ""),
        // The definition that is still served.
        ("users.htpasswd", users.to_owned(), UNCHANGED),
        ("users.htpasswd", format!("{users}# A comment\n"), SERVED),
        ("users.htpasswd", format!("{users}# A comment\n"), UNCHANGED),
        ("api/shop.json", format!("{module} "), SERVED),
        ("api/shop.json", module.to_string(), SERVED),
        ("api/app.json", format!("// A comment\n{app}"), SERVED),
    ] {
        write(file, &content);
        let result = reload(folder.path(), &[]);
        assert_eq!(result.stdout, expected, "{file} {content}: {result:?} {}", server.log());
        let statuses = if expected == SERVED { (200, 401) } else { (429, 429) };
        assert_eq!((limited(), guess()), statuses, "{file} {content}: {}", server.log());
        let ready: Json = serde_json::from_str(&get(&address, "/readyz").1).unwrap();
        assert_eq!(ready.get("definition_refused").is_some(), expected.is_empty(), "{file} {content}");
        use_up();
    }
    assert!(server.log().contains("the definition is unchanged"), "{}", server.log());
}

#[test]
fn workers_and_databases_stay_unless_their_files_have_changed() {
    let folder = folder_with_unbound_service(&json!({ "handlers": { "sql": { "migrations": "migrations" } } }));
    let output = |kind: &str| json!({ "value": { "info": "V", "type": kind } });
    let module = json!({ "/": {
        "script": { "GET": { "info": "I", "out": output("string"), "handler": { "process": ["python3", "bin/script"], "workers": 1 } } },
        "worker": { "GET": { "info": "I", "out": output("string"), "handler": { "process": ["python3", "handlers.py"], "workers": 1 } } },
        "row": { "GET": { "info": "I", "out": output("int"), "handler": { "sql": { "file": "sql/row.sql" }, "missing": false } } }
    } });
    let write = |file: &str, text: &str| {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("api/extra.json", &module.to_string());
    write("sql/row.sql", "select n as value from t");
    write("migrations/1_t.sql", "create table t (n int); insert into t values (1)");
    write("parts/tax.py", "TAX = 1\n");
    let sdk = json!(Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python"));
    let code = format!(
        "import os, sys\nsys.dont_write_bytecode = True\nsys.path.append({sdk})\n\
         from rulebook import handler, serve\nfrom parts import tax\n\n\
         @handler(\"worker.get\")\ndef get():\n    return {{\"value\": f\"{{os.getpid()}} {{tax.TAX}}\"}}\n\nserve()\n"
    );
    write("handlers.py", &code);
    // A program without an extension uses code with one.
    write("bin/script", &code.replace("worker.get", "script.get").replace("from parts import tax", "import tax"));
    write("bin/tax.py", "TAX = 1\n");
    let address = free_address();
    let server = ServerProcess::start(folder.path(), &address, &["serve", "--migrate"]);
    let mut worker = get(&address, "/worker");
    assert_eq!((worker.0, get(&address, "/row").0), (200, 200), "{}", server.log());
    for (file, content, expected) in [
        ("handlers.py", code.as_str(), UNCHANGED),
        ("handlers.py", &format!("# Changed\n{code}"), SERVED),
        ("parts/tax.py", "TAX = 2\n", SERVED),
        ("parts/tax.json", "2", SERVED),
        ("bin/tax.py", "TAX = 2\n", SERVED),
        ("parts/tax.txt", "2", UNCHANGED),
        (".venv/tax.py", "TAX = 3\n", UNCHANGED),
        ("node_modules/tax.py", "TAX = 3\n", UNCHANGED),
        ("sql/row.sql", "select n + 1 as value from t", SERVED),
        ("migrations/2_t.sql", "update t set n = 5", SERVED),
        ("migrations/2_t.sql", "update t set n = 5", UNCHANGED),
    ] {
        write(file, content);
        let result = reload(folder.path(), &[]);
        assert_eq!(result.stdout, expected, "{file}: {result:?} {}", server.log());
        let now = get(&address, "/worker");
        assert_eq!(now == worker, expected == UNCHANGED, "{file}: {worker:?} {now:?}");
        worker = now;
    }
    assert!(worker.1.contains(" 2"), "{worker:?}");
    assert!(get(&address, "/row").1.contains(":6"), "{:?}", get(&address, "/row"));
}

#[test]
fn no_client_reads_what_is_wrong_with_a_definition_a_worker_or_a_service() {
    const SECRETS: [&str; 9] =
        ["s3cret", "m4rk", "--pass", "handlers.py", "127.0.0.1:1", "abs3nt", "selekt", "vault-admin", "Traceback"];
    let method =
        |handler: Json| json!({ "info": "I", "out": { "v": { "info": "V", "type": "int" } }, "handler": handler });
    let worker = |password: &str| {
        let command = ["python3", "handlers.py", "--pass", password];
        json!({ "GET": method(json!({ "process": command, "workers": 1 })) })
    };
    let module = |size: &str, added: Json| {
        let mut vault = method(json!({ "value": { "v": 1 } }));
        vault["scope"] = json!([["vault-admin"]]);
        vault["in"] = json!({ "GET@size": { "info": "Size", "type": size } });
        let php = json!({ "fastcgi": "unix:/abs3nt.sock", "script": "/m4rk.php", "local_files": false });
        json!({ "/": {
            "vault": { "GET": vault },
            "worker": worker("s3cret"),
            "upstream": { "GET": method(json!({ "http": "http://127.0.0.1:1/m4rk" })) },
            "php": { "GET": method(php) },
            "added": added
        } })
        .to_string()
    };
    let value = || json!({ "GET": method(json!({ "value": { "v": 1 } })) });
    let limits = json!({ "url": "redis://:${TEST_SECRET}@127.0.0.1:1", "when_unavailable": "closed" });
    let folder = folder_with_unbound_service(&json!({
        "shared_limits": limits,
        "options": "own",
        "handlers": { "process": { "environment": { "TOKEN": "s3cret" } } }
    }));
    let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
    write("api/extra.json", &module("?int(1,100)", value()));
    // The worker ends with the first call, and does not start again.
    let sdk = json!(Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python"));
    let code = format!(
        "import os, sys\nsys.path.append({sdk})\nfrom rulebook import handler, serve\n\n\
         if os.path.exists(\"ended\"):\n    raise Exception(\"m4rk\")\n\n\
         @handler(\"worker.get\")\ndef get():\n    open(\"ended\", \"w\").close()\n    os._exit(1)\n\nserve()\n"
    );
    write("handlers.py", &code);
    let key = add_key(folder.path(), &["--name", "s3cret-partner", "--scope", "vault-admin"]);
    let address = free_address();
    let mut command = program(folder.path());
    let server = ServerProcess::run(command.env("TEST_SECRET", "s3cret").arg("serve"), folder.path(), &address);
    let bearer = format!("Bearer {key}");
    assert_eq!(send(&address, &Request::new("GET", "/vault?size=50").field("authorization", bearer)), 200);
    let wait = |text: &str| {
        let begun = Instant::now();
        while !server.log().contains(text) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{text:?} is not in {}", server.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    assert_eq!(get(&address, "/worker").0, 502);
    wait("m4rk");

    let invalid = json!({ "GET": { "info": "I", "s3cret": "an unknown key" } });
    let statement = json!({ "GET": method(json!({ "sql": "selekt 1 as v" })) });
    let missing = json!({ "GET": method(json!({ "sql": { "file": "abs3nt.sql" } })) });
    for (why, text, shown) in [
        ("a line of the definition", module("?int(1,100)", invalid), "\"s3cret\""),
        ("a statement", module("?int(1,100)", statement), "selekt 1"),
        ("a file", module("?int(1,100)", missing), "abs3nt.sql"),
        ("a command", module("?int(1,100)", worker("other-s3cret")), "--pass other-s3cret"),
        ("a change that breaks clients", module("?int(1,20)", value()), "1 time by `s3cret-partner`"),
    ] {
        write("api/extra.json", &text);
        let refused = reload(folder.path(), &[]);
        assert_eq!((refused.exit_code, refused.stdout.as_str()), (Some(1), ""), "{why}: {refused:?}");
        assert!(refused.stderr.contains(shown), "{why}: {refused:?}");
        // The command reports some errors without the server.
        server.signal("HUP");
        wait(shown);
        for (method, path, status) in [
            ("GET", "/readyz", 503),
            ("GET", "/healthz", 200),
            ("GET", "/docs/changes", 404),
            ("GET", "/docs/", 200),
            ("GET", "/openapi.json", 200),
            ("GET", "/llms.txt", 200),
            ("OPTIONS", "/", 200),
            ("OPTIONS", "/vault", 404),
            ("GET", "/worker", 503),
            ("GET", "/upstream", 503),
            ("GET", "/php", 502),
        ] {
            let response = Connection::open(address.parse().unwrap()).send(&Request::new(method, path));
            assert_eq!(response.status, status, "{method} {path}: {response:?}");
            let text = format!("{}{}", response.head, String::from_utf8_lossy(&response.body));
            for secret in SECRETS {
                assert!(!text.contains(secret), "{why}, {method} {path}: {secret} in {text}");
            }
        }
        let ready: Json = serde_json::from_str(&get(&address, "/readyz").1).unwrap();
        let members: Vec<_> = ready.as_object().unwrap().keys().collect();
        assert_eq!(members, ["status", "checks", "version", "digest", "definition_refused"], "{ready}");
        // The metrics contain the names of keys.
        let metrics = get(&address, "/metrics").1.replace("s3cret-partner", "");
        assert!(metrics.contains("rulebook_process_workers{pool=\"1\"} 0\n"), "{metrics}");
        for secret in SECRETS {
            assert!(!metrics.contains(secret), "{why}: {secret} in {metrics}");
        }
    }
}
