//! Definitions for the tests, and the errors in settings.

use rulebook::{Engine, Rulebook};
use rulebook_fastcgi::FastCgiKind;
use serde_json::{Value as Json, json};

/// Runs a test on a runtime like that of a worker thread.
pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Waits until a condition is true.
pub async fn until(condition: impl Fn() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the condition has not become true");
}

/// Returns a rulebook with the definition `api.json` and the settings `app.json`.
pub fn rulebook(app: &Json, api: &Json) -> Rulebook {
    let files = vec![("app.json".into(), app.to_string().into()), ("api.json".into(), api.to_string().into())];
    Rulebook::read(files).handler_kind(FastCgiKind::new())
}

/// Returns the method `song.HTTP`, which has the parameter `name` and the output `text`, with other members.
pub fn song(http: &str, members: &Json) -> Json {
    let mut method = json!({
        "info": "A song",
        "in": { "name": { "info": "Its name", "type": "?string" } },
        "out": { "text": { "info": "Its text", "type": "string" } },
        "errors": { "no_such_song": { "status": 404, "info": "there is no such song" } }
    });
    merge(&mut method, members);
    json!({ "/": { "song": { http: method } } })
}

fn merge(to: &mut Json, members: &Json) {
    for (name, value) in members.as_object().unwrap() {
        to[name] = value.clone();
    }
}

/// Returns the settings of all handlers: the address, a script, and others.
pub fn settings(address: &str, shared: &Json) -> Json {
    let mut all = json!({ "script": "/srv/app/song.php", "local_files": false });
    merge(&mut all, shared);
    json!({ "handlers": { "default": { "fastcgi": address }, "fastcgi": all } })
}

/// Returns an engine with the method `song.post`.
pub fn engine(address: &str, shared: &Json) -> Engine {
    rulebook(&settings(address, shared), &song("POST", &json!({}))).build().unwrap_or_else(|report| panic!("{report}"))
}

/// Returns the report of the errors in a definition with one handler.
fn report(handler: &Json, shared: &Json, method: &Json) -> String {
    let mut members = json!({ "handler": handler });
    merge(&mut members, method);
    let app = json!({ "handlers": { "fastcgi": shared } });
    let result = rulebook(&app, &song("GET", &members)).build();
    result.err().unwrap_or_else(|| panic!("{handler} {shared} has no error")).to_string()
}

#[test]
fn a_parameter_cannot_select_another_service_of_phalapi() {
    let handler = json!({ "fastcgi": "h:1", "script": "/a.php", "style": "phalapi", "service": "User.Login" });
    for name in ["service", "Service"] {
        let parameters = json!({ "in": { format!("GET@{name}"): { "info": "Any", "type": "string", "name": name } } });
        // PHP gets the service that the request names, which is the one of the definition.
        rulebook(&json!({}), &song("GET", &json!({ "handler": handler, "in": parameters["in"] }))).build().unwrap();
        let report = report(&handler, &json!({ "arguments": "form" }), &parameters);
        assert!(report.contains(&format!("PhalApi would take the service from the parameter `{name}`")), "{report}");
    }
}

