//! Tests of the demo's users: their registration, logins and profiles.

use std::time::{Duration, Instant};

use serde_json::json;

use super::DemoFolder;
use crate::client::Request;

#[test]
fn a_user_registers_once_and_logs_in() {
    let place = DemoFolder::new();
    let server = place.serve();
    let new = json!({ "login": "grace", "name": "Grace Hopper", "password": "nanoseconds" });
    let registered = server.send_json("POST", "/user", None, &new);
    assert_eq!((registered.status, &registered.json()["user_id"]), (201, &json!(9)));
    let again = server.send_json("POST", "/user", None, &new);
    assert_eq!((again.status, &again.json()["code"]), (409, &json!("login_taken")));
    let token = server.log_in("grace", "nanoseconds");
    assert!(token.starts_with("login_") && token.len() == 70, "{token}");
    assert_ne!(token, server.log_in("grace", "nanoseconds"), "each login has its own token");
    let profile = server.get("/user/9").json()["user"].clone();
    assert_eq!(
        (&profile["login"], &profile["role"], &profile["articles"]),
        (&"grace".into(), &"author".into(), &0.into())
    );
    assert!(profile.get("password").is_none(), "{profile}");
}

#[test]
fn concurrent_registrations_do_not_get_the_same_login() {
    let place = DemoFolder::new();
    let server = place.serve();
    let new = json!({ "login": "twin", "name": "Twin", "password": "ten letters" });
    let mut statuses: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..4).map(|_| scope.spawn(|| server.send_json("POST", "/user", None, &new).status)).collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

/// A time that is shorter than hashing a password on any machine, and longer than a response without hashing.
const MIN_HASH_TIME: Duration = Duration::from_millis(4);

#[test]
fn wrong_logins_and_wrong_passwords_are_indistinguishable() {
    let place = DemoFolder::new();
    let mut command = place.command();
    command.env("RULEBOOK_TRUSTED_PROXIES", "127.0.0.1");
    let server = place.serve_with_command(command);
    let mut addresses = (1..).map(|number| format!("192.0.2.{number}"));
    let mut wrong = |login: &str| {
        let body = json!({ "login": login, "password": "wrong" }).to_string();
        // Each login comes from another address, because the failures of an address are limited.
        let request = Request::new("POST", "/user/login").field("x-forwarded-for", addresses.next().unwrap());
        let begun = Instant::now();
        let response = server.send(&request.body("application/json", body));
        assert_eq!(response.status, 403, "{response:?}");
        (response.json(), begun.elapsed())
    };
    let expected = wrong("ada").0;
    let fastest = ["ada", "nobody", "jules"].map(|login| {
        let tries = (0..5).map(|_| {
            let (response, time) = wrong(login);
            assert_eq!(response, expected, "{login}");
            time
        });
        tries.min().unwrap()
    });
    // Each response must take at least the time that hashing takes. Load on the machine can only make it longer.
    assert!(fastest.iter().all(|time| *time > MIN_HASH_TIME), "the time reveals whether the user exists: {fastest:?}");
}

#[test]
fn a_login_is_compared_byte_for_byte() {
    let place = DemoFolder::new();
    let server = place.serve();
    for login in ["ada ", " ada", "Ada", "ada\t", "àda"] {
        let credentials = json!({ "login": login, "password": "analytical engine" });
        assert_eq!(server.send_json("POST", "/user/login", None, &credentials).status, 403, "{login:?}");
    }
    server.log_in_as_editor();
}

#[test]
fn a_login_ends_by_logging_out_or_expiring() {
    let place = DemoFolder::new();
    let server = place.serve();
    let (first, second) = (server.log_in_as_editor(), server.log_in_as_editor());
    let log_out = |token: &str| {
        server
            .send(&Request::new("DELETE", "/user/login").field("authorization", format_args!("Bearer {token}")))
            .status
    };
    assert_eq!(log_out(&first), 204);
    assert_eq!(log_out(&first), 401);
    server.create_article(&second, "The other login goes on");
    place.connect_to_database().execute_batch("UPDATE logins SET ends = 1").unwrap();
    assert_eq!(log_out(&second), 401);
    assert_eq!(log_out("login_00"), 401);
    assert_eq!(log_out("rb_00"), 401, "the server's keys are checked, too");
    let public = Request::new("GET", "/article").field("authorization", format_args!("Bearer {second}"));
    assert_eq!(server.send(&public).status, 401, "an invalid login is an error on public methods, too");
    server.log_in_as_editor();
    assert_eq!(log_out(&second), 401);
}

#[test]
fn tokens_and_passwords_are_stored_as_hashes() {
    let place = DemoFolder::new();
    let mut command = place.command();
    command.args(["--log", "trace"]);
    let server = place.serve_with_command(command);
    let token = server.log_in_as_editor();
    server.create_article(&token, "Secrets");
    let log = server.process.log();
    drop(server);
    place.connect_to_database().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let file = std::fs::read(place.database_file()).unwrap();
    for secret in [token.as_str(), "analytical engine"] {
        assert!(!file.windows(secret.len()).any(|part| part == secret.as_bytes()), "the database contains {secret}");
        assert!(!log.contains(secret), "the log contains {secret}");
    }
}

#[test]
fn profiles_can_be_changed_by_their_owners() {
    let place = DemoFolder::new();
    let server = place.serve();
    let token = server.log_in_as_editor();
    let changed = server.send_json("PUT", "/user/1", Some(&token), &json!({ "about": "Reads" }));
    assert_eq!((changed.status, &changed.json()["about"]), (200, &json!("Reads")));
    let profile = server.get("/user/1").json()["user"].clone();
    assert_eq!((&profile["name"], &profile["about"]), (&"Ada Whitlock".into(), &"Reads".into()));
    server.send_json("PUT", "/user/2", Some(&token), &json!({})).assert_error(403, "user[user_id]");
    assert_eq!(server.send_json("PUT", "/user/1", None, &json!({})).status, 401);
    let unknown = server.get("/user/99");
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("no_such_user")));
}
