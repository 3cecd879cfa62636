//! The requests that a server gets: parameters, and arguments in each notation.

use rulebook::{Claims, Identity, Rulebook};
use serde_json::{Value as Json, json};

use super::definitions::{rulebook, run, settings, song};
use super::fake_server::{FakeServer, PhpRequest, text};

/// Calls a method with arguments, and returns the request that the server got.
async fn sent(http: &str, shared: &Json, members: &Json, arguments: &Json) -> Result<PhpRequest, String> {
    let server = FakeServer::start(|_, _| text("la")).await;
    let engine = rulebook(&settings(&server.address, shared), &song(http, members)).build();
    let engine = engine.unwrap_or_else(|report| panic!("{report}"));
    let arguments = arguments.as_object().unwrap().clone();
    let response = engine.call(format!("song.{}", http.to_lowercase())).args(arguments).send().await;
    match response.error() {
        None => Ok(server.requests().remove(0)),
        Some(error) => Err(format!("{} {error:?}", response.status())),
    }
}

#[test]
fn a_script_gets_the_call_and_the_caller_but_no_path_from_arguments() {
    run(async {
        let server = FakeServer::start(|_, _| text("la")).await;
        let app = settings(
            &server.address,
            &json!({ "root": "/srv/app", "script": "public/song.php", "environment": { "APP_ENV": "test" } }),
        );
        let engine = rulebook(&app, &song("POST", &json!({ "scope": [["singer"]] }))).build().unwrap();
        let claims = json!({ "tenant": "t1" }).as_object().unwrap().clone();
        let identity = Identity::new("Ada \"é\"", ["singer", "user[7]"]).with(Claims::new(claims));
        let name = "../../etc/passwd?x=%2e\r\nA: b";
        assert_eq!(engine.call("song.post").arg("name", name).identity(identity).send().await.status(), 200);
        let request = server.requests().remove(0);
        let expected = json!({
            "APP_ENV": "test",
            "CONTENT_LENGTH": request.body.len().to_string(),
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "DOCUMENT_ROOT": "/srv/app",
            "DOCUMENT_URI": "/song.php",
            "GATEWAY_INTERFACE": "CGI/1.1",
            "QUERY_STRING": "",
            "REDIRECT_STATUS": "200",
            "REQUEST_METHOD": "POST",
            "REQUEST_URI": "/song.php",
            "RULEBOOK_CLAIMS": "{\"tenant\":\"t1\"}",
            "RULEBOOK_HTTP_METHOD": "POST",
            "RULEBOOK_IDENTITY": "Ada \"é\"",
            "RULEBOOK_METHOD": "song.post",
            "RULEBOOK_PERMISSIONS": "[\"singer\",\"user[7]\"]",
            "SCRIPT_FILENAME": "/srv/app/public/song.php",
            "SCRIPT_NAME": "/song.php",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "rulebook",
        });
        assert_eq!(json!(request.parameters), expected);
        assert_eq!(request.body, b"name=..%2F..%2Fetc%2Fpasswd%3Fx%3D%252e%0D%0AA%3A+b");
    });
}

#[test]
fn a_script_gets_only_the_header_fields_that_the_definition_names() {
    // The client of the test is blocking, so that the server needs another thread.
    let (address, requests) = std::sync::mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = std::thread::spawn(move || {
        run(async move {
            let server = FakeServer::start(|_, _| text("la")).await;
            address.send(server.address.clone()).unwrap();
            let _ = stopped.await;
            server.requests()
        })
    });
    let app = settings(&requests.recv().unwrap(), &json!({ "request_headers": ["Accept-Language", "X-Trace"] }));
    let client = rulebook_test::Client::new(rulebook(&app, &song("GET", &json!({ "in": {} })))).unwrap();
    let request =
        client.get("/song").header("Proxy", "http://evil").header("Accept-Language", "en").header("X-Other", "1");
    let response = request.header("X-Trace", "a").header("X-Trace", "b").header("X-Request-Id", "id-7").send();
    assert_eq!(response.status(), 200);
    stop.send(()).unwrap();
    let parameters = server.join().unwrap().remove(0).parameters;
    let http: Vec<_> = parameters.iter().filter(|(name, _)| name.starts_with("HTTP_")).collect();
    assert_eq!(json!(http), json!([["HTTP_ACCEPT_LANGUAGE", "en"], ["HTTP_X_TRACE", "a, b"]]));
    assert_eq!(parameters["RULEBOOK_REQUEST_ID"], "id-7");
    assert_eq!(parameters["REMOTE_ADDR"], "127.0.0.1");
    assert_eq!(parameters.get("RULEBOOK_IDENTITY"), None);
}

fn everything() -> Json {
    json!({ "in": {
        "text": { "info": "A text", "type": "string" },
        "number": { "info": "A number", "type": "float" },
        "is_new": { "info": "A boolean", "type": "bool" },
        "none": { "info": "Nothing", "type": "?int" },
        "tags": { "info": "A list", "type": "array<string>" },
        "sizes": { "info": "An object", "type": "map<array<int>>" },
        "day": { "info": "A day", "type": "date", "format": "timestamp" }
    } })
}

fn arguments() -> Json {
    json!({
        "text": "é &=+", "number": 0.5, "is_new": true, "none": null, "tags": ["a", "b"],
        "sizes": { "big one": [1, 2] }, "day": "1970-01-02"
    })
}

const FORM: &str = "text=%C3%A9+%26%3D%2B&number=0.5&is_new=1&tags%5B0%5D=a&tags%5B1%5D=b\
                    &sizes%5Bbig+one%5D%5B0%5D=1&sizes%5Bbig+one%5D%5B1%5D=2&day=86400";

