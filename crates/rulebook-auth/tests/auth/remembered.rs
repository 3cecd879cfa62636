//! Tokens that a worker has verified are remembered.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::issuer::Issuer;
use super::{claims_with, jwt, now, serve, serve_with_file, status};

#[test]
fn a_remembered_token_is_refused_after_it_has_expired() {
    let issuer = Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    for leeway in [0, 2] {
        let mut settings = jwt(file.to_str().unwrap());
        settings["leeway"] = json!(leeway);
        let client = serve(&json!({ "jwt": settings }));
        let expires = now() + 2;
        let token = issuer.token("ES256", &claims_with(json!({ "exp": expires })));
        while now() < expires + leeway - 1 {
            assert_eq!(status(&client, "/note", &token), 200, "leeway {leeway}");
            sleep(Duration::from_millis(50));
        }
        while now() < expires + leeway {
            sleep(Duration::from_millis(50));
        }
        assert_eq!(status(&client, "/note", &token), 401, "leeway {leeway}");
    }
}

#[test]
fn a_token_that_differs_from_a_remembered_one_is_verified() {
    let issuer = Issuer::new();
    let (client, _folder) = serve_with_file(&issuer);
    let token = issuer.token("EdDSA", &claims_with(json!({})));
    assert_eq!((status(&client, "/note", &token), status(&client, "/note", &token)), (200, 200));
    for at in [5, token.len() / 2, token.len() - 5] {
        let mut changed = token.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(status(&client, "/note", &String::from_utf8(changed).unwrap()), 401, "{at}");
    }
}
