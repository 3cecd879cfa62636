//! Tests the versions of an API: how requests name them, what each has, and how handlers serve all of them.

use rulebook::{ApiError, Args, Context, Module};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{Request, TestServer};

/// An API with two versions, the newer of which is the default.
fn definition(versions: &Value) -> Vec<(&'static str, Value)> {
    let articles = json!({ "/": {
        "article": {
            "GET": {
                "id": "article.list",
                "info": "Lists articles",
                "in": {
                    "GET@size": { "info": "How many", "type": "int(1,100)", "default": 5 },
                    "GET@page": { "info": "The page", "type": "int", "until": "1", "default": 0 },
                    "GET@after": { "info": "Where to begin", "type": "string", "since": "2" },
                    "GET@tag": { "info": "Which articles", "type": "?string" },
                    "GET@word": { "info": "Which articles", "type": "?string", "since": "2" }
                },
                "constraints": [{ "at_most_one": ["tag", "word"] }],
                "out": {
                    "titles": { "info": "The titles", "type": "array<string>" },
                    "pages": { "info": "The number of pages", "type": "int", "until": "1" },
                    "next": { "info": "Where to go on", "type": "string", "since": "2" }
                }
            },
            "POST": { "info": "Creates an article", "until": "1" }
        },
        "note": { "since": "2", "GET": { "info": "Shows notes" } }
    } });
    vec![("app.json", json!({ "envelope": "plain", "versions": versions })), ("article.json", articles)]
}

fn versions() -> Value {
    json!({ "names": ["1", "2"], "header": "API-Version" })
}

