//! Tests of `rulebook serve`: how the server starts and stops, and what it prints.

use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{RunResult, definition_folder, folder_with_unbound_service, run_program, shop_folder, shop_module};
use crate::server_process::{ServerProcess, free_address, program};

#[test]
fn errors_in_locations_do_not_contain_passwords() {
    let folder = definition_folder(&[("app.json", json!({ "unbound": "echo" })), ("shop.json", shop_module())]);
    let secret = "s3://ada:hunter2@bucket/x";
    let flag = run_program(folder.path(), &["serve", "--files", secret]);
    let variable = program(folder.path()).arg("serve").env("RULEBOOK_FILES", secret).output().unwrap();
    let other = run_program(folder.path(), &["serve", "--files", "ftp://ada:hunter2@bucket/x"]);
    let setting = |app: Json| {
        let module = json!({ "GET": { "info": "Shops", "handler": { "http": "/shops" } } });
        let folder = definition_folder(&[("app.json", app), ("shop.json", module)]);
        run_program(folder.path(), &["check"])
    };
    let results = [
        flag,
        RunResult::from(variable),
        other,
        setting(json!({ "files": secret })),
        setting(json!({ "shared_limits": { "url": "redis://ada:hunter2@localhost" } })),
        setting(json!({ "idempotency_storage": "hunter2" })),
        setting(json!({ "handlers": { "http": { "base": "http://ada:hunter2@localhost" } } })),
    ];
    for result in results {
        assert_ne!(result.exit_code, Some(0), "{}", result.stdout);
        assert!(!format!("{}{}", result.stdout, result.stderr).contains("hunter2"), "{}", result.stderr);
    }
}

#[test]
fn keys_are_read_only_if_the_definition_accepts_them() {
    for (auth, expected) in [
        (json!({ "keys": {} }), "data (1 key)"),
        (json!({ "keys": {}, "basic": { "users": "users" } }), "data (1 key)"),
        (json!({ "basic": { "users": "users" } }), "data (no keys)"),
        (json!({}), "data (no keys)"),
    ] {
        let app = json!({ "unbound": "echo", "auth": auth });
        let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
        std::fs::write(folder.path().join("users"), "").unwrap();
        assert_eq!(run_program(folder.path(), &["keys", "add", "--name", "ada"]).exit_code, Some(0));
        let process = ServerProcess::start(folder.path(), &free_address(), &["serve"]);
        assert!(process.stdout.contains(expected), "{auth}: {}", process.stdout);
    }
}