#[test]
fn wrong_settings_are_reported_with_their_place_and_what_to_do() {
    let address = |address: &str| json!({ "fastcgi": address, "script": "/a.php" });
    let with = |name: &str, value: Json| {
        let mut handler = address("unix:/run/php.sock");
        handler[name] = value;
        handler
    };
    let cases: Vec<(Json, Json, &str, &str)> = vec![
        (address("/run/php.sock"), json!({}), "needs the prefix `unix:`", "write `unix:/run/php.sock`"),
        (address("unix:run/php.sock"), json!({}), "the path of the socket must be absolute", "^^^^^^^^^^^^\n"),
        (address("http://127.0.0.1:9000"), json!({}), "is not a URL", "^^^^^^^\n"),
        (address("localhost"), json!({}), "the address has no port", "127.0.0.1:9000"),
        (address("localhost:0"), json!({}), "from 1 to 65535", "^\n"),
        (address("localhost:65536"), json!({}), "from 1 to 65535", "^^^^^\n"),
        (address("::1:9000"), json!({}), "neither a name nor an IP address", "[::1]:9000"),
        (json!({ "fastcgi": 9000, "script": "/a.php" }), json!({}), "but this is the number 9000", "127.0.0.1:9000"),
        (json!({ "fastcgi": "h:1" }), json!({}), "song.get has no script", "public/index.php"),
        (
            json!({ "fastcgi": "h:1", "script": "a.php" }),
            json!({}),
            "`a.php` of `script` is not absolute",
            "set `root`",
        ),
        (
            json!({ "fastcgi": "h:1", "script": "a.php", "root": "app" }),
            json!({}),
            "`root` must be absolute",
            "/srv/app",
        ),
        (with("style", json!("laravel")), json!({}), "`plain`, `phalapi` or `api3`", "\"laravel\""),
        (with("style", json!("phalapi")), json!({}), "does not name a service of PhalApi", "User.Login"),
        (with("style", json!("api3")), json!({}), "needs the folder of the project", "set `root`"),
        (with("service", json!("A.B")), json!({}), "no effect with the style `plain`", "remove it"),
        (with("strict", json!(true)), json!({}), "no effect with the style `plain`", "remove it"),
        (with("uri_match", json!(true)), json!({}), "no effect with the style `plain`", "remove it"),
        (with("arguments", json!("json")), json!({ "style": "phalapi" }), "does not read its arguments", "`form`"),
        (with("arguments", json!("form")), json!({ "style": "api3", "root": "/srv" }), "no effect", "`api3`"),
        (with("timeout", json!(0)), json!({}), "a number of seconds from 0.001 to 86400", "0"),
        (with("max_response", json!("2GB")), json!({}), "a size in bytes from 1 to 1073741824", "2GB"),
        (with("form_fields", json!(-1)), json!({}), "a whole number from 1 to 1000000", "-1"),
        (with("environment", json!({ "Path": "/" })), json!({}), "capital letters", "\"Path\""),
        (with("environment", json!({ "SCRIPT_FILENAME": "/x" })), json!({}), "rulebook sets", "SCRIPT_FILENAME"),
        (with("environment", json!({ "RULEBOOK_IDENTITY": "x" })), json!({}), "rulebook sets", "RULEBOOK_IDENTITY"),
        (with("environment", json!({ "HTTP_PROXY": "x" })), json!({}), "must not be set", "HTTP_PROXY"),
        (with("request_headers", json!(["Accept", "proxy"])), json!({}), "must not get the header field", "proxy"),
        (with("request_headers", json!("Accept")), json!({}), "an array of strings", "Accept"),
        (with("response_headers", json!(["a b"])), json!({}), "is not the name of a header field", "a b"),
        (with("errors", json!({ "1": "no_song" })), json!({}), "declares no error `no_song`", "no_song"),
        (
            with("delegates", json!(["a/b"])),
            json!({ "style": "api3", "root": "/srv" }),
            "no service has the path `a/b`",
            "a/b",
        ),
        (with("connections", json!(5)), json!({}), "has no setting `connections`", "the settings are"),
        (address("h:1"), json!({ "connections": 0 }), "a whole number from 1 to 10000", "0"),
        (address("h:1"), json!({ "idle": -1 }), "`idle` must be a number of seconds", "write 0 to close connections"),
        (address("h:1"), json!({ "class": "song" }), "`class` belongs to one method", "move it"),
        (
            address("h:1"),
            json!({ "sockets": 1 }),
            "`handlers.fastcgi` has no setting `sockets`",
            "calls_per_connection",
        ),
        (address("h:1"), json!([]), "`handlers.fastcgi` must be an object", "an array"),
    ];
    for (handler, shared, message, part) in cases {
        let report = report(&handler, &shared, &json!({}));
        assert!(report.contains(message), "{message}:\n{report}");
        assert!(report.contains(part), "{part}:\n{report}");
        assert!(report.contains("error[bad-handler]"), "{report}");
    }
}