#[test]
fn the_path_or_a_header_field_names_the_version() {
    let server = TestServer::echo(&definition(&versions()));
    let cases = [
        ("/article?after=a", None, 200, "after"),
        ("/2/article?after=a", None, 200, "after"),
        ("/1/article", None, 200, "page"),
        ("/article", Some("1"), 200, "page"),
        ("/article?after=a", Some("2"), 200, "after"),
        // The path has priority.
        ("/1/article", Some("2"), 200, "page"),
        ("/1/article", Some("x"), 200, "page"),
    ];
    for (target, field, status, parameter) in cases {
        let request =
            field.iter().fold(Request::new("GET", target), |request, name| request.field("API-Version", name));
        let response = server.send(&request);
        assert_eq!(response.status, status, "{target} {field:?}: {response:?}");
        let arguments = response.json()["args"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(arguments[..2], ["size", parameter], "{target} {field:?}");
        assert!(response.head.contains("vary: api-version"), "{}", response.head);
    }
    let statuses = [
        ("GET", "/article?after=a&tag=b&word=c", 400),
        ("GET", "/1/note", 404),
        ("GET", "/note", 200),
        ("POST", "/1/article", 200),
        ("POST", "/2/article", 405),
        ("GET", "/3/note", 404),
        ("GET", "/1", 307),
        ("OPTIONS", "/1", 200),
        ("OPTIONS", "/3", 404),
        ("GET", "/healthz", 200),
        ("GET", "/1/healthz", 404),
        ("GET", "/1/readyz", 404),
        ("GET", "/2/metrics", 404),
        ("GET", "/1/2/note", 404),
        ("GET", "/%31/article", 404),
    ];
    for (method, target, status) in statuses {
        assert_eq!(server.send(&Request::new(method, target)).status, status, "{method} {target}");
    }
    // The state of the server belongs to no version.
    assert_eq!(server.send(&Request::new("GET", "/healthz").field("API-Version", "3")).status, 200);
    let twice = Request::new("GET", "/note").field("API-Version", "2").field("API-Version", "1");
    assert_eq!(server.send(&twice).status, 400);
    let unknown = server.send(&Request::new("GET", "/note").field("API-Version", "3"));
    let error =
        json!({ "parameter": "api-version", "in": "header", "expected": "a version of the API: 1, 2", "got": "\"3\"" });
    assert_eq!((unknown.status, &unknown.json()["errors"]), (400, &json!([error])));
}

#[test]
fn requests_that_name_no_version_get_the_default() {
    let server = TestServer::echo(&definition(&json!({ "names": ["1", "2"], "default": "1" })));
    assert_eq!(server.send(&Request::new("GET", "/note")).status, 404);
    assert_eq!(server.send(&Request::new("GET", "/2/note")).status, 200);
    // Without the setting `header`, no field names a version.
    let response = server.send(&Request::new("GET", "/note").field("API-Version", "2"));
    assert_eq!((response.status, response.head.contains("vary: api-version")), (404, false));
}

#[test]
fn each_version_has_documents_of_its_own() {
    let server = TestServer::echo(&definition(&versions()));
    let paths = |target: &str| {
        let document = server.send(&Request::new("GET", target)).json();
        document["paths"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(paths("/1/openapi.json"), ["/article"]);
    assert_eq!(paths("/2/openapi.json"), ["/article", "/note"]);
    assert_eq!(paths("/openapi.json"), ["/article", "/note"]);
    let parameters = |target: &str| {
        let described = server.send(&Request::new("OPTIONS", target)).json();
        described["/"]["article"]["GET"]["in"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(parameters("/1/article"), ["GET@size", "GET@page", "GET@tag"]);
    assert_eq!(parameters("/article"), ["GET@size", "GET@after", "GET@tag", "GET@word"]);
    // The definition of a version can be loaded again.
    let whole = server.send(&Request::new("OPTIONS", "/1/")).json();
    assert_eq!(whole.get("versions"), None);
    let again = TestServer::echo(&[("app.json", whole)]);
    assert_eq!(
        again.send(&Request::new("GET", "/article")).json()["args"],
        json!({ "size": 5, "page": 0, "tag": null })
    );
}

#[test]
fn pages_link_to_the_pages_of_other_versions() {
    let server = TestServer::echo(&definition(&json!({ "names": ["1", "2", "3"], "default": "2" })));
    let page = |target: &str| {
        let response = server.send(&Request::new("GET", target));
        assert_eq!(response.status, 200, "{target}");
        String::from_utf8(response.body).unwrap()
    };
    let (newest, default) = (page("/3/docs/"), page("/docs/"));
    let links = "<a href=\"../1/docs/\">1</a>, 2 (this one), <a href=\"../3/docs/\">3</a>";
    assert!(default.contains(links), "{default}");
    let links = "<a href=\"../../1/docs/\">1</a>, <a href=\"../../docs/\">2</a>, 3 (this one)";
    assert!(newest.contains(links), "{newest}");
    for (target, location) in [
        ("/2/docs/", "../../docs/"),
        ("/2/docs/methods/note.get", "../../../docs/methods/note.get"),
        ("/2/docs/search?q=note", "../../docs/search?q=note"),
    ] {
        let response = server.send(&Request::new("GET", target));
        assert_eq!((response.status, response.field("location")), (307, Some(location)), "{target}");
    }
    assert_eq!(server.send(&Request::new("GET", "/1/docs/methods/note.get")).status, 404);
    let without_slash = server.send(&Request::new("GET", "/3"));
    assert_eq!(without_slash.field("location"), Some("3/docs/"));
    assert!(without_slash.head.contains("<3/openapi.json>"), "{}", without_slash.head);
    assert_eq!(server.send(&Request::new("GET", "/2/docs/rulebook.js")).status, 200);
}

#[derive(Deserialize)]
struct Listing {
    size: i64,
    page: Option<i64>,
    after: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    titles: Vec<String>,
    pages: Option<i64>,
    next: Option<String>,
}

async fn list(Args(listing): Args<Listing>, _: Context) -> Result<Listed, ApiError> {
    let title = format!("{} {:?} {:?}", listing.size, listing.page, listing.after);
    Ok(Listed { titles: vec![title], pages: Some(3), next: Some("b".to_owned()) })
}

#[test]
fn a_handler_serves_the_versions_of_its_method() {
    let mut files = definition(&versions());
    let uris = files[1].1["/"].as_object_mut().unwrap();
    uris.remove("note");
    uris["article"].as_object_mut().unwrap().remove("POST");
    let server = TestServer::handlers(&files, Module::new("article").get("/article", list));
    let cases = [
        ("/1/article?size=3", json!({ "titles": ["3 Some(0) None"], "pages": 3 })),
        ("/2/article?after=a&size=4", json!({ "titles": ["4 None Some(\"a\")"], "next": "b" })),
    ];
    for (target, expected) in cases {
        let response = server.send(&Request::new("GET", target));
        assert_eq!((response.status, response.json()), (200, expected), "{target}");
    }
}

#[test]
fn handlers_of_the_definition_serve_all_versions() {
    let method = json!({
        "info": "Adds",
        "in": {
            "a": { "info": "A", "type": "int" },
            "b": { "info": "B", "type": "int", "since": "2" }
        },
        "out": { "sum": { "info": "The sum", "type": "int" }, "b": { "info": "B", "type": "?int", "since": "2" } },
        "handler": { "value": { "sum": 5, "b": 7 } }
    });
    let app = json!({ "envelope": "plain", "versions": { "names": ["1", "2"] } });
    let engine = crate::client::engine(
        &[("app.json", app), ("sum.json", json!({ "/": { "sum": { "POST": method } } }))],
        |it| it,
    );
    let server = TestServer::start(&engine);
    let sum = |target: &str, body: &Value| {
        server.send(&Request::new("POST", target).body("application/json", body.to_string()))
    };
    assert_eq!(sum("/1/sum", &json!({ "a": 1 })).json(), json!({ "sum": 5 }));
    assert_eq!(sum("/2/sum", &json!({ "a": 1, "b": 2 })).json(), json!({ "sum": 5, "b": 7 }));
    assert_eq!(sum("/2/sum", &json!({ "a": 1 })).status, 400);
}

#[test]
fn deprecated_methods_name_their_successor_in_its_version() {
    let deprecated =
        |sunset: &str, successor: &str| json!({ "deprecated": "2026-01-01", "sunset": sunset, "successor": successor });
    let method = |id: &str, options: Value| json!({ "GET": { "id": id, "info": "I", "options": options } });
    let mut uris = json!({
        "old": method("old", deprecated("2099-01-01", "new")),
        "gone": method("gone", deprecated("2026-01-02", "new")),
        "here": method("here", deprecated("2099-01-01", "both")),
        "both": method("both", json!({})),
        "new": method("new", json!({}))
    });
    uris["old"]["until"] = json!("1");
    uris["gone"]["until"] = json!("1");
    uris["new"]["since"] = json!("2");
    let app = json!({ "envelope": "plain", "versions": { "names": ["1", "2"], "default": "1" } });
    let server = TestServer::echo(&[("app.json", app), ("article.json", json!({ "/": uris }))]);
    let cases = [
        ("/old", "</docs/methods/old>; rel=\"deprecation sunset\"", "</2/new>; rel=\"successor-version\""),
        ("/here", "</docs/methods/here>; rel=\"deprecation sunset\"", "</both>; rel=\"successor-version\""),
        ("/2/here", "</2/docs/methods/here>; rel=\"deprecation sunset\"", "</2/both>; rel=\"successor-version\""),
    ];
    for (target, page, successor) in cases {
        let head = server.send(&Request::new("GET", target)).head;
        assert!(head.contains(page) && head.contains(successor), "{target}: {head}");
    }
    let gone = server.send(&Request::new("GET", "/gone"));
    assert_eq!((gone.status, &gone.json()["successor"]), (410, &json!("GET /2/new")));
    let page = String::from_utf8(server.send(&Request::new("GET", "/docs/methods/old")).body).unwrap();
    assert!(page.contains("href=\"../../2/docs/methods/new\""), "{page}");
    assert_eq!(server.send(&Request::new("GET", "/2/docs/methods/new")).status, 200);
    let openapi = server.send(&Request::new("GET", "/openapi.json")).json();
    let description = openapi["paths"]["/old"]["get"]["description"].as_str().unwrap();
    assert!(description.contains("use `new` of version 2 instead"), "{description}");
    // The definition of the version can be loaded alone.
    TestServer::echo(&[("app.json", server.send(&Request::new("OPTIONS", "/")).json())]);
}

#[test]
fn responses_have_the_members_of_the_version() {
    let field = |term: &str, key: &str, version: &str| json!({ "info": "I", "type": term, key: version });
    let fields = |next: &str| {
        json!({
            "n": { "info": "I", "type": "int" },
            "old": field("int", "until", "1"),
            "new": field("int", "since", "2"),
            "next": { "info": "I", "type": next }
        })
    };
    let output = |term: &str| json!({ "info": "I", "type": term });
    let out = json!({
        "one": output("Note"),
        "list": output("array<Note>"),
        "map": output("map<Note>"),
        "either": output("Either"),
        "event": output("Event")
    });
    let note = json!({ "n": 1, "old": 2, "new": 3, "next": { "n": 4, "old": 5, "new": 6 } });
    let tagged = |note: &Value| {
        let mut event = note.clone();
        event["kind"] = json!("a");
        event
    };
    let values = |note: &Value| json!({ "one": note, "list": [note], "map": { "a": note }, "either": note, "event": tagged(note) });
    let value = values(&note);
    let show = json!({ "GET": { "info": "I", "out": out, "handler": { "value": value } } });
    let mock = json!({ "GET": { "info": "I", "out": { "*": output("Note") } } });
    let app = json!({
        "envelope": "plain",
        "unbound": "mock",
        "versions": { "names": ["1", "2"] },
        "schemas": {
            "Note": { "info": "I", "closed": true, "fields": fields("?Note") },
            "Either": { "info": "I", "type": "union", "of": ["string", "Note"] },
            "Event": { "info": "I", "type": "union", "tag": "kind", "of": { "b": "Other", "a": "Note" } },
            "Other": { "info": "I", "fields": { "old": { "info": "I", "type": "int" } } }
        }
    });
    let files = [("app.json", app), ("note.json", json!({ "/": { "note": show, "mock": mock } }))];
    let server = TestServer::start(&crate::client::engine(&files, |it| it));
    for (version, kept, other) in [("1", "old", "new"), ("2", "new", "old")] {
        let mut note = note.clone();
        note.as_object_mut().unwrap().remove(other);
        note["next"].as_object_mut().unwrap().remove(other);
        let response = server.send(&Request::new("GET", format!("/{version}/note")));
        assert_eq!((response.status, response.json()), (200, values(&note)), "{version}");
        let mocked = server.send(&Request::new("GET", format!("/{version}/mock"))).json();
        assert!(mocked.get(kept).is_some() && mocked.get(other).is_none(), "{version}: {mocked}");
    }
}

#[derive(Deserialize)]
struct Notes {
    one: Value,
    list: Value,
}

#[derive(Serialize)]
struct Seen {
    seen: Value,
}

async fn notes(Args(notes): Args<Notes>, _: Context) -> Result<Seen, ApiError> {
    Ok(Seen { seen: json!([notes.one, notes.list]) })
}

#[test]
fn handlers_get_no_members_that_the_version_does_not_check() {
    let fields =
        json!({ "n": { "info": "N", "type": "int" }, "new": { "info": "I", "type": "?int(1,5)", "since": "2" } });
    let app = json!({ "envelope": "plain", "versions": { "names": ["1", "2"] },
        "schemas": { "Note": { "info": "I", "fields": fields } } });
    let parameter = |term: &str| json!({ "info": "I", "type": term });
    let method = json!({ "POST": { "info": "I", "in": { "one": parameter("Note"), "list": parameter("array<Note>") },
        "out": { "seen": parameter("any") } } });
    let files = [("app.json", app), ("note.json", json!({ "/": { "note": method } }))];
    let server = TestServer::handlers(&files, Module::new("note").post("/note", notes));
    let send = |version: &str, note: &Value| {
        let body = json!({ "one": note, "list": [note] }).to_string();
        server.send(&Request::new("POST", format!("/{version}/note")).body("application/json", body))
    };
    let note = json!({ "n": 1, "new": "evil", "other": 2 });
    assert_eq!(send("2", &note).status, 400);
    let kept = json!({ "n": 1, "other": 2 });
    assert_eq!(send("1", &note).json(), json!({ "seen": [kept, [kept]] }));
}

#[test]
fn errors_of_one_version_are_found() {
    let errors = |change: &dyn Fn(&mut Value)| {
        let mut files = definition(&versions());
        change(&mut files[1].1);
        let files = files.iter().map(|(name, json)| (name.into(), json.to_string().into_bytes())).collect();
        rulebook_model::read(files).unwrap_err().to_string()
    };
    // What only an older version lacks is an error in this version.
    let scope = errors(&|module| module["/"]["article"]["GET"]["scope"] = json!([["tag[word]"]]));
    assert!(scope.contains("no parameter has this name in code"), "{scope}");
    let path = errors(&|module| module["/"]["2"] = json!({ "GET": { "info": "A path" } }));
    assert!(path.contains("the path `/2` begins with the name of a version"), "{path}");
    let since = errors(&|module| module["/"]["note"]["since"] = json!("4"));
    assert!(since.contains("unknown version `4`"), "{since}");
}

#[test]
fn an_api_without_versions_has_no_keys_of_versions() {
    let module = json!({ "/": { "a": { "GET": { "info": "I", "since": "1" } } } });
    let files = vec![("a.json".into(), module.to_string().into_bytes())];
    let error = rulebook_model::read(files).unwrap_err().to_string();
    assert!(error.contains("`since` names a version, but the API has no versions"), "{error}");
}

#[test]
fn the_digest_shows_changes_of_every_version() {
    let digest = |since: &str| {
        let mut files = definition(&json!({ "names": ["1", "2", "3"], "default": "1" }));
        files[1].1["/"]["note"]["since"] = json!(since);
        let server = TestServer::echo(&files);
        server.send(&Request::new("GET", "/readyz")).json()["digest"].as_str().unwrap().to_owned()
    };
    assert_eq!(digest("2"), digest("2"));
    assert_ne!(digest("2"), digest("3"));
}
