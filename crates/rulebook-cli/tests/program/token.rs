//! Tests of `rulebook token`, and of servers that accept its tokens.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value as Json, json};
use sha2::Sha256;
use tempfile::TempDir;

use super::test_files::run_tests;
use super::{Server, definition_folder, run_program};

/// Creates a folder with an API that has this setting `auth`, and a method that requires the permission `reader`.
fn folder_with(auth: Option<Json>) -> TempDir {
    let method = json!({ "info": "I", "scope": [["reader"]], "handler": { "value": {} } });
    let user = json!({ "info": "I", "scope": [["user[id]"]], "handler": { "value": {} }, "in": {
        "{id}": { "info": "I", "type": "string" } } });
    let services = json!({ "note": { "GET": method }, "user/{id}": { "GET": user } });
    let app = auth.map_or_else(|| json!({}), |auth| json!({ "auth": auth }));
    definition_folder(&[("app.json", app), ("note.json", json!({ "/": services }))])
}

fn token(folder: &Path, arguments: &[&str]) -> String {
    let result = run_program(folder, &[&["token"], arguments].concat());
    assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""));
    result.stdout.trim().to_owned()
}

/// Returns the status of a request with a bearer token.
fn status(server: &Server, target: &str, token: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request =
        agent.get(format!("http://{}{target}", server.address)).header("Authorization", format!("Bearer {token}"));
    request.call().unwrap().status().as_u16()
}

const ACCEPT: &str = "--accept-local-tokens";

#[test]
fn a_token_is_accepted_with_the_flag_and_only_while_the_key_is_the_same() {
    let folder = folder_with(None);
    let folder = folder.path();
    let valid = token(folder, &["--sub", "ada", "--scope", "other,reader"]);
    let file = folder.join("data/local-issuer.json");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
    {
        let server = Server::start(folder, &[]);
        assert_eq!(status(&server, "/note", &valid), 401);
        assert!(!server.stdout.contains("LOCAL TOKENS"), "{}", server.stdout);
    }
    let server = Server::start(folder, &[ACCEPT]);
    assert!(server.stdout.contains("LOCAL TOKENS, not for production"), "{}", server.stdout);
    assert!(server.log().contains("use it for development only"), "{}", server.log());
    assert_eq!(status(&server, "/note", &valid), 200);
    assert_eq!(status(&server, "/note", &token(folder, &["--sub", "ada", "--scope", "writer"])), 403);
    assert_eq!(
        status(&server, "/note", &token(folder, &["--sub", "ada", "--expires", "0s", "--scope", "reader"])),
        401
    );
    fs::remove_file(&file).unwrap();
    let next = token(folder, &["--sub", "ada", "--scope", "reader"]);
    assert_eq!((status(&server, "/note", &valid), status(&server, "/note", &next)), (401, 200));
    assert!(server.log().contains("the key of `rulebook token` has changed"), "{}", server.log());
}

