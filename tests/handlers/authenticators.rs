//! Tests several authenticators in one API: how their identities are combined, the errors that they declare, and the
//! fields of bodies that they check.

use std::path::PathBuf;
use std::sync::Arc;

use rulebook::store::{FileName, FilePatterns};
use rulebook::{
    ApiError, Args, AuthError, AuthScheme, Authenticate, Authentication, BodyFields, Context, Engine, Head, Identity,
    Module, RateLimiter, Rulebook, Unbound,
};
use rulebook_model::describe::{self, openapi};
use serde_json::{Value as Json, json};

use crate::client::{Request, Response, TestServer, multipart};

/// An authenticator that reads a header field. The value `valid` is the credential of `identity`; the value `suspended`
/// is rejected with a declared error, and other values are invalid.
struct FieldAuthenticator {
    field: &'static str,
    scheme: AuthScheme,
    identity: Identity,
}

impl Authenticate for FieldAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header(self.field) {
            None => Authentication::Anonymous,
            Some("valid") => Authentication::Identity(self.identity.clone()),
            Some("suspended") => Authentication::Error(ApiError::declared("suspended")),
            Some("expired") => Authentication::Error(ApiError::declared("expired")),
            Some("undeclared") => Authentication::Error(ApiError::declared("unknown_error")),
            Some("busy") => Authentication::Unavailable("no database".to_owned()),
            Some(_) => Authentication::Invalid("another value".to_owned()),
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.scheme.clone()]
    }

    fn errors(&self) -> Vec<AuthError> {
        let expired = AuthError::new("expired", 401, "the login has expired");
        vec![AuthError::new("suspended", 403, "this account is suspended").with_number(12), expired]
    }
}

/// Returns an authenticator with a separate scheme.
fn by_field(field: &'static str, identity: Identity) -> FieldAuthenticator {
    FieldAuthenticator { field, scheme: AuthScheme::Header(field.to_owned()), identity }
}

fn definition() -> Json {
    let method = |scope: Json| json!({ "info": "Returns the caller", "scope": scope });
    json!({
        "/": {
            "open": { "GET": method(json!([])) },
            "one": { "GET": method(json!([["one"]])) },
            "both": { "GET": method(json!([["one", "two"]])) }
        }
    })
}

/// Returns the names, permissions and attached values of the caller.
async fn caller(_: Args<()>, context: Context) -> Result<Json, ApiError> {
    let Some(identity) = context.identity() else { return Ok(json!({ "name": null })) };
    let file = |name: &str| FileName::parse(name).is_ok_and(|name| identity.may_access_file(&name));
    Ok(json!({
        "name": identity.name(),
        "permissions": identity.permissions().collect::<Vec<_>>(),
        "number": identity.data::<u64>(),
        "word": identity.data::<&str>(),
        "files": [file("a/x"), file("b/x"), file("a/x.png")],
    }))
}

fn build(add: impl FnOnce(Rulebook) -> Rulebook) -> Engine {
    let files = vec![(PathBuf::from("site.json"), definition().to_string().into_bytes())];
    let module = Module::new("site").get("/open", caller).get("/one", caller).get("/both", caller);
    add(Rulebook::read(files).module(module)).build().unwrap_or_else(|report| panic!("{report}"))
}

fn get(server: &TestServer, path: &str, fields: &[(&str, &str)]) -> Response {
    server.send(&fields.iter().fold(Request::new("GET", path), |request, (name, value)| request.field(name, *value)))
}

fn one_and_two() -> [FieldAuthenticator; 2] {
    let one = Identity::new("ada", ["one", "both"]).with(7_u64);
    let two = Identity::new("bo", ["both", "two"]).with(8_u64).with("attached");
    [by_field("x-one", one), by_field("x-two", two)]
}

#[test]
fn the_permissions_of_all_authenticators_are_added() {
    let [one, two] = one_and_two();
    let server = TestServer::start(&build(|rulebook| rulebook.authenticator(one).authenticator(two)));
    let both = [("x-one", "valid"), ("x-two", "valid")];
    assert_eq!(get(&server, "/both", &both[..1]).status, 403);
    assert_eq!(get(&server, "/both", &both[1..]).status, 403);
    let response = get(&server, "/both", &both);
    assert_eq!(response.status, 200);
    let body = response.json();
    assert_eq!(body["name"], "ada", "the caller has the name of the first identity");
    assert_eq!(body["permissions"], json!(["one", "both", "two"]));
    assert_eq!((&body["number"], &body["word"]), (&json!(7), &json!("attached")));
    assert_eq!(get(&server, "/open", &[]).json()["name"], Json::Null);
}

