//! Tests that the forms on the pages of methods send credentials in the scheme of the API, in Chromium.
//!
//! The script `tests/external/browser` runs this test.

use std::process::Command;

use rulebook::{AuthScheme, Authenticate, Authentication, Head, Identity, Rulebook, Unbound};
use serde_json::{Value as Json, json};

use crate::client::TestServer;

/// An authenticator that accepts one value of the header field in which its scheme sends credentials.
struct OneCredential {
    scheme: AuthScheme,
    valid: &'static str,
}

impl Authenticate for OneCredential {
    async fn authenticate(&self, head: &Head) -> Authentication {
        let (name, _) = self.scheme.header_field("").unwrap();
        match head.header(&name) {
            Some(value) if value == self.valid => Authentication::Identity(Identity::new("ada", ["reader"])),
            Some(_) => Authentication::Invalid("another credential".to_owned()),
            None => Authentication::Anonymous,
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![self.scheme.clone()]
    }
}

/// Returns an API whose documents describe the method of readers only to readers.
fn definition() -> Json {
    let member = json!({ "info": "I", "type": "?string" });
    json!({ "modules": { "site": { "/": {
        "open": { "GET": { "id": "open", "info": "Open to everyone", "in": { "HEADER@X-Api-Key": member } } },
        "closed": { "GET": { "id": "closed", "info": "For readers", "scope": [["reader"]] } }
    } } }, "options": "own" })
}

#[test]
#[ignore = "needs Chromium"]
fn forms_send_the_credential_of_the_scheme() {
    let cases = [
        (AuthScheme::bearer(), "Bearer token", "secret", "Bearer secret"),
        (AuthScheme::basic("staff"), "Name and password, as name:password", "ada:pä\"ss", "Basic YWRhOnDDpCJzcw=="),
        (AuthScheme::basic("staff"), "Name and password, as name:password", "YWRhOng=", "Basic YWRhOng="),
        (AuthScheme::Http("Token realm=\"x\"".to_owned()), "Credential of the scheme Token", "secret", "Token secret"),
        (AuthScheme::Header("X-Api-Key".to_owned()), "X-Api-Key", "secret", "secret"),
        (AuthScheme::Cookie("session".to_owned()), "Cookie session", "secret=", "session=secret="),
    ];
    let servers = cases.map(|(scheme, label, typed, valid)| {
        let field = format!("{}: {valid}", scheme.header_field("").unwrap().0);
        let files = vec![("app.json".into(), definition().to_string().into_bytes())];
        let rulebook = Rulebook::read(files).unbound(Unbound::Echo).authenticator(OneCredential { scheme, valid });
        let engine = rulebook.build().unwrap_or_else(|report| panic!("{report}"));
        let server = TestServer::start(&engine);
        let case = json!({
            "url": format!("http://{}/", server.address()), "label": label, "typed": typed, "field": field
        });
        (server, case)
    });
    let cases: Vec<_> = servers.iter().map(|(_, case)| case).collect();
    let mut node = Command::new("node");
    let output = node.args(["--test", "tests/browser/schemes.mjs"]).env("CASES", json!(cases).to_string()).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