#[test]
fn forged_tokens_are_refused() {
    let folder = folder_with(None);
    let folder = folder.path();
    let valid = token(folder, &["--sub", "ada", "--scope", "reader"]);
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let decode = |part: &str| serde_json::from_slice::<Json>(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let [header, claims, signature] = valid.split('.').collect::<Vec<_>>()[..] else { panic!("{valid}") };
    let set: Json = serde_json::from_slice(&fs::read(folder.join("data/local-issuer.json")).unwrap()).unwrap();
    let public = set["keys"][0]["x"].as_str().unwrap();
    let with_header = |name: &str, value: &str| {
        let mut header = decode(header);
        header[name] = value.into();
        encode(header.to_string().as_bytes())
    };
    let with_secret = |secret: &[u8]| {
        let message = format!("{}.{claims}", with_header("alg", "HS256"));
        let mut tag = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        tag.update(message.as_bytes());
        format!("{message}.{}", encode(&tag.finalize().into_bytes()))
    };
    let mut other_claims = decode(claims);
    other_claims["sub"] = "root".into();
    let other = folder_with(None);
    let forged = [
        ("no algorithm", format!("{}.{claims}.", with_header("alg", "none"))),
        ("no signature", format!("{header}.{claims}.")),
        ("the public key as a secret", with_secret(public.as_bytes())),
        ("the bytes of the public key as a secret", with_secret(&BASE64_URL_SAFE_NO_PAD.decode(public).unwrap())),
        ("another algorithm", format!("{}.{claims}.{signature}", with_header("alg", "ES256"))),
        ("another key id", format!("{}.{claims}.{signature}", with_header("kid", "other"))),
        ("other claims", format!("{header}.{}.{signature}", encode(other_claims.to_string().as_bytes()))),
        ("another key", token(other.path(), &["--sub", "ada", "--scope", "reader"])),
    ];
    let server = Server::start(folder, &[ACCEPT]);
    assert_eq!(status(&server, "/note", &valid), 200);
    for (name, token) in forged {
        assert_eq!(status(&server, "/note", &token), 401, "{name}");
    }
}

#[test]
fn the_claims_mean_what_those_of_the_first_issuer_mean() {
    let jwt = json!({
        "issuer": "https://id.example", "audience": "notes", "jwks": "https://127.0.0.1:1/jwks.json",
        "permissions": ["user[{sub}]", "{roles.all}"], "name": "email"
    });
    let folder = folder_with(Some(json!({ "keys": {}, "jwt": jwt })));
    let folder = folder.path();
    let claims = json!({ "email": "a@b.example", "iss": "https://id.example", "roles": { "all": ["x"] } }).to_string();
    let user = token(folder, &["--sub", "7", "--claims", &claims]);
    let server = Server::start(folder, &[ACCEPT, "--watch"]);
    assert_eq!((status(&server, "/user/7", &user), status(&server, "/user/8", &user)), (200, 403));
    let claims = json!({ "email": "a@b.example", "roles": { "all": ["reader"] } }).to_string();
    assert_eq!(status(&server, "/note", &token(folder, &["--sub", "7", "--claims", &claims])), 200);
    // The claim with the name is missing.
    assert_eq!(status(&server, "/user/7", &token(folder, &["--sub", "7"])), 401);
    let server = Server::start(folder, &["--share-data"]);
    assert_eq!(status(&server, "/user/7", &user), 401);
    assert!(server.log().contains("only a server that was started with --accept-local-tokens"), "{}", server.log());
}

#[test]
fn claims_that_differ_from_the_declared_ones_are_refused() {
    let jwt = |claims: Json| {
        json!({
            "issuer": "https://id.example", "audience": "notes", "jwks": "https://127.0.0.1:1/jwks.json",
            "permissions": ["user[{sub}]"], "claims": claims
        })
    };
    let issuers = [jwt(json!({ "tenant": "string", "level": "?int" })), jwt(json!({ "team": "int" }))];
    let folder = folder_with(Some(json!({ "keys": {}, "jwt": issuers })));
    let folder = folder.path();
    let test = |claims: &Json| {
        let step = json!({ "call": "user.{id}.get", "with": { "id": "7" }, "scope": ["user[7]"], "claims": claims });
        run_tests(folder, &json!({ "a": step }).to_string(), &[])
    };
    let call = |claims: &Json| {
        run_program(folder, &["call", "user.{id}.get", "id=7", "--scope", "user[7]", "--claims", &claims.to_string()])
    };
    let sign = |claims: &Json| run_program(folder, &["token", "--sub", "7", "--claims", &claims.to_string()]);
    let valid = json!({ "tenant": "a", "level": 5 });
    for result in [test(&valid), call(&valid), sign(&valid), test(&json!({ "team": 5 })), call(&json!({ "team": 5 }))] {
        assert_eq!(result.exit_code, Some(0), "{result:?}");
    }
    let token = sign(&valid).stdout;
    assert_eq!(status(&Server::start(folder, &[ACCEPT, "--share-data"]), "/user/7", token.trim()), 200);
    for (claims, expected) in [
        (
            json!({ "tenant": "a", "level": "x" }),
            "the claim `level` has another type than the setting `claims` declares",
        ),
        (json!({ "level": 5 }), "the claim `tenant` is missing, which the setting `claims` declares"),
    ] {
        for (result, exit_code) in [(test(&claims), 1), (call(&claims), 2), (sign(&claims), 2)] {
            assert_eq!(result.exit_code, Some(exit_code), "{result:?}");
            assert!((result.stderr.clone() + &result.stdout).contains(expected), "{result:?}");
        }
    }
}

#[test]
fn a_key_that_others_can_read_or_that_is_damaged_is_refused() {
    let folder = folder_with(None);
    let folder = folder.path();
    token(folder, &["--sub", "ada"]);
    let file = folder.join("data/local-issuer.json");
    #[cfg(unix)]
    {
        let mode = |mode| fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        mode(0o644);
        for command in [&["token", "--sub", "ada"][..], &["serve", ACCEPT, "--bind", "127.0.0.1:0"]] {
            let result = run_program(folder, command);
            assert_eq!((result.exit_code, result.stdout.as_str()), (Some(3), ""));
            assert!(result.stderr.contains("other users can read this key"), "{}", result.stderr);
        }
        mode(0o600);
    }
    fs::write(&file, "{}").unwrap();
    let result = run_program(folder, &["token", "--sub", "ada"]);
    assert!(result.stderr.contains("remove the file, so that a new key is made"), "{}", result.stderr);
    for arguments in [&["--sub", ""][..], &["--sub", "a", "--claims", "7"], &["--sub", "a", "--expires", "-1h"], &[]] {
        assert_eq!(run_program(folder, &[&["token"], arguments].concat()).exit_code, Some(2), "{arguments:?}");
    }
}
