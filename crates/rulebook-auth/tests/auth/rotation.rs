//! The keys of an issuer: how they are fetched, replaced and kept.

use std::thread;
use std::time::{Duration, Instant};

use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::issuer::Issuer;
use super::jwks_server::JwksServer;
use super::{claims, claims_with, jwt, log_lines, serve, status};

/// Serves an API whose key set is on a server, with these settings besides the usual ones.
fn serve_with(server: &JwksServer, settings: &Json) -> Client {
    let mut all = jwt(&server.url);
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    serve(&json!({ "jwt": all }))
}

/// Waits until a condition is satisfied, at most ten seconds.
#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_token_with_a_new_key_is_accepted_at_once() {
    let (issuer, next) = (Issuer::new(), Issuer::other());
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 0.2 }));
    assert_eq!((status(&client, "/note", &issuer.token("RS256", &claims())), server.fetches()), (200, 1));
    thread::sleep(Duration::from_millis(300));
    server.publish(&next.jwks());
    server.set_delay(Duration::from_millis(100));
    // All of these requests arrive before the new keys, and wait for one fetch.
    let statuses: Vec<_> = thread::scope(|scope| {
        let send = || status(&client, "/note", &next.token("ES256", &claims()));
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!((statuses, server.fetches()), (vec![200; 8], 2));
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 401, "the old key is no longer valid");
}

#[test]
fn tokens_with_a_removed_key_are_refused_after_the_next_fetch() {
    let (issuer, next) = (Issuer::new(), Issuer::other());
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 0.05, "refresh": 0.1 }));
    let token = issuer.token("RS256", &claims());
    assert_eq!(status(&client, "/note", &token), 200);
    server.publish(&next.jwks());
    wait_until("the remembered token is refused", || status(&client, "/note", &token) == 401);
}

#[test]
fn unknown_key_ids_cause_one_fetch_per_cooldown() {
    let (issuer, other) = (Issuer::new(), Issuer::other());
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 2 }));
    thread::sleep(Duration::from_millis(2100));
    let start = Instant::now();
    let send = |number: usize| {
        let header = json!({ "alg": "ES256", "kid": format!("unknown-{number}") }).to_string();
        status(&client, "/note", &other.sign("ES256", &header, &claims().to_string()))
    };
    thread::scope(|scope| {
        for thread in 0..8 {
            scope.spawn(move || (0..25).for_each(|request| assert_eq!(send(100 * thread + request), 401)));
        }
    });
    let cooldowns = start.elapsed().as_secs() as usize / 2;
    assert!((2..=2 + cooldowns).contains(&server.fetches()), "{} fetches", server.fetches());
    let fetches = server.fetches();
    // Tokens that are invalid for another reason cause no fetch, whatever the id of their key is.
    for changes in [json!({ "iss": "https://other.example" }), json!({ "aud": "x" }), json!({ "exp": 5 })] {
        assert_eq!(status(&client, "/note", &other.token("RS256", &claims_with(changes))), 401);
    }
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 200, "known keys are used meanwhile");
    assert!(server.fetches() <= fetches + 1);
}

#[test]
fn known_keys_are_used_for_a_time_while_the_issuer_is_away() {
    let (issuer, next) = (Issuer::new(), Issuer::other());
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 0.05, "refresh": 0.05, "keep": 1.5 }));
    server.set_away(true);
    let fetches = server.fetches();
    wait_until("fetches fail", || server.fetches() > fetches + 2);
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 200);
    let response = client.get("/note").header("authorization", format!("Bearer {}", next.token("RS256", &claims())));
    assert_eq!(response.send().status(), 503, "it is unknown whether the key is valid");
    let remembered = issuer.token("RS256", &claims());
    assert_eq!(status(&client, "/note", &remembered), 200);
    wait_until("the keys are too old", || status(&client, "/note", &remembered) == 503);
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 503);
    assert_eq!(client.get("/open").send().status(), 200);
    server.set_away(false);
    wait_until("the keys are fetched again", || status(&client, "/note", &remembered) == 200);
}

#[test]
fn the_server_starts_without_the_issuer() {
    let issuer = Issuer::new();
    let server = JwksServer::start(&issuer.jwks());
    server.set_away(true);
    let client = serve_with(&server, &json!({ "cooldown": 0.05 }));
    let response = client.get("/note").header("authorization", format!("Bearer {}", issuer.token("RS256", &claims())));
    let response = response.send();
    assert_eq!((response.status(), response.code()), (503, Some("unavailable")));
    assert!(response.header("retry-after").is_some());
    assert_eq!(status(&client, "/note", "not-a-token"), 401, "the credential may belong to another authenticator");
    let other = issuer.token("RS256", &claims_with(json!({ "iss": "https://other.example" })));
    assert_eq!(status(&client, "/note", &other), 401, "the keys of this issuer are not needed");
    server.set_away(false);
    wait_until("the keys are fetched", || status(&client, "/note", &issuer.token("RS256", &claims())) == 200);
}

