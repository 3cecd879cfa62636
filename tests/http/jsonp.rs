//! Tests JSONP: which callbacks are valid, what scripts contain, that the client is anonymous, and where JSONP is not
//! available.

mod outcomes;

use proptest::prelude::*;
use rulebook::{ApiError, Args, Authenticate, Authentication, Context, Head, Module, Rulebook, Unbound};
use rulebook_model::model::EnvelopeName;
use serde::Deserialize;
use serde_json::{Value, json};

use self::outcomes::api_with_every_outcome;
use crate::client::{Connection, Request, Response, TestServer, case, engine};

fn get_response(server: &TestServer, target: &str) -> Response {
    server.send(&Request::new("GET", target))
}

/// Returns the value that a JSONP script passes to its callback. Asserts that the script does nothing else.
#[track_caller]
pub fn callback_value(response: &Response, callback: &str) -> Value {
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.field("content-type"), Some("text/javascript; charset=utf-8"), "{response:?}");
    assert_eq!(response.field("x-content-type-options"), Some("nosniff"), "{response:?}");
    let body = str::from_utf8(&response.body).unwrap();
    assert!(!body.contains(['<', '\u{2028}', '\u{2029}']), "{response:?}");
    let json = body
        .strip_prefix(&format!("/**/ typeof {callback} === 'function' && {callback}("))
        .and_then(|rest| rest.strip_suffix(");"));
    serde_json::from_str(json.unwrap_or_else(|| panic!("not a script: {response:?}"))).unwrap()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallbackCase {
    query: String,
    /// The JavaScript function that the script calls; `None` if the response is not a script.
    #[serde(rename = "calls")]
    called_function: Option<String>,
    /// `true` if the response is plain JSON.
    #[serde(default, rename = "plain")]
    is_plain_json: bool,
    /// `true` if the callback is refused.
    #[serde(default, rename = "refused")]
    is_refused: bool,
    /// `true` if the callback is refused because the parameter occurs twice.
    #[serde(default, rename = "twice")]
    is_repeated: bool,
    /// Texts from the callback that the error must not quote.
    #[serde(default)]
    must_not_contain: Vec<String>,
    /// The id of the case that was recorded from PhalApi (an earlier framework) with this callback.
    recorded: Option<String>,
    /// The reason why the result differs from the recorded result.
    #[serde(rename = "why")]
    reason: Option<String>,
}

#[test]
fn callbacks_that_are_not_function_names_are_refused() {
    let rows: Vec<CallbackCase> = case::read(include_str!("../data/http/callbacks.json"));
    assert!(rows.iter().all(|row| row.reason.is_none() || row.recorded.is_some()));
    let server = api_with_every_outcome("aicra", &json!({}));
    for row in rows {
        let query = &row.query;
        let response = get_response(&server, &format!("/outputs?{query}"));
        match &row.called_function {
            Some(callback) => {
                assert_eq!(callback_value(&response, callback)["status"], 200, "{query}");
                continue;
            }
            None if row.is_plain_json => {
                assert_eq!(
                    response.json(),
                    json!({ "error": 0, "ErrorDescription": "all right", "b": "é" }),
                    "{query}"
                );
                continue;
            }
            None => assert!(row.is_refused, "{query}: the row expects no result"),
        }
        response.assert_error(400, if row.is_repeated { "more than once" } else { "JavaScript name" });
        let error = &response.json()["errors"][0];
        assert_eq!(
            (&error["parameter"], &error["in"], &error["got"]),
            (&"callback".into(), &"query".into(), &Value::Null)
        );
        let text_of_response = format!("{response:?}");
        for text in row.must_not_contain {
            assert!(!text_of_response.contains(&text), "{query}: the response contains {text}\n{response:?}");
        }
    }
}

