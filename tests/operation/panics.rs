//! Tests that each panic is logged once, with its location and with the id of the request that caused it.

use std::process::{Command, Stdio};

use rulebook::{ApiError, Args, Context, Module};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::client::{Request, TestServer, engine};

/// Outputs of a handler that panic when they are serialized.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("the pen broke")
    }
}

/// Not a test: another test runs this function in a new process, and reads its log.
#[test]
#[ignore = "run by the test below"]
fn logs_panics_of_requests() {
    env_logger::Builder::new().filter_level(log::LevelFilter::Warn).format_timestamp(None).init();
    rulebook::log_panics();
    let method = |info: &str| json!({ "GET": { "info": info } });
    let uris = ["handler", "before", "output", "own", "fine"];
    let definition =
        json!({ "/": uris.map(|uri| (uri.to_owned(), method(uri))).into_iter().collect::<serde_json::Map<_, _>>() });
    let module = Module::new("site")
        .get("/handler", async |_: Args<()>, _: Context| -> Result<(), ApiError> { panic!("the lamp\nfell") })
        .get("/before", async |_: Args<()>, _: Context| -> Result<(), ApiError> { Ok(()) })
        .get("/output", async |_: Args<()>, _: Context| Ok::<_, ApiError>(Unwritable))
        .get("/own", async |_: Args<()>, _: Context| -> Result<(), ApiError> {
            std::panic::catch_unwind(|| panic!("the cup slipped")).unwrap_err();
            Ok(())
        })
        .get("/fine", async |_: Args<()>, _: Context| -> Result<(), ApiError> { Ok(()) })
        .before(async |context: Context| {
            assert!(context.method() != "before.get", "the door jammed");
            Ok(())
        });
    let server = TestServer::start(&engine(&[("site.json", definition)], |rulebook| {
        rulebook.module(module).verify_outputs(false)
    }));
    for uri in uris {
        let request = Request::new("GET", format!("/{uri}")).field("x-request-id", format_args!("at-{uri}"));
        server.send(&request);
    }
    let inspected = Request::new("GET", "/fine").field("authorization", "Bearer panic");
    server.send(&inspected.field("x-request-id", "at-authenticator"));
    std::thread::Builder::new().name("lonely".to_owned()).spawn(|| panic!("nobody asked")).unwrap().join().unwrap_err();
}

#[test]
fn each_panic_is_logged_once_under_its_request() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([
        "--exact",
        "operation::panics::logs_panics_of_requests",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]);
    command.env_remove("RUST_LOG").env("RUST_BACKTRACE", "0").stdin(Stdio::null());
    let result = command.output().unwrap();
    let stderr = String::from_utf8(result.stderr).unwrap();
    assert!(result.status.success(), "{stderr}");
    let place = " at tests/operation/panics.rs:";
    let expected = [
        ("handler.get: at-handler: ", "the handler or its before hook panicked", "the lamp"),
        ("before.get: at-before: ", "the handler or its before hook panicked", "the door jammed"),
        ("output.get: at-output: ", "a stage panicked", "the pen broke"),
        ("", "the handler or its before hook caught a panic itself", ""),
        ("fine.get: at-authenticator: ", "a stage panicked", "the authenticator panicked"),
        ("", "the thread lonely panicked", "nobody asked"),
    ];
    for (under, who, words) in expected {
        let place = if words.starts_with("the authenticator") { " at tests/client/mod.rs:" } else { place };
        let is_it = |line: &&str| line.contains(&format!("] {under}{who}{place}")) && line.contains(words);
        let lines: Vec<_> = stderr.lines().filter(is_it).collect();
        assert_eq!(lines.len(), 1, "{under}{who}: {stderr}");
    }
    assert_eq!(stderr.lines().filter(|line| line.starts_with('[')).count(), expected.len(), "{stderr}");
    assert!(!stderr.contains("thread '"), "the usual words are printed too: {stderr}");
}
