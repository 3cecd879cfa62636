//! Tests of the callers of methods: the counts of requests and parameters, their file, and the commands that show them.

use std::fs;
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rulebook::usage::{self, UsageRecorder};
use rulebook::{Authenticate, Authentication, Head, Identity, Rulebook, Unbound};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::cli::{RunResult, definition_folder, run_program};
use crate::client::{Connection, Request, TestServer};
use crate::keys::add_key;
use crate::server_process::{ServerProcess, free_address};

fn shop_module() -> Json {
    let size = json!({ "info": "How many", "type": "int(1,100)", "default": 10, "name": "size" });
    json!({ "/": {
        "article": { "GET": { "info": "Articles", "in": {
            "URL#0": { "info": "Which", "type": "?id", "name": "id" },
            "GET@size": size,
            "GET@sort-by": { "info": "Order", "type": "?string", "name": "order" }
        } } },
        "order": { "POST": { "info": "Orders", "scope": [["customer"]], "in": {
            "note": { "info": "A note", "type": "?string" }
        } } },
        "old": { "GET": { "info": "As before", "options": { "deprecated": true } } }
    } })
}

fn shop_folder() -> TempDir {
    let auth = json!({ "keys": {}, "basic": { "users": "users.htpasswd" } });
    let app = json!({ "unbound": "echo", "auth": auth });
    let folder = definition_folder(&[("app.json", app), ("shop.json", shop_module())]);
    // The password is `secret`.
    let users = "eve:$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";
    fs::write(folder.path().join("users.htpasswd"), users).unwrap();
    folder
}

fn start(folder: &Path) -> (ServerProcess, String) {
    let address = free_address();
    (ServerProcess::start(folder, &address, &["serve", "--share-data"]), address)
}

/// Stops a server, which then saves its counts.
#[track_caller]
fn stop(mut server: ServerProcess) -> String {
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "{}", server.log());
    server.log()
}

fn send(address: &str, credential: &str, request: Request) -> u16 {
    let request = if credential.is_empty() { request } else { request.field("authorization", credential) };
    Connection::open(address.parse().unwrap()).send(&request).status
}

/// Runs a command that prints JSON.
#[track_caller]
fn json_of(folder: &Path, arguments: &[&str]) -> Json {
    let result = run_program(folder, arguments);
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    serde_json::from_str(&result.stdout).unwrap()
}