#[test]
fn responses_are_json_if_jsonp_is_not_enabled_or_not_requested() {
    let method = |option: Value| json!({ "GET": { "info": "It echoes", "options": option } });
    let definition = json!({ "/": {
        "silent": method(json!({})),
        "on": method(json!({ "jsonp": true })),
        "off": method(json!({ "jsonp": false })),
        "scoped": { "GET": { "info": "For readers", "scope": [["reader"]] } },
        "write": { "POST": { "info": "It writes" } },
        "callback": { "POST": { "info": "It writes", "in": { "callback": { "info": "A word", "type": "?string" } } } }
    } });
    // `api` is the setting `jsonp` of the API, and `scripts` lists the paths with a script as the response.
    for (api, scripts) in
        [(false, vec!["/on"]), (true, vec!["/silent", "/on", "/write", "/nowhere", "/static/nowhere/x"])]
    {
        let server = TestServer::echo(&[("app.json", json!({ "jsonp": api })), ("site.json", definition.clone())]);
        for path in ["/silent", "/on", "/off", "/scoped", "/write", "/nowhere"] {
            let response = get_response(&server, &format!("{path}?callback=cb"));
            let is_script = response.field("content-type") == Some("text/javascript; charset=utf-8");
            assert_eq!(is_script, scripts.contains(&path), "{api} {path}: {response:?}");
        }
        // Where JSONP is not enabled, a parameter `callback` has no effect.
        for callback in ["cb", "alert(1)"] {
            let response = server.send(&Request::new("GET", format!("/scoped?callback={callback}")).scope(&["reader"]));
            response.assert_args(&json!({}));
            let response = server.send(&Request::new("POST", format!("/callback?callback={callback}")));
            response.assert_args(&json!({ "callback": null }));
            get_response(&server, &format!("/off?callback={callback}")).assert_args(&json!({}));
        }
        get_response(&server, "/nowhere?callback=alert(1)").assert_error(404, "no service has this URI");
        server.send(&Request::new("POST", "/on?callback=cb")).assert_error(405, "GET, HEAD");
        server.send(&Request::new("POST", "/nowhere?callback=cb")).assert_error(404, "no service has this URI");
        for own in [
            "/static/nowhere",
            "/docs/nowhere",
            "/openapi.json",
            "/llms.txt",
            "/healthz",
            "/readyz",
            "/metrics",
            "/static/",
        ] {
            let response = get_response(&server, &format!("{own}?callback=cb"));
            assert!(!response.body.starts_with(b"/**/"), "{own}: {response:?}");
        }
        for path in ["/on", "/", "*"] {
            let query = if path == "*" { "" } else { "?callback=cb" };
            let response = server.send(&Request::new("OPTIONS", format!("{path}{query}")));
            assert_eq!(response.field("content-type"), Some("application/json"), "{path}");
        }
    }
}

#[test]
fn the_jsonp_callback_is_not_an_unknown_parameter() {
    let method = |on: bool| json!({ "GET": { "info": "It echoes", "options": { "jsonp": on } } });
    let server = TestServer::echo(&[
        ("app.json", json!({ "unknown": "refuse" })),
        ("site.json", json!({ "/": { "on": method(true), "off": method(false) } })),
    ]);
    assert_eq!(callback_value(&get_response(&server, "/on?callback=cb"), "cb")["args"], json!({}));
    get_response(&server, "/on?callback=").assert_args(&json!({}));
    assert_eq!(
        callback_value(&get_response(&server, "/on?callback=cb&other=1"), "cb")["errors"][0]["parameter"],
        "other"
    );
    get_response(&server, "/off?callback=cb").assert_error(400, "callback");
}

/// An authenticator that rejects every credential as invalid.
struct RejectingAuthenticator;

impl Authenticate for RejectingAuthenticator {
    async fn authenticate(&self, _: &Head) -> Authentication {
        Authentication::Invalid("it was asked".to_owned())
    }
}

#[test]
fn the_caller_of_a_jsonp_request_is_anonymous() {
    let definition = json!({ "/": { "x": { "GET": {
        "info": "Returns the identity of the caller",
        "in": {
            "COOKIE@session": { "info": "The session", "type": "?string", "name": "session" },
            "HEADER@Cookie": { "info": "All cookies", "type": "?string", "name": "all" },
            "HEADER@X-Other": { "info": "No cookie", "type": "?string", "name": "other" }
        },
        "out": { "echo": { "info": "The arguments of the caller", "type": "any" } },
        "options": { "jsonp": true }
    } } } });
    let module = Module::new("site").get("/x", async |Args(args): Args<Value>, context: Context| {
        let known = context.identity().is_some() || context.header("cookie").is_some();
        Ok::<_, ApiError>(json!({ "echo": { "args": args, "known": known } }))
    });
    let built = Rulebook::read(vec![("site.json".into(), definition.to_string().into_bytes())]);
    let server = TestServer::start(
        &built.authenticator(RejectingAuthenticator).module(module).build().unwrap_or_else(|report| panic!("{report}")),
    );
    let request = |target: &str| Request::new("GET", target).field("cookie", "session=mine; a=b").field("x-other", "x");
    server.send(&request("/x")).assert_error(401, "the credential is invalid");
    server.send(&request("/x?callback=")).assert_error(401, "the credential is invalid");
    let nobody = json!({ "args": { "other": "x" }, "known": false });
    assert_eq!(callback_value(&server.send(&request("/x?callback=cb")), "cb")["echo"], nobody);
    // JSON requests with an invalid credential are rejected. Their response is not a script, so that a page of another
    // origin cannot read it.
    for scheme in ["Bearer secret-word", "Basic c2VjcmV0LXdvcmQ6", ""] {
        let response = server.send(&request("/x?callback=cb").field("authorization", scheme));
        response.assert_error(400, "Authorization");
        assert!(!format!("{response:?}").contains("secret-word"), "{response:?}");
    }
}