#[test]
fn arguments_are_a_form_or_the_query() {
    run(async {
        for http in ["POST", "PUT", "PATCH"] {
            let request = sent(http, &json!({}), &everything(), &arguments()).await.unwrap();
            assert_eq!(String::from_utf8(request.body.clone()).unwrap(), FORM, "{http}");
            // PHP reads forms from POST requests only.
            assert_eq!(request.parameter("REQUEST_METHOD"), Some("POST"));
            assert_eq!(request.parameter("RULEBOOK_HTTP_METHOD"), Some(http));
        }
        let name = json!({ "in": { "GET@name": { "info": "A name", "type": "string" } } });
        for http in ["GET", "DELETE"] {
            let request = sent(http, &json!({}), &name, &json!({ "name": "a&b" })).await.unwrap();
            assert_eq!(request.parameter("QUERY_STRING"), Some("name=a%26b"));
            assert_eq!(request.parameter("REQUEST_URI"), Some("/song.php?name=a%26b"));
            assert_eq!(request.parameter("REQUEST_METHOD"), Some(http));
            assert_eq!(request.parameter("CONTENT_LENGTH"), Some(""));
            assert!(request.body.is_empty());
        }
    });
}

#[test]
fn arguments_can_be_json_with_their_types() {
    run(async {
        let request = sent("PATCH", &json!({ "arguments": "json" }), &everything(), &arguments()).await.unwrap();
        let mut expected = arguments();
        expected["day"] = json!(86400);
        assert_eq!(request.json(), expected);
        assert_eq!(request.parameter("REQUEST_METHOD"), Some("PATCH"));
        assert_eq!(request.parameter("CONTENT_TYPE"), Some("application/json"));
        let request = sent("POST", &json!({ "arguments": "json" }), &json!({}), &json!({})).await.unwrap();
        assert_eq!(request.json(), json!({}));
    });
}

#[test]
fn arguments_that_php_would_change_are_not_sent_as_a_form() {
    run(async {
        let map = json!({ "in": { "sizes": { "info": "Sizes", "type": "map<int>" } } });
        for name in ["a]b", "a[b", "", " a", "a\0"] {
            let error = sent("POST", &json!({}), &map, &json!({ "sizes": { name: 1 } })).await.unwrap_err();
            assert!(error.starts_with("500") && error.contains("arguments"), "{name:?}: {error}");
            let json =
                sent("POST", &json!({ "arguments": "json" }), &map, &json!({ "sizes": { name: 1 } })).await.unwrap();
            assert_eq!(json.json(), json!({ "sizes": { name: 1 } }));
        }
        let list = json!({ "in": { "tags": { "info": "Tags", "type": "array<int>" } } });
        let shared = json!({ "form_fields": 3 });
        assert!(sent("POST", &shared, &list, &json!({ "tags": [1, 2, 3] })).await.is_ok());
        let error = sent("POST", &shared, &list, &json!({ "tags": [1, 2, 3, 4] })).await.unwrap_err();
        assert!(error.contains("form_fields"), "{error}");
        let long = json!({ "in": { "GET@name": { "info": "A name", "type": "string" } } });
        let error = sent("GET", &json!({}), &long, &json!({ "name": "x".repeat(70_000) })).await.unwrap_err();
        assert!(error.contains("QUERY_STRING has 70005 bytes"), "{error}");
    });
}

#[test]
fn names_with_line_breaks_are_not_sent_in_a_form_with_files() {
    let server = "127.0.0.1:1";
    let method = json!({ "in": {
        "sizes": { "info": "Sizes", "type": "map<int>" },
        "picture": { "info": "A picture", "type": "file" }
    } });
    let rulebook = rulebook(&settings(server, &json!({})), &song("POST", &method));
    let client = rulebook_test::Client::new(rulebook).unwrap();
    for (name, status) in [("a\nb", 500), ("a\rb", 500), ("a\tb\"", 502)] {
        let sizes = json!({ name: 1 }).to_string();
        let response = client.post("/song").field("sizes", sizes).file("picture", "a.png", "x").send();
        assert_eq!(response.status(), status, "{name:?}: {}", response.text());
    }
}

#[test]
fn phalapi_gets_its_service_and_the_names_of_requests() {
    run(async {
        let rules = json!({ "User": { "login": {
            "@method": "POST",
            "@desc": "Logs in",
            "isRememberMe": { "name": "is_remember_me", "type": "boolean" },
            "born": { "name": "born", "type": "date", "format": "timestamp" },
            "sign": { "name": "X-Sign", "source": "header" },
            "session": { "name": "session", "source": "cookie" }
        } } });
        let server =
            FakeServer::start(|_, _| super::fake_server::outputs(&json!({ "ret": 200, "data": [], "msg": "" }))).await;
        let app = settings(&server.address, &json!({ "style": "phalapi" }));
        let files = vec![("app.json".into(), app.to_string().into()), ("rules.json".into(), rules.to_string().into())];
        let rulebook = Rulebook::read(files).handler_kind(rulebook_fastcgi::FastCgiKind::new());
        let engine = rulebook.build().unwrap_or_else(|report| panic!("{report}"));
        let call = engine.call("POST /User/login").arg("isRememberMe", true).arg("born", "1970-01-02");
        let response = call.arg("sign", "abc").arg("session", "a;b").send().await;
        assert_eq!(response.status(), 200, "{:?}", response.error());
        let request = server.requests().remove(0);
        assert_eq!(request.parameter("QUERY_STRING"), Some("service=User.login"));
        assert_eq!(request.body, b"is_remember_me=1&born=%4086400");
        assert_eq!(request.parameter("HTTP_X_SIGN"), Some("abc"));
        assert_eq!(request.parameter("HTTP_COOKIE"), Some("session=a%3Bb"));
    });
}