#[test]
fn settings_of_the_definition_apply_without_flags_and_variables() {
    let address = free_address();
    let app = json!({ "unbound": "501", "bind": address, "data": "own", "workers": 1, "base": "/v1", "log": "error" });
    let folder = folder_with_unbound_service(&app);
    let summary = |output: &str| {
        let rows = output.lines().skip(2).map(|row| row.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
        rows.collect::<Vec<_>>()
    };
    let url = format!("listens http://{address}/v1");
    let expected = [
        "serves 7",
        url.as_str(),
        "unbound 501:",
        "data own",
        "files own/files",
        "static static",
        "workers 1",
        "log error",
    ];
    assert_eq!(summary(&start_server(program(folder.path()), folder.path(), &address).stdout), expected);

    let other = free_address();
    let mut command = program(folder.path());
    command
        .env("RULEBOOK_BIND", &other)
        .env("RULEBOOK_DATA", "data")
        .env("RULEBOOK_FILES", "stored")
        .env("RULEBOOK_STATIC", "pages")
        .env("RULEBOOK_WORKERS", "2")
        .env("RULEBOOK_LOG", "warn");
    let url = format!("listens http://{other}/v1");
    let expected = [
        "serves 7",
        url.as_str(),
        "unbound 501:",
        "data data",
        "files stored",
        "static pages",
        "workers 2",
        "log warn",
    ];
    assert_eq!(summary(&start_server(command, folder.path(), &other).stdout), expected);
}

#[test]
fn pages_contain_the_address_of_a_flag_or_a_variable() {
    let folder = definition_folder(&[
        ("app.json", json!({ "bind": "127.0.0.1:7000", "unbound": "echo" })),
        ("shop.json", shop_module()),
    ]);
    for by_flag in [true, false] {
        let address = free_address();
        let mut command = program(folder.path());
        if by_flag {
            command.args(["serve", "--bind", &address]);
        } else {
            command.env("RULEBOOK_BIND", &address);
        }
        let _server = start_server(command, folder.path(), &address);
        let get = |path: &str| {
            ureq::get(format!("http://{address}{path}")).call().unwrap().body_mut().read_to_string().unwrap()
        };
        let contents = get("/docs/index.md");
        let link = contents.split("(methods/").nth(1).and_then(|behind| behind.split(')').next()).unwrap();
        let page = get(&format!("/docs/methods/{link}"));
        assert!(page.contains(&format!("http://{address}/")) && !page.contains(":7000"), "{page}");
    }
}

#[test]
fn the_server_listens_on_several_addresses() {
    let folder = shop_folder();
    let (first, second) = (free_address(), free_address());
    let url = format!("http://{first}/, http://{second}/\n");
    let both = format!("{first},{second}");
    let mut environment = program(folder.path());
    environment.env("RULEBOOK_BIND", &both);
    for (command, flags) in [
        (program(folder.path()), vec!["--bind", &*first, "--bind", &*second]),
        (program(folder.path()), vec!["--bind", &*both]),
        (environment, vec![]),
    ] {
        let mut command = command;
        command.args(flags);
        let process = start_server(command, folder.path(), &second);
        assert!(process.stdout.contains(&format!("listens    {url}")), "{}", process.stdout);
        let texts = [&first, &second].map(|address| {
            ureq::get(format!("http://{address}/openapi.json")).call().unwrap().body_mut().read_to_string().unwrap()
        });
        assert_eq!(texts[0], texts[1]);
    }
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap();
    let result = run_program(folder.path(), &["serve", "--bind", &first, "--bind", &taken.to_string()]);
    assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{result:?}");
    assert!(result.stderr.contains(&format!("cannot listen on {taken}: ")), "{result:?}");
}

#[test]
fn static_files_are_served_if_their_folder_exists() {
    let folder = shop_folder();
    let page = |flags: &[&str]| {
        let address = free_address();
        let process = ServerProcess::start(folder.path(), &address, &[&["serve"], flags].concat());
        let mut response = ureq::get(format!("http://{address}/")).call().unwrap();
        (process.stdout.contains("built-in"), response.body_mut().read_to_string().unwrap())
    };
    let (is_built_in, text) = page(&[]);
    assert!(is_built_in && text.contains("docs.js"), "{text}");
    for name in ["static", "other"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
        std::fs::write(folder.path().join(name).join("index.html"), name).unwrap();
    }
    assert_eq!(page(&[]), (false, "static".to_owned()));
    assert_eq!(page(&["--static", "other"]), (false, "other".to_owned()));
}

#[test]
fn a_static_folder_with_private_files_is_refused() {
    for (flags, message) in [
        (&["--static", "."][..], "the static folder . contains the definition api"),
        (
            &["--static", "static", "--data", "static/data"],
            "the static folder static contains the data folder static/data",
        ),
        (&["--static", "data", "--data", "data"], "the static folder data contains the data folder data"),
        (&["--static", "static", "--data", "link/data"], "the static folder static contains the data folder link/data"),
        (&["--static", "static", "--files", "static/files"], "the static folder static contains the stored files "),
        (&["--static", "files/public", "--files", "files"], "is in the folder of stored files "),
    ] {
        let folder = folder_with_unbound_service(&json!({ "unbound": "echo" }));
        for name in ["static", "data", "files/public"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        std::os::unix::fs::symlink("static", folder.path().join("link")).unwrap();
        let result = run_program(folder.path(), &[&["serve", "--bind", "127.0.0.1:0"], flags].concat());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{flags:?}: {result:?}");
        assert!(result.stderr.contains(message) && result.stderr.contains("move one"), "{flags:?}: {result:?}");
    }
}

#[test]
fn a_static_folder_with_files_of_handlers_authenticators_or_the_server_is_refused() {
    let sql = |url: &str| json!({ "handlers": { "sql": { "url": url, "migrations": "migrations" } } });
    let jwt = json!({ "issuer": "a", "audience": "b", "permissions": ["x"], "jwks": "static/jwks.json" });
    let tls = ["--tls-certificate", "site.pem", "--tls-key", "static/site.key"];
    let module = json!({ "/": { "extra": { "POST": {
        "info": "One", "options": { "idempotent": "optional" }, "out": { "one": { "info": "One", "type": "int" } },
        "handler": { "sql": "select 1 as one" }
    } } } });
    for (app, flags, file) in [
        (sql("sqlite:../static/shop.db"), &["--static", "static"][..], "data/../static/shop.db"),
        (sql("sqlite:shop.db"), &["--static", "migrations"], "migrations"),
        (json!({ "idempotency_storage": "sqlite:../static/keys.db" }), &[], "data/../static/keys.db"),
        (json!({ "auth": { "basic": { "users": "static/users" } } }), &[], "static/users"),
        (json!({ "auth": { "jwt": [jwt] } }), &[], "static/jwks.json"),
        (json!({}), &tls, "static/site.key"),
    ] {
        let folder = folder_with_unbound_service(&app);
        std::fs::write(folder.path().join("api/extra.json"), module.to_string()).unwrap();
        for name in ["static", "data", "migrations"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let result = run_program(folder.path(), &[&["serve", "--bind", "127.0.0.1:0"], flags].concat());
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(2), ""), "{app}: {result:?}");
        assert!(result.stderr.contains(&format!("contains the private file {file}: ")), "{app}: {result:?}");
    }
}

/// A running server process. Dropping this value kills the process.
struct StartedServer {
    child: Child,
    /// What the server has printed to standard output until it listened.
    stdout: String,
}

impl Drop for StartedServer {
    fn drop(&mut self) {
        // Killing fails if the server has already ended.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }
}

/// Starts a server and waits until it listens on `address`.
fn start_server(mut command: Command, folder: &Path, address: &str) -> StartedServer {
    let (stdout, stderr) = (folder.join("stdout"), folder.join("stderr"));
    command.stdout(File::create(&stdout).unwrap()).stderr(File::create(stderr).unwrap());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    // The server prints the summary after it has begun to listen. Its last lines contain `workers`.
    while TcpStream::connect(address).is_err() || !std::fs::read_to_string(&stdout).unwrap().contains("workers") {
        assert_eq!(child.try_wait().unwrap(), None, "the server has stopped");
        assert!(begun.elapsed() < Duration::from_secs(30), "the server does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    StartedServer { child, stdout: std::fs::read_to_string(stdout).unwrap() }
}

#[test]
fn a_server_with_an_invalid_definition_does_not_listen() {
    // The address is in use. If the server tried to listen, it would report this instead of the expected error.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let invalid = definition_folder(&[("a.json", json!({ "/": { "a": { "GET": {} } } }))]);
    let unbound = definition_folder(&[("shop.json", shop_module())]);
    for (folder, code) in [(invalid, "missing-info"), (unbound, "unbound-method")] {
        let result = run_program(folder.path(), &["serve", "--bind", &address]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(1), ""), "{result:?}");
        assert!(result.stderr.contains(&format!("error[{code}]")), "{result:?}");
    }
}

#[test]
fn an_address_that_is_invalid_or_in_use_is_reported_with_its_flag() {
    let folder = shop_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for address in [taken.as_str(), "nowhere.invalid:1"] {
        let result = run_program(folder.path(), &["serve", "--bind", address]);
        assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""), "{address}: {result:?}");
        assert!(result.stderr.starts_with(&format!("error: --bind {address}: ")), "{result:?}");
    }
}

#[cfg(unix)]
#[test]
fn signals_stop_the_server() {
    for signal in ["-TERM", "-INT"] {
        let folder = shop_folder();
        let address = free_address();
        let mut command = program(folder.path());
        command.args(["serve", "--bind", &address]);
        let mut server = start_server(command, folder.path(), &address);
        // An idle connection must not delay the end of the server.
        let idle = TcpStream::connect(&address).unwrap();
        assert!(Command::new("kill").args([signal, &server.child.id().to_string()]).status().unwrap().success());
        let begun = Instant::now();
        while server.child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{signal} does not stop the server");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(server.child.wait().unwrap().code(), Some(0), "{signal}");
        assert!(TcpStream::connect(&address).is_err());
        drop(idle);
        let log = std::fs::read_to_string(folder.path().join("stderr")).unwrap();
        assert!(log.contains("stopping"), "{log}");
    }
}

#[test]
fn keys_are_required_and_never_logged() {
    let folder = shop_folder();
    let key =
        run_program(folder.path(), &["keys", "add", "--name", "ada", "--scope", "admin"]).stdout.trim().to_owned();
    let address = free_address();
    let mut command = program(folder.path());
    command.args(["serve", "--bind", &address, "--log", "trace"]);
    let server = start_server(command, folder.path(), &address);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |key: &str| {
        let request = agent.post(format!("http://{address}/article")).header("Authorization", format!("Bearer {key}"));
        let mut response = request.send_json(json!({ "title": "x" })).unwrap();
        (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
    };
    assert_eq!(post(&key).0, 200);
    let other_folder = ["keys", "add", "--name", "ada", "--scope", "admin", "--data", "other"];
    let wrong = run_program(folder.path(), &other_folder).stdout.trim().to_owned();
    let (status, body) = post(&wrong);
    assert_eq!(status, 401);
    assert!(!body.contains(&wrong), "{body}");
    drop(server);
    let log = std::fs::read_to_string(folder.path().join("stderr")).unwrap();
    assert!(log.contains("the key is unknown"), "{log}");
    for secret in [&key[12..], &wrong[12..]] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn serve_is_the_default_command() {
    let folder = shop_folder();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = program(folder.path()).args(["--bind", &address]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}
