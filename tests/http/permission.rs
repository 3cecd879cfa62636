//! Tests permissions, which the server checks before it reads any byte of the body.

use rulebook::key::Keys;
use rulebook::{Rulebook, Unbound};
use serde_json::{Value, json};

use crate::client::{Request, TestServer, case};
use crate::keys::add_key;

#[test]
fn callers_without_permission_get_the_reason_in_the_response() {
    case::run(&case::read(include_str!("../data/http/permission.json")));
}

/// The tested scopes. A scope is a list of alternative groups, and a caller needs all permissions of one group.
const SCOPES: &[&[&[&str]]] = &[
    &[],
    &[&[]],
    &[&["a"]],
    &[&["a", "b"]],
    &[&["a"], &["b"]],
    &[&["a", "b"], &["c"]],
    &[&["a", "b"], &["b", "c"]],
    &[&["a", "b", "c"]],
    &[&["a"], &["a", "b"]],
    &[&["a", "a"]],
];

#[test]
fn a_caller_needs_all_permissions_of_one_group_of_the_scope() {
    let methods = SCOPES
        .iter()
        .enumerate()
        .map(|(index, scope)| (format!("s{index}"), json!({ "GET": { "info": "Some may call it", "scope": scope } })));
    let below: Value = methods.collect();
    let server = TestServer::echo(&[("site.json", json!({ "/": below }))]);
    let mut connection = server.connect();
    for (index, scope) in SCOPES.iter().enumerate() {
        let public = scope.iter().all(|group| group.is_empty());
        let request = Request::new("GET", format!("/s{index}"));
        let nobody = connection.send(&request);
        assert_eq!(nobody.status, if public { 200 } else { 401 }, "{scope:?} for nobody");
        for held in 0..16_u8 {
            let all = ["a", "b", "c", "A"];
            let held: Vec<_> = (0..4).filter(|bit| held >> bit & 1 == 1).map(|bit| all[bit]).collect();
            let allowed = public || scope.iter().any(|group| group.iter().all(|one| held.contains(one)));
            let response = connection.send(&request.clone().scope(&held));
            assert_eq!(response.status, if allowed { 200 } else { 403 }, "{scope:?} for {held:?}");
        }
    }
}

#[test]
fn a_request_without_permission_is_refused_before_its_body_arrives() {
    let module = json!({ "/": { "x": { "POST": {
        "info": "For writers", "scope": [["writer"]], "in": { "x": { "info": "A number", "type": "int" } }
    } } } });
    let server = TestServer::echo(&[("site.json", module)]);
    for (who, status) in [(None, 401), (Some("Bearer no list"), 401), (Some(r#"Bearer ["reader"]"#), 403)] {
        for (name, value) in [("content-length", "1000000000"), ("transfer-encoding", "chunked")] {
            let mut request = Request::new("POST", "/x").field(name, value).field("content-type", "text/no-such");
            if let Some(who) = who {
                request = request.field("authorization", who);
            }
            // The test does not send the body.
            let mut connection = server.connect();
            connection.write(&request.head());
            assert_eq!(connection.read_response(false).status, status, "{request:?}");
        }
    }
}

#[test]
fn api_keys_of_the_key_file_grant_the_permissions_of_their_scopes() {
    let folder = tempfile::tempdir().unwrap();
    let reader = add_key(folder.path(), &["--name", "reader", "--scope", "reader"]);
    let seven = add_key(folder.path(), &["--name", "seven", "--scope", "user[7]"]);
    let nothing = add_key(folder.path(), &["--name", "nothing"]);
    let path = folder.path().join("data/keys.json");
    let module = json!({ "/": {
        "open": { "GET": { "info": "For all" } },
        "read": { "GET": { "info": "For readers", "scope": [["reader"]] } },
        "user/{id}": { "GET": {
            "info": "For the user", "scope": [["user[id]"]], "in": { "{id}": { "info": "Who", "type": "id" } }
        } }
    } });
    let files = vec![("site.json".into(), module.to_string().into_bytes())];
    let rulebook = Rulebook::read(files).authenticator(Keys::load(&path).unwrap()).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let targets = ["/open", "/read", "/user/7", "/user/77"];
    let named = |value: &str| {
        value
            .replace("READER", &reader.to_uppercase())
            .replace("reader", &reader)
            .replace("seven", &seven)
            .replace("nothing", &nothing)
    };
    for (authorization, statuses) in [
        (&[][..], [200, 401, 401, 401]),
        (&["Bearer reader"], [200, 200, 403, 403]),
        (&["bearer  reader"], [200, 200, 403, 403]),
        (&["BEARER seven"], [200, 403, 200, 403]),
        (&["Bearer nothing"], [200, 403, 403, 403]),
        (&["Bearer rb_nobody"], [401; 4]),
        (&["Bearer reade"], [401; 4]),
        (&["Bearer READER"], [401; 4]),
        (&["Bearer"], [401; 4]),
        (&[""], [200, 401, 401, 401]),
        (&["Basic reader"], [200, 401, 401, 401]),
        (&["Bearer reader, Bearer seven"], [401; 4]),
        (&["Bearer reader", "Bearer seven"], [401; 4]),
        (&["Bearer reader", "Bearer reader"], [401; 4]),
    ] {
        for (target, status) in targets.into_iter().zip(statuses) {
            let request = authorization
                .iter()
                .fold(Request::new("GET", target), |request, value| request.field("authorization", named(value)));
            let response = server.send(&request);
            assert_eq!(response.status, status, "{target} {authorization:?}");
            // The challenge says that the token is invalid (RFC 6750 section 3.1).
            let token = authorization.iter().any(|value| value.to_lowercase().starts_with("bearer"));
            let challenge = if token { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            assert_eq!(response.field("www-authenticate"), (status == 401).then_some(challenge), "{response:?}");
        }
    }
}
