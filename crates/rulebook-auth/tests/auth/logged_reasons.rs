//! The reasons in the log why a credential is not valid.

use serde_json::json;

use super::issuer::Issuer;
use super::{claims_with, jwt, log_lines, serve, status};

/// The issuer of other tokens.
const OTHER_ISSUER: &str = "https://id.reasons.example";

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