/// Returns what `rulebook usage` shows for each caller and method: the number of requests, and those with parameters.
#[track_caller]
fn shown_usage(folder: &Path) -> Json {
    let rows = json_of(folder, &["usage", "--format", "json"]);
    let member = |row: &Json| {
        let name = format!("{} {}", row["caller"].as_str().unwrap(), row["method"].as_str().unwrap());
        (name, json!([row["requests"], row["parameters"]]))
    };
    rows.as_array().unwrap().iter().map(member).collect::<serde_json::Map<_, _>>().into()
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Writes the file with the usage of these days.
fn write_usage(folder: &Path, days: &Json) {
    fs::create_dir_all(folder.join("data")).unwrap();
    fs::write(folder.join("data/usage.json"), json!({ "days": days }).to_string()).unwrap();
}

#[test]
fn requests_are_counted_by_caller_method_and_parameter_also_after_a_restart() {
    let folder = shop_folder();
    let [ada, bo] = ["ada", "bo"].map(|name| format!("Bearer {}", add_key(folder.path(), &["--name", name])));
    let (eve, get) = ("Basic ZXZlOnNlY3JldA==", |target: &str| Request::new("GET", target));
    let form = "application/x-www-form-urlencoded";
    let (server, address) = start(folder.path());
    for (credential, request, status) in [
        (&*ada, get("/article?size=5"), 200),
        (&ada, get("/article/7?size=6&sort-by=secret-value"), 200),
        (&ada, get("/article"), 200),
        (&bo, get("/old"), 200),
        (&bo, Request::new("POST", "/order").body(form, "note=x"), 403),
        ("", get("/article?sort-by=a"), 200),
        ("", get("/article?size=0&sort-by=a"), 400),
        (eve, get("/article"), 200),
        ("Bearer rb_unknown", get("/article"), 401),
        ("", get("/nowhere"), 404),
        ("", Request::new("OPTIONS", "/article"), 200),
    ] {
        assert_eq!(send(&address, credential, request), status, "{credential}");
    }
    stop(server);
    let expected = json!({
        "ada article.get": [3, { "id": 1, "order": 1, "size": 2 }],
        "bo old.get": [1, {}],
        "bo order.post": [1, {}],
        "-anonymous article.get": [2, { "order": 1 }],
        "-user article.get": [1, {}],
    });
    assert_eq!(shown_usage(folder.path()), expected);
    let text = fs::read_to_string(folder.path().join("data/usage.json")).unwrap();
    for private in ["secret-value", "eve", "127.0.0.1", "rb_"] {
        assert!(!text.contains(private), "{text}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = fs::metadata(folder.path().join("data/usage.json")).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }
    let (server, address) = start(folder.path());
    assert_eq!(send(&address, &ada, get("/article?size=7")), 200);
    stop(server);
    let mut expected = expected;
    expected["ada article.get"] = json!([4, { "id": 1, "order": 1, "size": 3 }]);
    assert_eq!(shown_usage(folder.path()), expected);
}

#[test]
fn servers_that_share_a_data_folder_add_to_the_same_counts() {
    let folder = shop_folder();
    let mut servers: Vec<_> = (0..2).map(|_| start(folder.path())).collect();
    for (_, address) in &servers {
        for _ in 0..20 {
            assert_eq!(send(address, "", Request::new("GET", "/old")), 200);
        }
    }
    // Both save at the same time.
    for (server, _) in &servers {
        server.signal("TERM");
    }
    for (server, _) in &mut servers {
        assert_eq!(server.wait(), Some(0), "{}", server.log());
    }
    assert_eq!(shown_usage(folder.path()), json!({ "-anonymous old.get": [40, {}] }));
}

#[test]
fn the_file_has_a_maximum_of_callers_on_a_day_and_of_days() {
    let folder = shop_folder();
    let key = format!("Bearer {}", add_key(folder.path(), &["--name", "new"]));
    let full: Json = (0..4_000)
        .map(|number| (format!("key {number}"), json!({ "article.get": { "requests": 1 } })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let now = today();
    // The day may end before the server saves.
    let next = now.tomorrow().unwrap();
    let old = now - 40.days();
    write_usage(folder.path(), &json!({ now.to_string(): full, next.to_string(): full, old.to_string(): full }));
    let (server, address) = start(folder.path());
    for credential in ["", &key, &key] {
        assert_eq!(send(&address, credential, Request::new("GET", "/article")), 200);
    }
    stop(server);
    let saved = usage::read(&folder.path().join("data")).unwrap();
    assert_eq!(saved.days.keys().copied().collect::<Vec<_>>(), [now, next]);
    let requests = |caller: &str| -> u64 {
        let callers = saved.days.values().flat_map(|day| day.callers_of("article.get", None));
        callers.filter(|(name, _)| *name == caller).map(|(_, count)| count).sum()
    };
    assert_eq!(["-anonymous", "-other", "new"].map(requests), [1, 2, 0]);
}

#[test]
fn a_file_that_is_not_valid_is_kept_and_reported_once() {
    let folder = shop_folder();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("usage.json"), "{").unwrap();
    let (server, address) = start(folder.path());
    assert_eq!(send(&address, "", Request::new("GET", "/article")), 200);
    let log = stop(server);
    assert_eq!(log.matches("the usage of methods cannot be saved").count(), 1, "{log}");
    assert!(log.contains("usage.json: EOF"), "{log}");
    assert_eq!(fs::read_to_string(data.join("usage.json")).unwrap(), "{");
    let RunResult { exit_code, stdout, stderr } = run_program(folder.path(), &["usage"]);
    assert_eq!((exit_code, stdout.as_str()), (Some(3), ""));
    assert!(stderr.contains("usage.json: EOF"), "{stderr}");
}

/// Identifies a request by the name of a key in a header field.
struct AnyKey;

impl Authenticate for AnyKey {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let name = head.header_values("x-key").next().and_then(|name| name.to_str().ok());
        name.map_or(Authentication::Anonymous, |name| {
            Authentication::Identity(Identity::new(name, [""; 0]).with_namespace("keys"))
        })
    }
}

#[test]
fn a_recorder_adds_what_is_not_saved_and_a_worker_counts_a_maximum_of_keys() {
    let definition = vec![("shop.json".into(), shop_module().to_string().into_bytes())];
    let rulebook = Rulebook::read(definition).authenticator(AnyKey).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let data = TempDir::new().unwrap();
    let (first, recorder) = (today(), UsageRecorder::start(data.path(), server.running.api_handle()).unwrap());
    let mut connection = server.connect();
    let mut get = |target: &str, key: &str| {
        let response = connection.send(&Request::new("GET", target).field("x-key", key));
        assert_eq!(response.status, 200, "{response:?}");
        response.body
    };
    for number in 0..1_000 {
        get("/article?size=1", &format!("key {number}"));
    }
    for key in ["further", "another", "key 5"] {
        get("/article", key);
    }
    let metrics = String::from_utf8(get("/metrics", "")).unwrap();
    assert_eq!(metrics.matches("rulebook_key_requests_total{").count(), 1_001);
    for sample in ["{key=\"-other\",method=\"article.get\"} 2\n", "{key=\"key 5\",method=\"article.get\"} 2\n"] {
        assert!(metrics.contains(&format!("rulebook_key_requests_total{sample}")), "{sample}");
    }
    let usage = recorder.today();
    let callers = usage.callers_of("article.get", None);
    let sized = usage.callers_of("article.get", Some("size"));
    // The requests before the end of a day belong to it.
    if today() == first {
        assert_eq!((callers.len(), &callers[..2]), (1_001, &[("-other", 2), ("key 5", 2)][..]));
        assert_eq!((sized.len(), sized[0].1), (1_000, 1));
        assert_eq!(usage.callers_of("article.get", Some("order")), []);
        assert_eq!(usage.callers_of("old.get", None), []);
    }
    drop(server);
    drop(recorder);
    let saved = usage::read(data.path()).unwrap();
    let saved: u64 =
        saved.days.values().flat_map(rulebook::usage::UsageCounts::iter).map(|(.., usage)| usage.requests).sum();
    assert_eq!(saved, 1_003);
}

#[test]
fn the_commands_show_who_calls_deprecated_methods() {
    let folder = shop_folder();
    for name in ["ada", "bo"] {
        add_key(folder.path(), &["--name", name]);
    }
    let (now, before) = (today(), today() - 10.days());
    write_usage(
        folder.path(),
        &json!({
            before.to_string(): {
                "ada": { "old.get": { "requests": 2 } },
                "bo": { "old.get": { "requests": 1 } }
            },
            now.to_string(): {
                "-anonymous": { "old.get": { "requests": 12 } },
                "ada": {
                    "article.get": { "requests": 30, "parameters": { "order": 1, "size": 7 } },
                    "old.get": { "requests": 5 },
                    "removed.get": { "requests": 1 }
                }
            }
        }),
    );
    let run = |arguments: &[&str]| run_program(folder.path(), &[&["usage"], arguments].concat());
    for (arguments, expected) in [
        (
            &[][..],
            format!(
                "CALLER      METHOD       REQUESTS  LAST DAY    PARAMETERS\n\
                 ada         article.get  30        {now}  order 1, size 7\n\
                 -anonymous  old.get      12        {now}\n\
                 ada         old.get      5         {now}\n\
                 ada         removed.get  1         {now}\n"
            ),
        ),
        (
            &["--deprecated", "--days", "30"],
            format!(
                "CALLER      METHOD   REQUESTS  LAST DAY    PARAMETERS\n\
                 -anonymous  old.get  12        {now}\n\
                 ada         old.get  7         {now}\n\
                 bo          old.get  1         {before}\n"
            ),
        ),
        (
            &["--method", "removed.get"],
            format!(
                "CALLER  METHOD       REQUESTS  LAST DAY    PARAMETERS\n\
                 ada     removed.get  1         {now}\n"
            ),
        ),
        (&["--method", "order.post", "--days", "1"], "no requests in 1 day\n".to_owned()),
    ] {
        let result = run(arguments);
        assert_eq!((result.exit_code, result.stdout), (Some(0), expected), "{arguments:?}");
    }
    let row = json!([{
        "caller": "ada", "method": "article.get", "requests": 30, "parameters": { "order": 1, "size": 7 },
        "last_day": now.to_string(),
    }]);
    assert_eq!(json_of(folder.path(), &["usage", "--method", "article.get", "--format", "json"]), row);
    let unknown = run(&["--method", "articl.get"]);
    assert_eq!(unknown.exit_code, Some(1));
    assert_eq!(unknown.stderr, "error: no method has the id `articl.get`; did you mean `article.get`?\n");
    assert_eq!(run(&["--days", "36"]).exit_code, Some(2));

    for (days, expected) in [("7", vec![("ada", now)]), ("30", vec![("ada", now), ("bo", before)])] {
        let arguments = ["keys", "list", "--uses", "deprecated", "--days", days];
        let keys = json_of(folder.path(), &[&arguments[..], &["--json"]].concat());
        let keys: Vec<_> =
            keys.as_array().unwrap().iter().map(|key| json!([key["name"], key["deprecated_call"]])).collect();
        assert_eq!(Json::from(keys), json!(expected));
        let table = run_program(folder.path(), &arguments).stdout;
        let mut lines = table.lines();
        assert!(lines.next().unwrap().ends_with("  STATE  DEPRECATED CALL"), "{table}");
        let ends: Vec<_> = lines.map(|line| line.rsplit("  ").next().unwrap()).collect();
        assert_eq!(ends, expected.iter().map(|(_, day)| day.to_string()).collect::<Vec<_>>(), "{table}");
    }
    let all = run_program(folder.path(), &["keys", "list"]).stdout;
    assert!(all.lines().next().unwrap().ends_with("  STATE") && all.lines().count() == 3, "{all}");
}
