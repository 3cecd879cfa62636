//! Tests the authentication schemes of authenticators: in `WWW-Authenticate`, in the OpenAPI document, and several of
//! them in one API.

use std::fs;

use rulebook::key::Keys;
use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, Rulebook, Unbound};
use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::client::{Request, TestServer, engine};

/// An authenticator for this scheme that accepts the credential `valid`.
struct SchemeAuthenticator(AuthScheme);

impl Authenticate for SchemeAuthenticator {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let credential = match &self.0 {
            AuthScheme::Header(name) => head.header(name),
            AuthScheme::Cookie(name) => head.cookie(name),
            _ => head.header("Authorization").and_then(|field| field.strip_prefix("Basic ")),
        };
        match credential {
            Some("valid") => Authentication::Identity(Identity::new("ada", ["reader"])),
            Some(_) => Authentication::Invalid("another credential".to_owned()),
            None => Authentication::Anonymous,
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.0.clone()]
    }
}

fn definition() -> Vec<(&'static str, Json)> {
    let open = json!({ "GET": { "info": "Open to everyone" } });
    let module = json!({ "GET": { "info": "For readers", "scope": [["reader"], ["admin"]] }, "/": { "open": open } });
    vec![("site.json", module)]
}

#[test]
fn the_openapi_document_and_the_challenge_name_the_scheme() {
    let roles = "The roles of an operation are the permissions that it requires.";
    let cases = [
        (
            AuthScheme::basic("the \"staff\""),
            "basic",
            json!({ "type": "http", "scheme": "basic", "description": format!("A user name and a password (RFC 7617). {roles}") }),
            "Basic realm=\"the \\\"staff\\\"\"",
        ),
        (
            AuthScheme::Header("X-Api-Key".to_owned()),
            "header-x-api-key",
            json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key",
                "description": format!("A credential in the header field `X-Api-Key`. {roles}") }),
            "ApiKey",
        ),
        (
            AuthScheme::Cookie("session".to_owned()),
            "cookie-session",
            json!({ "type": "apiKey", "in": "cookie", "name": "session",
                "description": format!("A credential in the cookie `session`. {roles}") }),
            "ApiKey",
        ),
        (
            AuthScheme::Http("Hoba max-age=\"10\"".to_owned()),
            "hoba",
            json!({ "type": "apiKey", "in": "header", "name": "Authorization",
                "description": format!("A credential of the HTTP authentication scheme `hoba`. {roles}") }),
            "Hoba max-age=\"10\"",
        ),
    ];
    for (scheme, name, described, challenge) in cases {
        let files = definition().into_iter().map(|(name, json)| (name.into(), json.to_string().into_bytes()));
        let rulebook =
            Rulebook::read(files.collect()).unbound(Unbound::Echo).authenticator(SchemeAuthenticator(scheme));
        let engine = rulebook.build().unwrap();
        let document = openapi(engine.api());
        assert_eq!(document["components"]["securitySchemes"], json!({ name: described }));
        let security = &document["paths"]["/"]["get"]["security"];
        assert_eq!(*security, json!([{ name: ["reader"] }, { name: ["admin"] }]));
        let response = TestServer::start(&engine).send(&Request::new("GET", "/"));
        assert_eq!((response.status, response.field("www-authenticate")), (401, Some(challenge)));
    }
}

#[test]
fn an_api_can_have_several_authenticators_and_describes_all_of_them() {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("data")).unwrap();
    let key = crate::keys::add_key(folder.path(), &["--name", "bo", "--scope", "admin"]);
    let keys = Keys::load(&folder.path().join("data/keys.json")).unwrap();
    let engine = {
        let files = definition().into_iter().map(|(name, json)| (name.into(), json.to_string().into_bytes()));
        let rulebook = Rulebook::read(files.collect()).unbound(Unbound::Echo).authenticator(keys);
        let rulebook = rulebook.authenticator(SchemeAuthenticator(AuthScheme::basic("staff")));
        rulebook.authenticator(SchemeAuthenticator(AuthScheme::Cookie("session".to_owned()))).build().unwrap()
    };
    let document = openapi(engine.api());
    let names: Vec<_> = document["components"]["securitySchemes"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["basic", "bearer", "cookie-session"]);
    assert_eq!(document["paths"]["/"]["get"]["security"].as_array().unwrap().len(), 2 * 3);

    let server = TestServer::start(&engine);
    let status = |path: &str, fields: &[(&str, &str)]| {
        let request =
            fields.iter().fold(Request::new("GET", path), |request, (name, value)| request.field(name, *value));
        server.send(&request).status
    };
    let bearer = format!("Bearer {key}");
    for fields in
        [&[("authorization", &*bearer)][..], &[("authorization", "Basic valid")], &[("cookie", "session=valid")]]
    {
        assert_eq!(status("/", fields), 200, "{fields:?}");
    }
    // The authenticator for API keys is called first, and ignores a credential of the scheme `Basic`, so that the next
    // authenticator is called.
    assert_eq!(status("/open", &[("authorization", "Basic valid")]), 200);
    assert_eq!(status("/open", &[("authorization", "Basic wrong")]), 401);
    assert_eq!(status("/open", &[("authorization", "Negotiate x")]), 200, "no authenticator knows this scheme");
    assert_eq!(status("/open", &[("authorization", "Bearer wrong")]), 401);
    let response = server.send(&Request::new("GET", "/"));
    assert_eq!(response.field("www-authenticate"), Some("Bearer, Basic realm=\"staff\""));
    let page = String::from_utf8(server.send(&Request::new("GET", "/docs/index.md")).body).unwrap();
    let credentials = "needs a key or a token in the header field `Authorization: Bearer …` (RFC 6750), or a user name \
                       and a password in the header field `Authorization: Basic …` (RFC 7617), or a key or a token in \
                       the header field `Cookie: session=…`. ";
    assert!(page.contains(credentials), "{page}");
}

#[test]
fn without_authenticators_the_openapi_document_describes_bearer_tokens() {
    let engine = engine(&definition(), |rulebook| rulebook.unbound(Unbound::Echo));
    let document = openapi(engine.api());
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}
