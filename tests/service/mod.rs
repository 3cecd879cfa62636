//! Tests methods that are called by names in the query or in the body: by `?service=` as in PhalApi, or by `module` and
//! `method` as in api 3.0.

mod api3_styles;
mod arbitrary_names;
mod body;
mod errors;
mod recorded;
mod sample_services;
mod service_parameter;
mod service_paths;

use serde_json::{Value as Json, json};

use crate::client::{Request, Response, TestServer};

pub const FORM_MEDIA_TYPE: &str = "application/x-www-form-urlencoded";

/// Starts a server of an API with methods of every dialect. Each method returns its arguments and, as `to`, its own id.
pub fn server_of_all_dialects(settings: &Json) -> TestServer {
    let mut app = json!({ "unknown": "refuse", "catalogue": "2.x" });
    app.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let mut tree = tree_definition();
    // An API with a default service cannot have a method at the root.
    if app["service"]["default"].is_string() {
        tree.as_object_mut().unwrap().remove("POST");
    }
    TestServer::echo(&[
        ("app.json", app),
        ("tree.json", tree),
        ("methods.json", methods_definition()),
        ("rules.json", rules_definition()),
    ])
}

fn id_parameter(id: &str) -> Json {
    json!({ "info": "Which method this is", "type": "?string", "name": "to", "default": id })
}

fn tree_definition() -> Json {
    let text = json!({ "info": "A text", "type": "?string" });
    let any = |name: &str| json!({ "info": "A text", "type": "?string", "name": name });
    json!({
        "POST": { "info": "The root", "in": { "ANY@to": id_parameter("post"), "text": text, "file": { "info": "A file", "type": "?file" } } },
        "/": {
            "article/line": {
                "GET": { "info": "A line", "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
                    "URL#1": { "info": "Which line", "type": "?id", "name": "no_line" },
                    "ANY@lang": any("lang"), "ANY@to": id_parameter("article.line.get") } },
                "POST": { "info": "A new line", "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
                    "text": text, "ANY@to": id_parameter("article.line.post") } },
                "DELETE": { "info": "No line", "scope": [["admin"]], "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" }, "ANY@to": id_parameter("article.line.delete") } },
                "PUT": { "info": "Another line", "scope": [["author[article_id]"]], "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
                    "text": text, "ANY@to": id_parameter("article.line.put") } }
            },
            "article/upload": { "POST": { "info": "A picture", "in": {
                "file": { "info": "The picture", "type": "file" }, "text": text, "ANY@to": id_parameter("article.upload.post") } } },
            "article/{id}": { "GET": { "info": "An article", "in": { "{id}": { "info": "Which", "type": "string" } } } },
            "one": { "GET": { "info": "One segment" } },
            "one/two/three": { "GET": { "info": "Three segments" } }
        }
    })
}

fn methods_definition() -> Json {
    let text = json!({ "description": "A text", "type": "text" });
    let optional = json!({ "description": "A text", "type": "text", "optional": true });
    json!({ "store": {
        "POST::buy": {
            "description": "Buy something", "permissions": [],
            "parameters": { "URL_0": text, "URL_1": optional, "count": optional,
                "to": { "description": "Which", "type": "text", "optional": true, "default": "store.buy.post" } } },
        "POST::locked": {
            "description": "Not for everybody", "permissions": ["owner"],
            "parameters": { "URL_0": optional, "count": { "description": "How many", "type": "id" } } }
    } })
}

fn rules_definition() -> Json {
    json!({
        "User": {
            "login": {
                "username": { "name": "username", "require": true },
                "to": { "name": "to", "default": "user.login" } },
            "getBaseInfo": { "to": { "name": "to", "default": "user.getBaseInfo" } }
        },
        "Site": { "index": {
            "title": { "name": "title" },
            "to": { "name": "to", "default": "site.index" } } }
    })
}

/// Returns the result of a request: the id of the called method and the arguments that are not null; or, for an error,
/// the status and the message.
pub fn request_outcome(response: &Response) -> Result<(String, Json), (u64, String)> {
    let body = response.json();
    let args = body["args"].as_object().or(body["data"]["args"].as_object());
    let Some(args) = args else {
        let status = body["ret"].as_u64().unwrap_or(response.status.into());
        let words = body["msg"].as_str().or(body["ErrorDescription"].as_str()).unwrap_or_default();
        return Err((status, words.to_owned()));
    };
    let to = args["to"].as_str().unwrap_or_default().to_owned();
    let rest = args.iter().filter(|(name, value)| *name != "to" && !value.is_null());
    Ok((to, rest.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// The expected result of a request: the id of a method and its arguments, or the status and the message of an error.
pub type ExpectedOutcome = Result<(&'static str, Json), (u64, String)>;

#[track_caller]
pub fn assert_outcomes(server: &TestServer, cases: &[(Request, ExpectedOutcome)]) {
    let mut mismatches = String::new();
    for (request, expected) in cases {
        let response = server.send(request);
        let expected = expected.clone().map(|(to, args)| (to.to_owned(), args));
        let got = request_outcome(&response);
        if got != expected {
            let asked = String::from_utf8_lossy(&request.bytes()).into_owned();
            mismatches.push_str(&format!("{asked}\nexpected {expected:?}\ngot {got:?}\n\n"));
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
}