#[test]
fn jsonp_clients_that_expect_100_continue_get_the_same_errors() {
    let definition = json!({ "/": { "x": { "GET": { "info": "It echoes", "options": { "jsonp": true } } } } });
    let engine = Rulebook::read(vec![("site.json".into(), definition.to_string().into_bytes())])
        .authenticator(RejectingAuthenticator)
        .unbound(Unbound::Echo)
        .build();
    let server = TestServer::start(&engine.unwrap_or_else(|report| panic!("{report}")));
    let fetch = |target: &str| {
        let request = Request::new("GET", target).field("expect", "100-continue").body("text/plain", "x");
        let mut connection = Connection::open(server.address());
        connection.write(&request.head());
        connection.read_response(false)
    };
    fetch("/x?callback=alert(1)").assert_error(400, "JavaScript name");
    fetch("/x").assert_error(401, "the credential is invalid");
    // The method does not read a body, so that the final response is sent without `100 Continue`.
    assert_eq!(callback_value(&fetch("/x?callback=cb"), "cb")["error"], 0);
    let other = Request::new("GET", "/x?callback=cb").field("expect", "the unexpected");
    assert_eq!(callback_value(&server.send(&other), "cb")["status"], 417);
}

#[test]
fn methods_of_the_rules_dialect_respond_with_jsonp_to_get_and_post() {
    let definition = json!({ "User": { "find": { "@jsonp": true, "name": {} }, "save": {} } });
    let server = TestServer::echo(&[("user.json", definition)]);
    for method in ["GET", "POST"] {
        let response = server.send(&Request::new(method, "/user/find?callback=cb"));
        assert_eq!(callback_value(&response, "cb")["ret"], 200, "{method}");
    }
    for (method, path) in [("GET", "/user/save"), ("POST", "/user/save")] {
        let response = server.send(&Request::new(method, format!("{path}?callback=cb")));
        assert_eq!(response.json()["ret"], 200, "{method} {path}");
    }
}

#[test]
fn methods_named_in_the_query_respond_with_jsonp() {
    let definition =
        json!({ "Site": { "index": { "name": { "type": "string" } }, "save": { "@scope": [["writer"]] } } });
    let app = json!({ "jsonp": true, "service": { "on": true, "default": "Site.index" } });
    let server = TestServer::echo(&[("app.json", app), ("site.json", definition)]);
    let value = |target: &str| callback_value(&get_response(&server, target), "cb");
    for name in ["?service=Site.Index&", "?s=Site.index&", "?", "site/index?"] {
        assert_eq!(value(&format!("/{name}callback=cb&name=a"))["data"], json!({ "args": { "name": "a" } }), "{name}");
    }
    for name in ["Site.nothing", "Nothing.index", "site", "..%2F", "%00"] {
        let ret = value(&format!("/?service={name}&callback=cb"))["ret"].as_u64();
        assert!(matches!(ret, Some(400..=499)), "{name}: {ret:?}");
    }
    // Responses of methods that require permissions, and documents, are never scripts.
    assert_eq!(get_response(&server, "/?service=Site.save&callback=cb").json()["ret"], 401);
    assert_eq!(get_response(&server, "/?service=Site.index&callback=alert(1)").json()["ret"], 400);
}

#[test]
fn jsonp_responses_have_the_cors_fields_of_json_responses() {
    let server = api_with_every_outcome("aicra", &json!({ "cors": { "origins": ["https://a.example"] } }));
    let fetch = |target: &str| server.send(&Request::new("GET", target).field("origin", "https://a.example"));
    for field in ["vary", "access-control-allow-origin", "cache-control"] {
        assert_eq!(fetch("/outputs?callback=cb").field(field), fetch("/outputs").field(field), "{field}");
    }
}

/// Generates JSON values of every kind, with the characters that are special in scripts and in HTML pages.
fn arbitrary_values() -> impl Strategy<Value = Value> {
    let text = "([a-z<>&/\"'\\\\!\u{2028}\u{2029}\u{2027}\u{202A}âé\u{80}\u{10FFFF}\u{0}-\u{1F}-]|</script>|<!--|\\]\\]>){0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |float| float.is_finite()).prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

#[test]
fn a_script_passes_the_value_of_the_json_response() {
    for envelope in EnvelopeName::ALL.each_ref().map(EnvelopeName::as_str) {
        let definition = json!({
            "envelope": envelope,
            "/": { "x": { "GET": {
                "info": "It echoes",
                "in": { "GET@v": { "info": "Anything", "type": "any", "name": "v" } },
                "options": { "jsonp": true }
            } } }
        });
        let engine = engine(&[("site.json", definition)], |rulebook| rulebook.unbound(Unbound::Echo));
        let server = TestServer::start(&engine);
        let connection = std::cell::RefCell::new(server.connect());
        proptest!(support::random::cases(64), |(value in arbitrary_values())| {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("v", &json!([value]).to_string()).finish();
            let fetch = |target: String| connection.borrow_mut().send(&Request::new("GET", target));
            let plain = fetch(format!("/x?{query}")).json();
            let mut script = callback_value(&fetch(format!("/x?{query}&callback=cb")), "cb");
            if envelope == "aicra" {
                prop_assert_eq!(script.as_object_mut().unwrap().shift_remove("status"), Some(200.into()));
            }
            prop_assert_eq!(&script, &plain);
            prop_assert!(plain.to_string().contains(&value.to_string()));
        });
    }
}