#[test]
fn invalid_key_sets_leave_the_keys_as_they_were() {
    let issuer = Issuer::new();
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 0.02, "refresh": 0.02, "timeout": 1 }));
    let large = format!("{{\"keys\":[],\"x\":\"{}\"}}", "x".repeat(300 << 10));
    let page = "<!DOCTYPE html><title>Maintenance</title>";
    for text in ["", "{}", r#"{"keys":{}}"#, r#"{"keys":[],"keys":[]}"#, "[1]", page, &large] {
        server.publish_text(text.to_owned());
        let fetches = server.fetches();
        wait_until("the key set is fetched", || server.fetches() > fetches + 1);
        assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 200, "{text:.30}");
    }
}

#[test]
fn responses_with_another_status_leave_the_keys_as_they_were() {
    let issuer = Issuer::new();
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 0.02, "refresh": 0.02 }));
    server.publish(&json!({ "keys": [] }));
    server.set_status(500);
    let fetches = server.fetches();
    wait_until("the key set is fetched", || server.fetches() > fetches + 1);
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 200);
}

#[test]
fn no_token_is_valid_after_the_issuer_has_removed_all_keys() {
    log_lines::capture();
    let issuer = Issuer::new();
    let shared_secret = json!({ "kty": "oct", "kid": "rsa", "k": "c2VjcmV0" });
    for keys in [json!([]), json!([shared_secret]), json!([{}])] {
        let server = JwksServer::start(&issuer.jwks());
        let client = serve_with(&server, &json!({ "cooldown": 0.02, "refresh": 0.02 }));
        let token = issuer.token("RS256", &claims());
        assert_eq!(status(&client, "/note", &token), 200);
        server.publish(&json!({ "keys": keys }));
        wait_until("the remembered token is refused", || status(&client, "/note", &token) == 401);
        assert_eq!(status(&client, "/note", &issuer.token("EdDSA", &claims())), 401);
        let warning = format!("WARN {}: the issuer has no public key for signatures", server.url);
        assert_eq!(log_lines::containing(&warning), 1);
        server.publish(&issuer.jwks());
        wait_until("the new keys are used", || status(&client, "/note", &token) == 200);
    }
}

#[test]
fn the_query_of_the_address_is_not_logged() {
    log_lines::capture();
    let issuer = Issuer::new();
    let server = JwksServer::start(&issuer.jwks());
    let mut settings = jwt(&format!("{}?token=secret-of-the-query", server.url));
    (settings["cooldown"], settings["refresh"]) = (json!(0.02), json!(0.02));
    let client = serve(&json!({ "jwt": settings }));
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 200);
    server.set_away(true);
    let is_logged = |text: String| log_lines::containing(&text) == 1;
    wait_until("a fetch fails", || {
        is_logged(format!("ERROR the keys of the issuer stay as they were: {}: ", server.url))
    });
    server.set_away(false);
    let fetched_again = format!("INFO {}: the keys of the issuer have been fetched again", server.url);
    wait_until("a fetch succeeds", || is_logged(fetched_again.clone()));
    assert!(is_logged(format!("INFO {}: keys of the issuer: 4", server.url)));
    assert_eq!(log_lines::containing("secret-of-the-query"), 0);
}

#[test]
fn a_slow_issuer_does_not_delay_requests_with_known_keys() {
    let issuer = Issuer::new();
    let server = JwksServer::start(&issuer.jwks());
    let client = serve_with(&server, &json!({ "cooldown": 0.02, "timeout": 0.5 }));
    server.set_delay(Duration::from_secs(3));
    thread::sleep(Duration::from_millis(100));
    let start = Instant::now();
    assert_eq!(status(&client, "/note", &Issuer::other().token("RS256", &claims())), 503, "the time limit of a fetch");
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    let start = Instant::now();
    assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims())), 200);
    assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
}

#[test]
fn a_changed_file_takes_effect() {
    let (issuer, next) = (Issuer::new(), Issuer::other());
    let (client, folder) = super::serve_with_file(&issuer);
    let token = issuer.token("RS256", &claims());
    assert_eq!(status(&client, "/note", &token), 200);
    std::fs::write(folder.path().join("jwks.json"), next.jwks().to_string()).unwrap();
    wait_until("the file is read again", || status(&client, "/note", &token) == 401);
    assert_eq!(status(&client, "/note", &next.token("RS256", &claims())), 200);
}
