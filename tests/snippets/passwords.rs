//! Tests the example calls of APIs that accept names with passwords.

use std::fs;
use std::process::Command;

use rulebook::{AuthScheme, Authenticate, Authentication, Engine, Head, Identity, Rulebook, Unbound};
use rulebook_model::describe::{Snippet, python};
use serde_json::json;

use super::methods_with_calls;
use super::run_calls::{Language, run_calls};
use crate::client::TestServer;

/// An authenticator that accepts one value of the header field `Authorization`.
struct OneCredential(&'static str);

impl Authenticate for OneCredential {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("Authorization") {
            Some(value) if value == self.0 => Authentication::Identity(Identity::new("ada", ["reader"])),
            _ => Authentication::Anonymous,
        }
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::basic("staff")]
    }
}

/// Returns an API that accepts one value of the header field `Authorization`, with methods that have no body, a JSON
/// body and a multipart form.
pub fn engine_for_credential(credential: &'static str) -> Engine {
    let method = |parameters| json!({ "info": "I", "scope": [["reader"]], "in": parameters });
    let module = json!({
        "GET": method(json!({ "HEADER@X-Text": { "info": "I", "type": "string" } })),
        "POST": method(json!({ "text": { "info": "I", "type": "string" } })),
        "PUT": method(json!({ "file": { "info": "I", "type": "file" } })),
    });
    let app = json!({ "modules": { "site": module } }).to_string().into_bytes();
    let rulebook = Rulebook::read(vec![("app.json".into(), app)]).authenticator(OneCredential(credential));
    rulebook.unbound(Unbound::Echo).build().unwrap()
}

/// Runs calls of [`engine_for_credential`], and checks that the server accepts the credential in each of them.
#[track_caller]
pub fn assert_calls_are_permitted(calls: &[String], language: Language) {
    let folder = tempfile::tempdir().unwrap();
    for (call, (status, body)) in calls.iter().zip(run_calls(language, calls, folder.path())) {
        assert_eq!(status, 200, "{body}\n{call}");
    }
}

#[track_caller]
fn assert_example_calls_are_permitted(language: Language) {
    let engine = engine_for_credential("Basic TkFNRTpQQVNTV09SRA==");
    let server = TestServer::start(&engine);
    let address = server.address().to_string();
    let calls = super::calls_to_server(engine.api(), language, &address, "unused");
    assert_eq!(calls.len(), 3);
    assert_calls_are_permitted(&calls, language);
}

#[test]
fn curl_sends_a_name_and_a_password() {
    assert_example_calls_are_permitted(Language::Curl);
}

#[test]
#[ignore = "needs Node 18"]
fn javascript_sends_a_name_and_a_password() {
    assert_example_calls_are_permitted(Language::JavaScript);
}

#[test]
#[ignore = "needs Node 20"]
fn the_client_sends_a_name_and_a_password() {
    assert_example_calls_are_permitted(Language::Client);
}

#[test]
#[ignore = "needs Python 3 with requests"]
fn python_sends_a_name_and_a_password() {
    assert_example_calls_are_permitted(Language::Python);
}

#[test]
#[ignore = "needs PHP with curl"]
fn php_sends_a_name_and_a_password() {
    assert_example_calls_are_permitted(Language::Php);
}

#[test]
#[ignore = "needs Go"]
fn go_sends_a_name_and_a_password() {
    assert_example_calls_are_permitted(Language::Go);
}

/// A program that calls a method with the client in `client.py` of an API.
const PYTHON_CALLS: &str = "
import sys
from client import Api
basic = Api(sys.argv[1], basic=('ädä', 'p:ß'))
print(basic.post(text='x'), Api(sys.argv[1], basic=('', ''), token='x')._api.authorization)
try:
    Api(sys.argv[1], basic=('a:b', 'c'))
except ValueError as error:
    print(error)
";

#[test]
#[ignore = "needs Python 3.11"]
fn python_clients_send_a_name_and_a_password() {
    let engine = engine_for_credential("Basic w6Rkw6Q6cDrDnw==");
    let server = TestServer::start(&engine);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("client.py"), python(engine.api())).unwrap();
    fs::write(folder.path().join("calls.py"), PYTHON_CALLS).unwrap();
    let mut program = Command::new(std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into()));
    program.arg(folder.path().join("calls.py")).arg(format!("http://{}", server.address()));
    let output = program.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<_> = printed.lines().collect();
    assert!(lines.len() == 2 && lines[0].ends_with(" Bearer x"), "{printed}{errors}");
    assert_eq!(lines[1], "the name in the argument basic contains a colon");
}

#[test]
fn example_calls_contain_the_name_and_the_password_as_the_language_needs_them() {
    let engine = engine_for_credential("unused");
    for (method, calls) in methods_with_calls(engine.api()) {
        let python = match method.id.as_str() {
            "put" => "    auth=(\"NAME\", \"PASSWORD\"),\n",
            _ => "\"Authorization\": \"Basic \" + base64.b64encode(\"NAME:PASSWORD\".encode()).decode(),\n",
        };
        let parts = [
            "\n  --user 'NAME:PASSWORD'",
            "\", { basic: { name: \"NAME\", password: \"PASSWORD\" } });\n",
            "    \"Authorization\": \"Basic \" + btoa(\"NAME:PASSWORD\"),\n",
            python,
            "    CURLOPT_USERPWD => 'NAME:PASSWORD',\n",
            "\trequest.SetBasicAuth(\"NAME\", \"PASSWORD\")\n",
        ];
        for (Snippet { text, .. }, part) in calls.iter().zip(parts) {
            assert!(text.contains(part) && !text.contains("YOUR_KEY"), "{}: {text}", method.id);
        }
    }
}

#[test]
fn example_calls_prefer_keys_and_tokens_to_names_with_passwords() {
    struct Schemes(Vec<AuthScheme>);
    impl Authenticate for Schemes {
        async fn authenticate(&self, _: &Head) -> Authentication {
            Authentication::Anonymous
        }

        fn schemes(&self) -> Vec<AuthScheme> {
            self.0.clone()
        }
    }
    let module = json!({ "GET": { "info": "I", "scope": [["reader"]], "in": {
        "HEADER@Authorization": { "info": "I", "type": "string", "example": "not sent" }
    } } });
    let app = json!({ "modules": { "site": module } }).to_string().into_bytes();
    let (basic, header) = (AuthScheme::basic("staff"), AuthScheme::Header("X-Key".to_owned()));
    for (schemes, expected) in [
        (vec![basic.clone(), AuthScheme::bearer()], "-H 'Authorization: Bearer YOUR_KEY'"),
        (
            vec![AuthScheme::Certificate, basic.clone(), header],
            "-H 'X-Key: YOUR_KEY' \\\n  -H 'authorization: not sent'",
        ),
        (vec![AuthScheme::Certificate, basic], "--user 'NAME:PASSWORD'"),
    ] {
        let rulebook = Rulebook::read(vec![("app.json".into(), app.clone())]).authenticator(Schemes(schemes));
        let engine = rulebook.unbound(Unbound::Echo).build().unwrap();
        let curl = &methods_with_calls(engine.api())[0].1[0].text;
        assert!(curl.ends_with(expected), "{curl}");
    }
}
