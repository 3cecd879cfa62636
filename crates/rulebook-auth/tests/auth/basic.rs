//! Names and passwords.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rulebook_test::{Client, TestResponse};
use serde_json::{Value as Json, json};

use super::{rulebook, serve};

/// Returns the hash of a password, which is computed in a short time.
fn argon2_hash(password: &str) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let salt = SaltString::encode_b64(b"a salt for tests").unwrap();
    argon2.hash_password(password.as_bytes(), &salt).unwrap().to_string()
}

pub fn bcrypt_hash(password: &str) -> String {
    bcrypt::hash_with_salt(password, 4, *b"a salt for tests").unwrap().format_for_version(bcrypt::Version::TwoY)
}

fn settings(file: &Path) -> Json {
    json!({ "basic": { "users": file.to_str().unwrap(), "permissions": ["me", "user[{name}]"], "realm": "staff" } })
}

/// Serves an API with the users Ada and Jules.
fn serve_users() -> (Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.htpasswd");
    let (ada, jules) = (argon2_hash("p:ä ß"), bcrypt_hash("secret"));
    std::fs::write(&file, format!("# users\n\nada:{ada}:reader,user[8]\r\njules:{jules}\n")).unwrap();
    (serve(&settings(&file)), folder)
}

pub fn send(client: &Client, target: &str, name: &str, password: &str) -> TestResponse {
    let credential = BASE64_STANDARD.encode(format!("{name}:{password}"));
    client.get(target).header("authorization", format!("Basic {credential}")).send()
}

#[test]
fn users_of_the_file_have_their_permissions() {
    let (client, _folder) = serve_users();
    for _ in 0..2 {
        let status = |target: &str, name: &str, password: &str| send(&client, target, name, password).status();
        assert_eq!(status("/note", "ada", "p:ä ß"), 200);
        assert_eq!(status("/user/ada", "ada", "p:ä ß"), 200);
        assert_eq!((status("/user/8", "ada", "p:ä ß"), status("/user/9", "ada", "p:ä ß")), (200, 403));
        assert_eq!((status("/user/jules", "jules", "secret"), status("/note", "jules", "secret")), (200, 403));
    }
    assert_eq!(send(&client, "/me", "jules", "secret").output("name"), "jules");
    let response = client.get("/note").send();
    assert_eq!((response.status(), response.header("www-authenticate")), (401, Some("Basic realm=\"staff\"")));
    let document = client.get("/openapi.json").send().json();
    assert_eq!(document["components"]["securitySchemes"]["basic"]["scheme"], "basic");
}

#[test]
fn wrong_and_malformed_credentials_are_refused() {
    let (client, _folder) = serve_users();
    let raw = |value: &str| client.get("/open").header("authorization", value).send().status();
    let encoded = |text: &[u8]| format!("Basic {}", BASE64_STANDARD.encode(text));
    assert_eq!(send(&client, "/open", "ada", "p:ä ").status(), 401);
    assert_eq!(send(&client, "/open", "grace", "secret").status(), 401);
    assert_eq!(send(&client, "/open", "jules", "p:ä ß").status(), 401);
    for value in [
        encoded(b"ada"),
        encoded(b":secret"),
        encoded(b"jules:secret\n"),
        encoded(b"jules:secret\0"),
        encoded(b"jules\xff:secret"),
        "Basic".to_owned(),
        "Basic  ".to_owned(),
        "Basic *".to_owned(),
        format!("Basic {}", "A".repeat(3000)),
    ] {
        assert_eq!(raw(&value), 401, "{value}");
    }
    assert_eq!(raw(&encoded(b"jules:secret").replace("Basic", "bASIC ")), 200);
    assert_eq!(raw("BasicX abc"), 200, "another scheme");
    let credential = encoded(b"jules:secret");
    let twice = client.get("/open").header("authorization", &credential).header("authorization", &credential).send();
    assert_eq!(twice.status(), 401);
}

#[test]
fn failed_logins_are_limited_but_verified_users_are_not_affected() {
    let (client, _folder) = serve_users();
    assert_eq!(send(&client, "/me", "jules", "secret").status(), 200);
    for number in 0..5 {
        assert_eq!(send(&client, "/me", "jules", &number.to_string()).status(), 401);
    }
    let response = send(&client, "/me", "jules", "another");
    assert_eq!((response.status(), response.code()), (429, Some("too_many_failures")));
    assert!(response.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().unwrap() <= 61));
    assert_eq!(send(&client, "/me", "jules", "secret").status(), 200, "the worker remembers the password");
    assert_eq!(send(&client, "/me", "ada", "p:ä ß").status(), 200, "other users can log in");
}

#[test]
fn a_client_can_send_many_requests_at_once() {
    let (client, _folder) = serve_users();
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| assert_eq!(send(&client, "/note", "ada", "p:ä ß").status(), 200));
        }
    });
}

