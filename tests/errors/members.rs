//! Tests of the details in error responses: their members, which are the same in every envelope, and their header
//! fields.

use rulebook::{ApiError, Args, AuthScheme, Authenticate, Authentication, Context, Head, Module, Unbound};
use serde_json::{Value, json};

use crate::client::envelope::{EnvelopeKind, violation};
use crate::client::{Request, Response, TestServer, engine};

fn start_server(envelope: &str) -> TestServer {
    let parameter = |r#type: &str| json!({ "info": "I", "type": r#type });
    let definition = json!({
        "envelope": envelope,
        "limits": { "body": 40, "items": 3 },
        "unknown": "refuse",
        "modules": { "site": { "/": {
            "article": {
                "POST": {
                    "info": "I", "scope": [["article[id]"], ["editor", "author"]],
                    "in": { "URL#0": { "info": "I", "type": "?int", "name": "id" }, "tags": parameter("array<int>") }
                }
            },
            "busy": { "GET": { "info": "I" } }
        } } }
    });
    let busy = async |_: Args<()>, _: Context| Err::<(), _>(ApiError::unavailable("the disk is full"));
    let article = async |_: Args<Value>, _: Context| Ok::<_, ApiError>(());
    let module = Module::new("site").get("/busy", busy).post("/article", article);
    TestServer::handlers(&[("app.json", definition)], module)
}

