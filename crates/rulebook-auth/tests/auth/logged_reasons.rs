//! The reasons in the log why a credential is not valid.

use serde_json::{Value as Json, json};

use super::issuer::Issuer;
use super::{claims_with, jwt, log_lines, serve, status};

/// The value of claims that do not fit their types.
const SECRET: &str = "the-value-of-a-claim";

/// The issuer of other tokens.
const OTHER_ISSUER: &str = "https://id.reasons.example";

#[test]
fn tokens_whose_claims_differ_from_the_declared_ones_are_refused() {
    log_lines::capture();
    let issuer = Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    let mut settings = jwt(file.to_str().unwrap());
    settings["claims"] = json!({
        "tenant": "string(1,20)", "level": "?int(0,9)", "email": "?string", "https://notes.example/day": "?date",
        "roles.all": "?array<string>",
        "realm": { "type": "?object", "fields": { "id": { "info": "The id", "type": "int" } } }
    });
    let client = serve(&json!({ "jwt": settings }));
    let token = |changes: Json| issuer.token("EdDSA", &claims_with(changes));
    for changes in [
        json!({ "tenant": "a" }),
        json!({ "tenant": "a", "level": 9, "realm": { "id": 1 }, "roles": { "all": ["x"] }, "other": [SECRET] }),
        json!({ "tenant": "a", "https://notes.example/day": "2026-01-02", "roles": {} }),
    ] {
        assert_eq!(status(&client, "/me", &token(changes.clone())), 200, "{changes}");
    }
    for (changes, reason) in [
        (json!({}), "the claim `tenant` is missing, which the setting `claims` declares"),
        (json!({ "tenant": "" }), "the claim `tenant` has another type than the setting `claims` declares: expected"),
        (json!({ "tenant": "a", "level": SECRET }), "the claim `level` has another type"),
        (json!({ "tenant": "a", "level": 10 }), "expected a whole number from 0 to 9"),
        (json!({ "tenant": "a", "realm": { "id": SECRET } }), "the claim `realm.id` has another type"),
        (json!({ "tenant": "a", "roles": { "all": SECRET } }), "the claim `roles.all` has another type"),
        (json!({ "tenant": "a", "https://notes.example/day": SECRET }), "the claim `https://notes.example/day` has"),
    ] {
        let before = log_lines::containing(reason);
        assert_eq!(status(&client, "/me", &token(changes.clone())), 401, "{changes}");
        assert_eq!(log_lines::containing(reason), before + 1, "{changes}");
    }
    assert_eq!(log_lines::containing(SECRET), 0);
    let mut with_null = claims_with(json!({ "tenant": "a" }));
    with_null["level"] = Json::Null;
    assert_eq!(status(&client, "/me", &issuer.token("EdDSA", &with_null)), 200);
}

#[test]
fn the_log_contains_the_reason_of_each_authenticator() {
    log_lines::capture();
    let issuer = Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    let (first, mut second) = (jwt(file.to_str().unwrap()), jwt(file.to_str().unwrap()));
    second["issuer"] = OTHER_ISSUER.into();
    let client = serve(&json!({ "jwt": [first, second] }));
    for (changes, reason) in [
        (json!({ "iss": OTHER_ISSUER, "exp": 5 }), "the token has expired"),
        (json!({ "iss": OTHER_ISSUER, "aud": "x" }), "the token is for another audience"),
    ] {
        let token = issuer.token("EdDSA", &claims_with(changes));
        assert_eq!(status(&client, "/note", &token), 401);
        assert_eq!(log_lines::containing(&format!(": the token comes from another issuer; {reason}")), 1);
        assert_eq!(log_lines::containing(&token), 0);
    }
    assert_eq!(client.get("/note").header("authorization", "Bearer").send().status(), 401);
    let malformed = "the header field Authorization is malformed or repeated";
    assert_eq!(log_lines::containing(&format!("{malformed}; {malformed}")), 0, "a reason is logged once");
}