#[test]
fn a_program_can_use_only_the_first_identity() {
    let [one, two] = one_and_two();
    let rulebook = |rulebook: Rulebook| rulebook.authenticator(one).authenticator(two).combine_identities(false);
    let server = TestServer::start(&build(rulebook));
    let both = [("x-one", "valid"), ("x-two", "valid")];
    assert_eq!(get(&server, "/both", &both).status, 403);
    assert_eq!(get(&server, "/open", &both).json()["permissions"], json!(["one", "both"]));
    assert_eq!(get(&server, "/open", &both[1..]).json()["name"], "bo");
    // The second authenticator is not called.
    assert_eq!(get(&server, "/open", &[("x-one", "valid"), ("x-two", "wrong")]).status, 200);
}

#[test]
fn a_second_credential_removes_no_limit_of_the_first_one() {
    let patterns = |pattern: &str| FilePatterns::new([pattern]).unwrap();
    let limiter = |requests| Arc::new(RateLimiter::new(requests, 0, 1));
    let one = Identity::new("ada", ["one"]).with_file_patterns(patterns("a/*")).with_rate_limiter(limiter(2));
    let two = Identity::new("bo", ["two"]).with_file_patterns(patterns("*/*.png")).with_rate_limiter(limiter(9));
    let engine = build(|rulebook| rulebook.authenticator(by_field("x-one", one)).authenticator(by_field("x-two", two)));
    let server = TestServer::start(&engine);
    let both = [("x-one", "valid"), ("x-two", "valid")];
    let response = get(&server, "/open", &both);
    assert_eq!(response.json()["files"], json!([false, false, true]), "both identities must allow the file");
    assert_eq!(response.field("ratelimit"), Some("\"default\";r=1"), "the lower limit is reported");
    assert_eq!(get(&server, "/open", &both).status, 200);
    assert_eq!(get(&server, "/open", &both).status, 429, "the first limit is used up");
    assert_eq!(get(&server, "/open", &both[1..]).field("ratelimit"), Some("\"default\";r=6"));
}

#[test]
fn an_invalid_credential_is_rejected_unless_an_authenticator_of_the_same_scheme_accepts_it() {
    let bearer = |field| FieldAuthenticator {
        field,
        scheme: AuthScheme::bearer(),
        identity: Identity::new("cy", ["one", "two"]),
    };
    let cookie = || by_field("x-cookie", Identity::new("di", ["one"]));
    let orders: [[FieldAuthenticator; 3]; 2] =
        [[bearer("x-a"), bearer("x-b"), cookie()], [cookie(), bearer("x-b"), bearer("x-a")]];
    for order in orders {
        let add = |rulebook: Rulebook| order.into_iter().fold(rulebook, Rulebook::authenticator);
        let server = TestServer::start(&build(add));
        let cases: [(&[(&str, &str)], u16); 6] = [
            (&[("x-a", "valid"), ("x-b", "wrong")], 200),
            (&[("x-a", "wrong"), ("x-b", "valid")], 200),
            (&[("x-a", "wrong"), ("x-b", "wrong")], 401),
            (&[("x-a", "wrong"), ("x-cookie", "valid")], 401),
            (&[("x-a", "valid"), ("x-cookie", "wrong")], 401),
            (&[("x-a", "valid"), ("x-cookie", "busy")], 503),
        ];
        for (fields, status) in cases {
            assert_eq!(get(&server, "/open", fields).status, status, "{fields:?}");
        }
    }
}

