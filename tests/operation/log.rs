//! Tests of the formats of the log: text and JSON.

use serde_json::{Value, json};

use crate::cli::{RunResult, definition_folder, run_program, shop_folder, shop_module};
use crate::client::{Connection, Request};
use crate::server_process::{ServerProcess, free_address, program};

fn send_request(address: &str, request: &Request) -> crate::client::Response {
    Connection::open(address.parse().unwrap()).send(request)
}

/// Parses each line of a JSON log.
#[track_caller]
fn parse_json_lines(log: &str) -> Vec<Value> {
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    log.lines().map(line).collect()
}

#[test]
fn a_text_log_has_one_line_per_record() {
    let folder = shop_folder();
    let address = free_address();
    let process = ServerProcess::start(folder.path(), &address, &["serve"]);
    let response = send_request(&address, &Request::new("GET", "/article/7?tag=x").field("x-request-id", "mine"));
    assert_eq!(response.status, 200);
    let log = process.log();
    let line = log.lines().find(|line| line.ends_with(" mine")).unwrap_or_else(|| panic!("{log}"));
    let shape = r"^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO  rulebook::access\] 127\.0\.0\.1:\d+ - GET /article/7 200 \d+ \d+\.\d{3}ms article\.get - mine$";
    assert!(regex::Regex::new(shape).unwrap().is_match(line), "{line}");
}

#[test]
fn a_json_log_has_one_object_per_line() {
    let folder = shop_folder();
    let address = free_address();
    let mut process =
        ServerProcess::start(folder.path(), &address, &["serve", "--log-format", "json", "--log", "trace"]);
    send_request(&address, &Request::new("GET", "/article/x").field("x-request-id", "mine"));
    send_request(
        &address,
        &Request::new("GET", "/article").field("authorization", "Bearer rb_none").field("x-request-id", "bad"),
    );
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
    let all = parse_json_lines(&process.log());
    for line in &all {
        let keys: Vec<_> = line.as_object().unwrap().keys().take(4).map(String::as_str).collect();
        assert_eq!(keys, ["time", "level", "target", "message"], "{line}");
    }
    let access = all.iter().find(|line| line["target"] == "rulebook::access" && line["request_id"] == "mine").unwrap();
    let fixed = json!({ "method": "GET", "path": "/article/x", "status": 400, "id": "article.get", "code": "invalid-parameter" });
    for (key, value) in fixed.as_object().unwrap() {
        assert_eq!(&access[key], value, "{key} of {access}");
    }
    assert!(access["ms"].is_f64() && access["bytes"].is_u64() && access["peer"].is_string(), "{access}");
    let refused = all.iter().find(|line| line["level"] == "WARN" && line["request_id"] == "bad").unwrap();
    assert_eq!(refused["id"], "article.get", "{refused}");
    let message = |line: &&Value| line["message"].as_str().unwrap().starts_with("stopping");
    assert!(all.iter().any(|line| message(&line)), "{all:?}");
}

#[test]
fn the_log_format_is_set_by_flag_variable_or_definition() {
    let app = |format: Value| {
        definition_folder(&[
            ("app.json", json!({ "unbound": "echo", "log_format": format })),
            ("shop.json", shop_module()),
        ])
    };
    let is_json = |folder: &std::path::Path, environment: Option<&str>, flag: Option<&str>| {
        let address = free_address();
        let mut command = program(folder);
        command.envs(environment.map(|value| ("RULEBOOK_LOG_FORMAT", value)));
        command.args(flag.map(|value| format!("--log-format={value}")));
        let process = ServerProcess::run(&mut command, folder, &address);
        send_request(&address, &Request::new("GET", "/article"));
        let log = process.log();
        let line = log.lines().find(|line| line.contains("rulebook::access")).unwrap_or_else(|| panic!("{log}"));
        line.starts_with('{')
    };
    let (text, json) = (app(json!("text")), app(json!("json")));
    assert!(!is_json(shop_folder().path(), None, None));
    assert!(is_json(json.path(), None, None));
    assert!(!is_json(json.path(), Some("text"), None));
    assert!(is_json(text.path(), Some("json"), None));
    assert!(!is_json(text.path(), Some("json"), Some("text")));
    let result = run_program(text.path(), &["serve", "--log-format", "xml"]);
    assert_eq!(result.exit_code, Some(2), "{result:?}");
    let invalid = app(json!("xml"));
    let RunResult { exit_code: code, stdout: out, .. } = run_program(invalid.path(), &["check"]);
    assert!(
        code == Some(1) && out.contains("error[bad-option]: unknown value of `log_format`: `xml`"),
        "{code:?} {out}"
    );
}

#[test]
fn logged_text_cannot_begin_another_line() {
    let app = json!({ "unbound": "echo", "unknown": "warn" });
    let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
    let forged = Request::new("GET", "/article?%0A%5Bforged%5D=1&a%1b%5B2Jb=2&%0D%0A%7B%7D=3");
    for format in ["text", "json"] {
        let address = free_address();
        let process = ServerProcess::start(folder.path(), &address, &["serve", "--log-format", format]);
        assert_eq!(send_request(&address, &forged).status, 200);
        let log = process.log();
        assert!(log.contains("forged"), "{log}");
        assert!(!log.contains(['\r', '\x1b']), "{log:?}");
        if format == "json" {
            assert!(
                parse_json_lines(&log).iter().any(|line| line["message"].as_str().unwrap().contains("forged")),
                "{log}"
            );
        } else {
            assert!(log.lines().all(|line| line.starts_with("[20") || line.starts_with("    ")), "{log}");
        }
    }
}

#[test]
fn the_access_log_can_be_turned_off() {
    let folder = shop_folder();
    let address = free_address();
    let mut process = ServerProcess::start(folder.path(), &address, &["serve", "--log", "info,rulebook::access=off"]);
    send_request(&address, &Request::new("GET", "/article"));
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
    let log = process.log();
    assert!(log.contains("stopping") && !log.contains("access"), "{log}");
}