#[test]
fn a_request_is_not_sent_as_it_is_if_a_part_of_its_path_is_an_argument() {
    let definition = |handler: Json| {
        let parameters = json!({ "{id}": { "info": "It", "type": "id" } });
        let method = json!({ "info": "A song", "in": parameters, "out": {}, "handler": handler });
        rulebook(&json!({}), &json!({ "/": { "song/{id}": { "GET": method } } })).build()
    };
    let phalapi = json!({ "fastcgi": "h:1", "script": "/a.php", "style": "phalapi", "service": "Song.Get" });
    assert!(definition(phalapi).is_ok());
    let request = json!({ "fastcgi": "h:1", "script": "/a.php", "arguments": "request" });
    let report = definition(request).err().unwrap().to_string();
    assert!(report.contains("PHP does not find the argument `id`"), "{report}");
    assert!(report.contains("set `arguments` to `form`"), "{report}");
}

#[test]
fn names_that_php_would_change_are_reported() {
    let dotted = json!({ "in": { "GET@a.b": { "info": "It", "type": "string" } } });
    let form = report(&json!({ "fastcgi": "h:1", "script": "/a.php" }), &json!({}), &dotted);
    assert!(form.contains("PHP would change the name of the field `a.b`"), "{form}");
    let method =
        json!({ "handler": { "fastcgi": "h:1", "script": "/a.php", "arguments": "json" }, "in": dotted["in"] });
    assert!(rulebook(&json!({}), &song("GET", &method)).build().is_ok());
}

#[test]
fn an_error_in_shared_settings_is_reported_once() {
    let mut api = song("GET", &json!({}));
    api["/"]["dance"] = api["/"]["song"].clone();
    let report = rulebook(&settings("h:1", &json!({ "wait": -1 })), &api).build().err().unwrap().to_string();
    assert_eq!(report.matches("`wait` must be").count(), 1, "{report}");
}

#[test]
fn methods_with_the_same_server_share_its_connections() {
    let client = |first: &str, second: &str| {
        let mut api = song("GET", &json!({ "handler": { "fastcgi": first } }));
        let other = song("GET", &json!({ "handler": { "fastcgi": second, "timeout": 5, "max_response": "1MB" } }));
        api["/"]["dance"] = other["/"]["song"].clone();
        rulebook_test::Client::new(rulebook(&settings(first, &json!({})), &api)).unwrap()
    };
    let checks = |first: &str, second: &str| {
        let checks = client(first, second).get("/readyz").send().json()["checks"].clone();
        checks.as_object().unwrap().keys().filter(|name| name.starts_with("fastcgi")).count()
    };
    for (first, second) in [
        ("LocalHost:1", "localhost:1"),
        ("localhost:01", "localhost:1"),
        ("[::1]:1", "[0:0:0:0:0:0:0:1]:1"),
        ("unix:/nonexistent/php.sock", "unix:/nonexistent//php.sock"),
    ] {
        assert_eq!(checks(first, second), 1, "{first} {second}");
    }
    assert_eq!(checks("localhost:1", "localhost:2"), 2);
}

#[test]
fn a_missing_script_is_reported_at_the_start_if_the_server_sees_the_same_files() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let start = async |address: &str, shared: Json| {
            let rulebook = rulebook(&settings(address, &shared), &song("GET", &json!({})));
            let engine = rulebook.data_folder(folder.path()).build().unwrap();
            let response = engine.call("song.get").send().await;
            (response.status(), format!("{:?}", response.error()))
        };
        let (status, error) = start("unix:/nonexistent.sock", json!({ "local_files": true })).await;
        assert_eq!(status, 503);
        assert!(error.contains("there is no file /srv/app/song.php"), "{error}");
        assert!(error.contains("local_files"), "{error}");
        // The socket is missing too, but this is not an error of the definition.
        assert_eq!(start("unix:/nonexistent.sock", json!({})).await.0, 502);
        assert_eq!(start("127.0.0.1:1", json!({})).await.0, 502);
    });
}