#[test]
fn an_authenticator_rejects_requests_with_errors_that_it_declares() {
    let [one, two] = one_and_two();
    let engine = build(|rulebook| rulebook.authenticator(one).authenticator(two));
    let server = TestServer::start(&engine);
    let response = get(&server, "/open", &[("x-one", "valid"), ("x-two", "suspended")]);
    assert_eq!(response.status, 403);
    let expected =
        json!({ "error": 12, "ErrorDescription": "it failed: this account is suspended", "name": "suspended" });
    assert_eq!(response.json(), expected);
    let response = get(&server, "/open", &[("x-one", "expired")]);
    assert_eq!((response.status, response.field("www-authenticate")), (401, Some("ApiKey")));
    let response = get(&server, "/open", &[("x-one", "undeclared")]);
    assert_eq!((response.status, &response.json()["error"]), (500, &json!(502)), "an error that is not declared");

    // Every document lists the error for every method.
    let document = openapi(engine.api());
    let responses = &document["paths"]["/open"]["get"]["responses"]["403"];
    let component = responses["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
    let content = &document["components"]["responses"][component]["content"]["application/json"];
    assert_eq!(content["examples"]["suspended"]["value"], expected);
    assert!(describe::typescript(engine.api()).contains("errors: \"suspended\" | \"expired\";"));
    let uris = describe::uris(engine.api());
    assert!(describe::markdown_for_service(engine.api(), &uris.services[0]).contains("| `suspended` | 403 |"));
    let options = describe::options_for_service(engine.api(), &uris.services[0]).to_string();
    assert!(!options.contains("suspended"), "the definition of a method does not contain errors of authenticators");
}

/// Declares errors with this status and message.
struct Declaring(u16, &'static str);

impl Authenticate for Declaring {
    async fn authenticate(&self, _: &Head) -> Authentication {
        Authentication::Anonymous
    }

    fn errors(&self) -> Vec<AuthError> {
        vec![AuthError::new("suspended", self.0, self.1)]
    }
}

#[test]
fn wrong_declarations_of_errors_are_reported_at_start() {
    let files = || vec![(PathBuf::from("site.json"), definition().to_string().into_bytes())];
    let rulebook = || Rulebook::read(files()).unbound(Unbound::Echo);
    let same = rulebook().authenticator(Declaring(403, "a")).authenticator(Declaring(403, "a"));
    assert!(same.build().is_ok());
    let report = rulebook().authenticator(Declaring(200, "a")).build().unwrap_err().to_string();
    assert!(report.contains("error[bad-option]") && report.contains("`suspended`"), "{report}");
    let report = rulebook().authenticator(Declaring(403, "a")).authenticator(Declaring(403, "b")).build();
    assert!(report.unwrap_err().to_string().contains("error[name-collision]"));
}

/// Identifies the user of a session by a cookie, and accepts a body only if it contains the token of the session.
struct Sessions;

impl Authenticate for Sessions {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.cookie("session") {
            Some(session) => Authentication::Identity(Identity::new(session, ["user"])),
            None => Authentication::Anonymous,
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::Cookie("session".to_owned())]
    }

    fn errors(&self) -> Vec<AuthError> {
        vec![AuthError::new("invalid_csrf_token", 403, "the form has expired")]
    }

    fn body_fields(&self) -> Vec<String> {
        vec!["csrf".to_owned()]
    }

    fn check_body(&self, head: &Head, identity: Option<&Identity>, fields: &BodyFields) -> Result<(), ApiError> {
        let Some(identity) = identity.filter(|_| head.method != "GET") else { return Ok(()) };
        let expected = format!("token of {}", identity.name());
        if fields.get("csrf") == Some(&expected) { Ok(()) } else { Err(ApiError::declared("invalid_csrf_token")) }
    }
}

#[test]
fn an_authenticator_checks_a_field_of_the_body() {
    let title = json!({ "title": { "info": "A title", "type": "string" } });
    let scope = json!([["user"]]);
    let definition = json!({
        "unknown": "refuse",
        "modules": { "site": { "/": {
            "edit": { "POST": { "info": "Has a body", "scope": scope, "in": title } },
            "press": { "POST": { "info": "Has no parameters", "scope": scope }, "GET": { "info": "Has no body" } }
        } } }
    });
    let files = vec![(PathBuf::from("app.json"), definition.to_string().into_bytes())];
    let engine = Rulebook::read(files).unbound(Unbound::Echo).authenticator(Sessions).build().unwrap();
    let server = TestServer::start(&engine);
    let send = |path: &str, cookie: bool, media_type: &str, body: &[u8]| {
        let request = Request::new("POST", path).body(media_type, body);
        let request = if cookie { request.field("cookie", "session=ada") } else { request };
        let response = server.send(&request);
        (response.status, response.json()["name"].as_str().unwrap_or_default().to_owned())
    };
    let (accepted, rejected) = ((200, String::new()), (403, "invalid_csrf_token".to_owned()));
    let form = "application/x-www-form-urlencoded";
    let json_type = "application/json";
    for (media_type, body, expected) in [
        (form, "title=t&csrf=token+of+ada", &accepted),
        (form, "csrf=token%20of%20ada&title=t", &accepted),
        (form, "title=t&csrf=token+of+bo", &rejected),
        (form, "title=t&csrf=token+of+ada&csrf=token+of+ada", &rejected),
        (form, "title=t", &rejected),
        (json_type, r#"{"title": "t", "csrf": "token of ada"}"#, &accepted),
        (json_type, r#"{"title": "t", "csrf": ["token of ada"]}"#, &rejected),
        (json_type, r#"{"title": "t", "csrf": "token of ada""#, &rejected),
    ] {
        assert_eq!(send("/edit", true, media_type, body.as_bytes()), *expected, "{body}");
    }
    let parts: &[(&str, &[u8])] = &[("name=\"title\"", b"t"), ("name=\"csrf\"", b"token of ada")];
    let media_type = "multipart/form-data; boundary=XX";
    assert_eq!(send("/edit", true, media_type, &multipart(parts)), accepted);
    assert_eq!(send("/edit", true, media_type, &multipart(&parts[..1])), rejected);
    // The body of a method without parameters is read too.
    assert_eq!(send("/press", true, form, b"csrf=token+of+ada"), accepted);
    assert_eq!(send("/press", true, form, b""), rejected);
    // Permissions are checked before the body.
    assert_eq!(send("/press", false, form, b"csrf=token+of+ada").0, 401);
    let get = Request::new("GET", "/press").field("cookie", "session=ada");
    assert_eq!(server.send(&get).status, 200);
    // Other unknown fields are still refused.
    assert_eq!(send("/edit", true, form, b"title=t&csrf=token+of+ada&other=1").0, 400);
}