#[test]
fn a_changed_file_takes_effect() {
    let (client, folder) = serve_users();
    let file = folder.path().join("users.htpasswd");
    assert_eq!(send(&client, "/me", "jules", "secret").status(), 200);
    std::fs::write(&file, "jules:invalid\n").unwrap();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(send(&client, "/me", "jules", "secret").status(), 200, "an invalid file changes nothing");
    std::fs::write(&file, format!("jules:{}\ngrace:{}\n", bcrypt_hash("new"), argon2_hash("x"))).unwrap();
    let start = Instant::now();
    while send(&client, "/me", "jules", "secret").status() != 401 {
        assert!(start.elapsed() < Duration::from_secs(5), "the remembered password is refused");
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(send(&client, "/me", "jules", "new").status(), 200);
    assert_eq!(send(&client, "/me", "grace", "x").status(), 200);
}

#[test]
fn errors_in_the_file_are_reported_at_the_start_without_hashes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.htpasswd");
    let (argon2, bcrypt) = (argon2_hash("a"), bcrypt_hash("a"));
    let cases = [
        ("ada", "line 1: a line has the form `name:hash`"),
        (&format!("\n:{argon2}"), "line 2: the name is not valid"),
        (&format!("ada:{argon2}\nada:{bcrypt}"), "line 2: a user of this name is in the file already"),
        ("ada:$apr1$salt$hash", "line 1: the hash is neither argon2 nor bcrypt"),
        ("ada:{SHA}hash", "the hash is neither argon2 nor bcrypt"),
        ("ada:$argon2id$v=19$m=64,t=1,p=1", "the argon2 hash is malformed"),
        ("ada:$2y$04$short", "the bcrypt hash is malformed"),
        (&format!("ada:{}", bcrypt.replace("$04$", "$17$")), "the cost of the bcrypt hash is more than 16"),
        (&format!("ada:{}", argon2.replace("m=64", "m=999999999")), "the argon2 hash costs more than"),
    ];
    for (text, expected) in cases {
        std::fs::write(&file, text).unwrap();
        let error = rulebook(&settings(&file)).build().unwrap().start().unwrap_err().to_string();
        assert!(error.contains("error[bad-auth]") && error.contains(expected), "{text}: {error}");
        assert!(!error.contains("$2y$") && !error.contains("$argon2id"), "{error}");
    }
}

#[test]
fn several_kinds_are_combined_unless_the_definition_says_otherwise() {
    let issuer = super::issuer::Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let (file, jwks) = (folder.path().join("users"), folder.path().join("jwks.json"));
    std::fs::write(&file, format!("jules:{}\n", bcrypt_hash("secret"))).unwrap();
    std::fs::write(&jwks, issuer.jwks().to_string()).unwrap();
    let mut other = super::jwt(jwks.to_str().unwrap());
    other["issuer"] = json!("https://other.example");
    let auth = json!({ "basic": settings(&file)["basic"], "jwt": [super::jwt(jwks.to_str().unwrap()), other] });
    let client = serve(&auth);
    assert_eq!(send(&client, "/user/jules", "jules", "secret").status(), 200);
    for iss in [super::issuer::ISSUER, "https://other.example"] {
        let token = issuer.token("EdDSA", &super::claims_with(json!({ "iss": iss })));
        assert_eq!(super::status(&client, "/note", &token), 200, "{iss}");
    }
    let challenge = client.get("/note").send();
    let challenge = challenge.header("www-authenticate").unwrap();
    assert_eq!(challenge, "Basic realm=\"staff\", Bearer scope=\"reader\"");
    let document = client.get("/openapi.json").send().json();
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    assert_eq!(schemes.keys().collect::<Vec<_>>(), ["basic", "jwt"]);
}

#[test]
fn the_time_of_a_login_does_not_show_the_cost_of_the_hash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users.htpasswd");
    let slow = bcrypt::hash_with_salt("secret", 11, *b"a salt for tests").unwrap().to_string();
    let (cheap, argon2) = (bcrypt_hash("secret"), argon2_hash("secret"));
    std::fs::write(&file, format!("slow:{slow}\ncheap:{cheap}\nargon2:{argon2}\n")).unwrap();
    let client = serve(&settings(&file));
    let time = |name: &str, password: &str, status: u16| {
        let started = Instant::now();
        assert_eq!(send(&client, "/open", name, password).status(), status, "{name}");
        started.elapsed()
    };
    // Each further login of another user takes at least most of this time; the hash of `cheap` alone takes a hundredth.
    let reference = time("slow", "wrong", 401).min(time("slow", "wronger", 401));
    for (name, password, status) in [
        ("cheap", "wrong", 401),
        ("argon2", "wrong", 401),
        ("unknown", "wrong", 401),
        ("cheap", "secret", 200),
        ("argon2", "secret", 200),
    ] {
        let took = time(name, password, status);
        assert!(took > reference / 2, "{name}: {took:?}, but {reference:?} for the highest cost");
    }
}

#[test]
fn a_file_with_many_costs_is_refused() {
    let hash = |cost: u32| bcrypt_hash("secret").replace("$04$", &format!("${cost:02}$"));
    for (costs, is_valid) in [(4..12, true), (4..13, false)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users.htpasswd");
        let lines: String = costs.map(|cost| format!("user{cost}:{}\n", hash(cost))).collect();
        std::fs::write(&file, lines).unwrap();
        let client = Client::new(rulebook(&settings(&file)));
        assert_eq!(client.is_ok(), is_valid, "{:?}", client.err().map(|error| error.to_string()));
    }
}
