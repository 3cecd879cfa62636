//! The limits of the number of keys.

use rulebook_test::Client;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::issuer::{Issuer, encode};
use super::{claims, jwt, log_lines, serve, status};

/// Returns the public key of another issuer, without an id unless `id` is one.
fn other_key(number: u8, id: Option<&str>) -> Json {
    let mut key = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode([number; 32]) });
    if let Some(id) = id {
        key["kid"] = id.into();
    }
    key
}

/// Serves an API that accepts the tokens of an issuer with these keys.
fn serve_keys(keys: &[Json]) -> (Client, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    (serve(&json!({ "jwt": jwt(file.to_str().unwrap()) })), folder)
}

#[test]
fn only_the_first_hundred_keys_of_a_set_are_used() {
    log_lines::capture();
    let issuer = Issuer::new();
    let (ec, ed25519) = (issuer.jwks()["keys"][1].clone(), issuer.jwks()["keys"][3].clone());
    let mut keys: Vec<_> = (0..99).map(|number| other_key(number, Some("other"))).collect();
    keys.extend([ec, ed25519]);
    let (client, folder) = serve_keys(&keys);
    assert_eq!(status(&client, "/note", &issuer.token("ES256", &claims())), 200);
    assert_eq!(status(&client, "/note", &issuer.token("EdDSA", &claims())), 401);
    let file = folder.path().join("jwks.json");
    let warning = format!("WARN {}: the issuer has 101 keys, of which only the first 100 are used", file.display());
    assert_eq!(log_lines::containing(&warning), 1);
}

#[test]
fn a_token_without_a_key_id_is_compared_with_the_first_four_keys_for_its_algorithm() {
    log_lines::capture();
    let issuer = Issuer::new();
    let [rsa, ed25519] = [0, 3].map(|index| {
        let mut key = issuer.jwks()["keys"][index].clone();
        key.as_object_mut().unwrap().remove("kid");
        key
    });
    for (others, expected) in [(3, 200), (4, 401)] {
        let mut keys: Vec<_> = (0..others).map(|number| other_key(number, None)).collect();
        keys.extend([rsa.clone(), ed25519.clone()]);
        let (client, _folder) = serve_keys(&keys);
        let send = |algorithm: &str| {
            let header = json!({ "alg": algorithm }).to_string();
            status(&client, "/note", &issuer.sign(algorithm, &header, &claims().to_string()))
        };
        assert_eq!((send("EdDSA"), send("RS256")), (expected, 200), "{others} other keys");
        send("EdDSA");
    }
    let warning = "a token without `kid` is refused, because only the first 4 of 5 keys for its algorithm are tried";
    assert_eq!(log_lines::containing(warning), 1);
}
