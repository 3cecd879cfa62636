//! Tests that pages of other sites cannot use the credentials that browsers add to their requests.

use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, Rulebook};
use serde_json::{Value, json};

use crate::client::{Request, TestServer, engine};

/// An authenticator for these schemes that accepts requests with the header field `X-Valid`, whatever the scheme.
struct Accepts(Vec<AuthScheme>);

impl Authenticate for Accepts {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("x-valid") {
            Some(_) => Authentication::Identity(Identity::new("ada", ["reader"])),
            None => Authentication::Anonymous,
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        self.0.clone()
    }
}

/// Starts a server whose credentials have these schemes. `cors` is the value of the setting `cors`.
fn serve(schemes: Vec<AuthScheme>, cors: &Value) -> TestServer {
    let method = |scope: &Value| json!({ "info": "I", "scope": scope });
    let service = |scope: Value| {
        let methods = ["GET", "POST", "PUT", "DELETE", "PATCH"].map(|http| (http.to_owned(), method(&scope)));
        Value::Object(methods.into_iter().collect())
    };
    let module = json!({ "/": { "open": service(json!([])), "closed": service(json!([["reader"]])) } });
    let app = json!({ "cors": cors });
    let add = |rulebook: Rulebook| rulebook.unbound(rulebook::Unbound::Echo).authenticator(Accepts(schemes));
    TestServer::start(&engine(&[("app.json", app), ("site.json", module)], add))
}

fn no_cors() -> Value {
    json!({ "origins": ["https://other.example"] })
}

/// Returns the status of a request with a credential and these header fields.
fn status(server: &TestServer, method: &str, path: &str, fields: &[(&str, &str)]) -> u16 {
    let request = Request::new(method, path).field("x-valid", "1");
    let response = server.send(&fields.iter().fold(request, |request, (name, value)| request.field(name, value)));
    if response.status == 403 {
        response.assert_error(403, "another site");
    }
    response.status
}

#[test]
fn only_credentials_that_browsers_add_by_themselves_are_refused_from_other_sites() {
    let http = |text: &str| AuthScheme::Http(text.to_owned());
    let (cookie, header) = (AuthScheme::Cookie("session".to_owned()), AuthScheme::Header("X-Api-Key".to_owned()));
    let jwt = AuthScheme::Jwt { challenge: "Bearer".to_owned(), discovery: None };
    let cases = [
        (vec![AuthScheme::basic("staff")], true),
        (vec![http("DIGEST realm=\"staff\"")], true),
        (vec![http("Negotiate")], true),
        (vec![cookie.clone()], true),
        (vec![AuthScheme::Certificate], true),
        (vec![], true),
        (vec![header.clone(), cookie], true),
        (vec![AuthScheme::bearer()], false),
        (vec![jwt, header], false),
        (vec![http("Signature")], false),
    ];
    for (schemes, is_refused) in cases {
        let server = serve(schemes.clone(), &no_cors());
        for path in ["/open", "/closed"] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "GET", "HEAD", "OPTIONS"] {
                let expected = if is_refused && !["GET", "HEAD", "OPTIONS"].contains(&method) { 403 } else { 200 };
                let got = status(&server, method, path, &[("sec-fetch-site", "cross-site")]);
                assert_eq!(got, expected, "{method} {path} {schemes:?}");
            }
        }
        let anonymous = Request::new("POST", "/open").field("sec-fetch-site", "cross-site");
        assert_eq!(server.send(&anonymous).status, 200, "without a credential: {schemes:?}");
    }
}

#[test]
fn browsers_say_which_site_a_request_comes_from() {
    // The tests' client requests the host `test`.
    let (site, origin) = ("sec-fetch-site", "origin");
    let cases: [(&[(&str, &str)], bool); 13] = [
        (&[], false),
        (&[(site, "same-origin")], false),
        (&[(site, "none")], false),
        (&[(site, "cross-site")], true),
        (&[(site, "same-site")], true),
        (&[(site, "something new")], true),
        (&[(site, "same-origin"), (origin, "null")], false),
        (&[(site, "cross-site"), (origin, "http://test")], true),
        (&[(origin, "http://test")], false),
        (&[(origin, "https://TEST")], false),
        (&[(origin, "http://test:8080")], true),
        (&[(origin, "https://test.example")], true),
        (&[(origin, "null")], true),
    ];
    let server = serve(vec![AuthScheme::basic("staff")], &no_cors());
    for (fields, is_refused) in cases {
        assert_eq!(status(&server, "POST", "/closed", fields), if is_refused { 403 } else { 200 }, "{fields:?}");
    }
}

#[test]
fn origins_that_may_send_credentials_are_accepted() {
    let (listed, stranger) = ("https://h5.example", "https://other.example");
    let cases = [
        (json!({ "origins": [listed], "credentials": true }), listed, 200),
        (json!({ "origins": [listed], "credentials": true }), "HTTPS://h5.example", 200),
        (json!({ "origins": [listed], "credentials": true }), stranger, 403),
        (json!({ "origins": [listed] }), listed, 403),
        (json!({ "origins": ["*"] }), listed, 403),
    ];
    for (cors, origin, expected) in cases {
        let server = serve(vec![AuthScheme::Cookie("session".to_owned())], &cors);
        for fields in [&[("origin", origin)][..], &[("origin", origin), ("sec-fetch-site", "cross-site")]] {
            assert_eq!(status(&server, "POST", "/closed", fields), expected, "{cors} {fields:?}");
        }
    }
}