/// Returns the details of an error response: its members without the error code and the message, and the header fields
/// that some errors have.
fn error_details(response: &Response) -> (Value, Vec<(&'static str, String)>) {
    let mut document = response.json();
    for member in ["error", "ErrorDescription", "type", "title", "detail", "status", "code", "message"] {
        document.as_object_mut().unwrap().remove(member);
    }
    let names = ["allow", "www-authenticate", "retry-after"];
    (document, names.into_iter().filter_map(|name| Some((name, response.field(name)?.to_owned()))).collect())
}

#[test]
fn error_responses_have_details_in_every_envelope() {
    let post = |target: &str| Request::new("POST", target);
    let editor = |request: Request| request.scope(&["article[7]"]);
    let wrong_id = json!({ "parameter": "id", "in": "path", "expected": "a whole number of 64 bits", "got": "\"x\"" });
    let missing_tags = json!({ "parameter": "tags", "in": "body", "expected": "an array", "got": null });
    let unknown = json!({ "parameter": "more", "in": "query", "expected": "no such parameter", "got": null });
    let wrong_tag =
        json!({ "parameter": "tags[1]", "in": "body", "expected": "a whole number of 64 bits", "got": "\"x\"" });
    let accepted = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"];
    let token = "Bearer error=\"invalid_token\"";
    let cases = [
        (Request::new("GET", "/articel"), 404, json!({ "similar": ["/article"] }), vec![]),
        (Request::new("GET", "/nothing"), 404, json!({}), vec![]),
        (Request::new("GET", "/article"), 405, json!({}), vec![("allow", "POST, OPTIONS")]),
        (post("/article/7"), 401, json!({}), vec![("www-authenticate", "Bearer")]),
        (post("/article").field("authorization", "Bearer x"), 401, json!({}), vec![("www-authenticate", token)]),
        (post("/article").field("authorization", "bearer x"), 401, json!({}), vec![("www-authenticate", token)]),
        (post("/article").field("authorization", "Basic x"), 401, json!({}), vec![("www-authenticate", "Bearer")]),
        (
            post("/article/7").scope(&["author", "article[8]"]),
            403,
            json!({ "missing": [["article[id]"], ["editor"]] }),
            vec![],
        ),
        (editor(post("/article/7?more=1")), 400, json!({ "errors": [missing_tags, unknown] }), vec![]),
        (
            post("/article/x").scope(&["editor", "author"]).body("application/json", r#"{"tags":[1,"x"]}"#),
            400,
            json!({ "errors": [wrong_id, wrong_tag] }),
            vec![],
        ),
        (
            editor(post("/article/7")).body("application/json", "x".repeat(41)),
            413,
            json!({ "limit": { "name": "body", "max": 40, "unit": "bytes" } }),
            vec![],
        ),
        (
            editor(post("/article/7")).body("application/x-www-form-urlencoded", "tags=[1,2,3,4]"),
            413,
            json!({ "parameter": "tags", "limit": { "name": "items", "max": 3, "unit": "items" } }),
            vec![],
        ),
        (editor(post("/article/7")).body("text/csv", "1"), 415, json!({ "accepted": accepted }), vec![]),
        (Request::new("GET", "/busy"), 503, json!({}), vec![("retry-after", "5")]),
    ];
    for (name, envelope) in
        [("aicra", EnvelopeKind::Aicra), ("plain", EnvelopeKind::Plain), ("iapi", EnvelopeKind::Iapi)]
    {
        let server = start_server(name);
        for (request, status, members, fields) in &cases {
            let response = server.send(request);
            let coarse = name == "iapi" && matches!(status, 404 | 503);
            assert_eq!(response.status, if coarse { 400 } else { *status }, "{request:?}: {response:?}");
            assert_eq!(violation(&response, envelope), None, "{request:?}");
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            assert_eq!(error_details(&response), (members.clone(), fields), "{request:?}");
        }
    }
}

/// An authenticator that adds this challenge to `WWW-Authenticate`.
struct AuthenticatorWithChallenge(&'static str);

impl Authenticate for AuthenticatorWithChallenge {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("Authorization") {
            Some(_) => Authentication::Invalid("never".to_owned()),
            None => Authentication::Anonymous,
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::Http(self.0.to_owned())]
    }
}

#[test]
fn only_a_bearer_challenge_reports_an_invalid_token() {
    let definition = json!({ "GET": { "info": "I", "scope": [["a"]] } });
    // Each case has a challenge, and the expected `WWW-Authenticate` without a credential and with an invalid token.
    // The test server also has an authenticator with the challenge `Bearer`.
    let cases = [
        ("Basic realm=\"a\"", "Bearer, Basic realm=\"a\"", "Bearer error=\"invalid_token\", Basic realm=\"a\""),
        (
            "Bearer realm=\"a\"",
            "Bearer, Bearer realm=\"a\"",
            "Bearer error=\"invalid_token\", Bearer realm=\"a\", error=\"invalid_token\"",
        ),
        ("Bearer", "Bearer", "Bearer error=\"invalid_token\""),
    ];
    for (scheme, asked, invalid) in cases {
        let files = [("site.json", definition.clone())];
        let engine = engine(&files, |rulebook| {
            rulebook.unbound(Unbound::Echo).authenticator(AuthenticatorWithChallenge(scheme))
        });
        let server = TestServer::start(&engine);
        let nobody = server.send(&Request::new("GET", "/"));
        assert_eq!((nobody.status, nobody.field("www-authenticate")), (401, Some(asked)));
        let token = server.send(&Request::new("GET", "/").field("authorization", "Bearer x"));
        assert_eq!((token.status, token.field("www-authenticate")), (401, Some(invalid)));
        let other = server.send(&Request::new("GET", "/").field("authorization", "Basic x"));
        assert_eq!((other.status, other.field("www-authenticate")), (401, Some(asked)));
    }
}

/// RFC 9457 section 4.2.1: the title of a problem document of the type `about:blank` is the phrase of its status.
#[test]
fn the_title_of_a_problem_document_is_the_phrase_of_its_status() {
    let server = start_server("aicra");
    let editor = |request: Request| request.scope(&["article[7]"]);
    let cases = [
        (Request::new("GET", "/nothing"), "Not Found"),
        (Request::new("GET", "/article"), "Method Not Allowed"),
        (Request::new("POST", "/article/7"), "Unauthorized"),
        (Request::new("POST", "/article/7").scope(&["author"]), "Forbidden"),
        (editor(Request::new("POST", "/article/7")), "Bad Request"),
        (editor(Request::new("POST", "/article/7")).body("text/csv", "1"), "Unsupported Media Type"),
        (Request::new("GET", "/busy"), "Service Unavailable"),
    ];
    for (request, title) in cases {
        let document = server.send(&request.field("accept", "application/problem+json")).json();
        assert_eq!((&document["type"], &document["title"]), (&json!("about:blank"), &json!(title)));
    }
    let definition = json!({ "GET": { "info": "I", "errors": { "sold": { "status": 409, "info": "It is sold" } } } });
    let sold = |_: Args<()>, _: Context| async { Err::<(), _>(ApiError::declared("sold")) };
    let module = rulebook::Module::new("site").get("/", sold);
    let engine = engine(&[("site.json", definition)], |rulebook| rulebook.module(module));
    let response =
        TestServer::start(&engine).send(&Request::new("GET", "/").field("accept", "application/problem+json"));
    let document = response.json();
    assert_eq!((&document["title"], &document["code"]), (&json!("Conflict"), &json!("sold")));
    assert_eq!(document["detail"], "it failed: It is sold".trim_start_matches("it failed: "));
}
