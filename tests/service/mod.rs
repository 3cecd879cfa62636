//! Methods that are called by names in the query or the body: PhalApi's `?service=`, and api 3.0's `module` and `method`.

mod body;
mod errors;
mod recorded;
mod sample;
mod service_parameter;
mod styles;
mod unreachable;

use serde_json::{Value as Json, json};

use crate::client::{Request, Response, TestServer};

pub const FORM: &str = "application/x-www-form-urlencoded";

/// An API with methods of every dialect that return their arguments and, as `to`, their own id.
pub fn server(settings: &Json) -> TestServer {
    let mut app = json!({ "unknown": "refuse", "catalogue": "2.x" });
    app.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    let mut tree = tree();
    // An API with a default service cannot have a root.
    if app["service"]["default"].is_string() {
        tree.as_object_mut().unwrap().remove("POST");
    }
    TestServer::echo(&[("app.json", app), ("tree.json", tree), ("methods.json", methods()), ("rules.json", rules())])
}

fn to(id: &str) -> Json {
    json!({ "info": "Which method this is", "type": "?string", "name": "to", "default": id })
}

fn tree() -> Json {
    let text = json!({ "info": "A text", "type": "?string" });
    let any = |name: &str| json!({ "info": "A text", "type": "?string", "name": name });
    json!({
        "POST": { "info": "The root", "in": { "ANY@to": to("post"), "text": text, "file": { "info": "A file", "type": "?file" } } },
        "/": {
            "article/line": {
                "GET": { "info": "A line", "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
                    "URL#1": { "info": "Which line", "type": "?id", "name": "no_line" },
                    "ANY@lang": any("lang"), "ANY@to": to("article.line.get") } },
                "POST": { "info": "A new line", "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
                    "text": text, "ANY@to": to("article.line.post") } },
                "DELETE": { "info": "No line", "scope": [["admin"]], "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" }, "ANY@to": to("article.line.delete") } },
                "PUT": { "info": "Another line", "scope": [["author[article_id]"]], "in": {
                    "URL#0": { "info": "Which article", "type": "id", "name": "article_id" },
                    "text": text, "ANY@to": to("article.line.put") } }
            },
            "article/upload": { "POST": { "info": "A picture", "in": {
                "file": { "info": "The picture", "type": "file" }, "text": text, "ANY@to": to("article.upload.post") } } },
            "article/{id}": { "GET": { "info": "An article", "in": { "{id}": { "info": "Which", "type": "string" } } } },
            "one": { "GET": { "info": "One segment" } },
            "one/two/three": { "GET": { "info": "Three segments" } }
        }
    })
}

fn methods() -> Json {
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

fn rules() -> Json {
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

/// The result of a request: the called method with its arguments, except omitted ones; or status and message.
pub fn outcome(response: &Response) -> Result<(String, Json), (u64, String)> {
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

/// The expected result of a request: a method with arguments, or an error with a status and a message.
pub type Expected = Result<(&'static str, Json), (u64, String)>;

#[track_caller]
pub fn assert_all(server: &TestServer, cases: &[(Request, Expected)]) {
    let mut mismatches = String::new();
    for (request, expected) in cases {
        let response = server.send(request);
        let expected = expected.clone().map(|(to, args)| (to.to_owned(), args));
        let got = outcome(&response);
        if got != expected {
            let asked = String::from_utf8_lossy(&request.bytes()).into_owned();
            mismatches.push_str(&format!("{asked}\nexpected {expected:?}\ngot {got:?}\n\n"));
        }
    }
    assert!(mismatches.is_empty(), "{mismatches}");
}
