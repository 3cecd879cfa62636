//! Tokens that must not be accepted. Each differs from a valid token in a single respect.

use ring::hmac;
use serde_json::{Value as Json, json};

use super::issuer::{ISSUER, Issuer, encode};
use super::{AUDIENCE, claims, claims_with, now, serve, serve_with_file, status};

const ALGORITHMS: [&str; 9] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

/// Returns a token with this header, signed with RS256.
fn with_header(issuer: &Issuer, header: &Json) -> String {
    issuer.sign("RS256", &header.to_string(), &claims().to_string())
}

#[test]
fn tokens_of_each_algorithm_are_accepted() {
    let issuer = Issuer::new();
    let (client, _folder) = serve_with_file(&issuer);
    for algorithm in ALGORITHMS.into_iter().chain(["Ed25519"]) {
        assert_eq!(status(&client, "/note", &issuer.token(algorithm, &claims())), 200, "{algorithm}");
    }
    let valid = [
        ("without a type", json!({ "alg": "RS256", "kid": "rsa" })),
        ("an access token", json!({ "alg": "RS256", "kid": "rsa", "typ": "application/at+JWT" })),
        ("without a key id", json!({ "alg": "RS256" })),
        ("an embedded key is ignored", json!({ "alg": "RS256", "kid": "rsa", "jwk": Issuer::other().rsa_jwk() })),
    ];
    for (name, header) in valid {
        assert_eq!(status(&client, "/note", &with_header(&issuer, &header)), 200, "{name}");
    }
    let valid = [
        ("several audiences", json!({ "aud": ["other", AUDIENCE] })),
        ("no time of issue", json!({ "iat": null })),
        ("a fraction of a second", json!({ "exp": now() as f64 + 100.5 })),
        ("within the leeway", json!({ "exp": now() - 2, "nbf": now() + 2, "iat": now() + 2 })),
    ];
    for (name, changes) in valid {
        assert_eq!(status(&client, "/note", &issuer.token("RS256", &claims_with(changes))), 200, "{name}");
    }
}

#[test]
fn tokens_with_a_forged_header_or_signature_are_refused() {
    let (issuer, other) = (Issuer::new(), Issuer::other());
    let (client, _folder) = serve_with_file(&issuer);
    let claims_text = claims().to_string();
    let header = |changes: Json| {
        let mut header = json!({ "alg": "RS256", "typ": "JWT", "kid": "rsa" });
        for (name, value) in changes.as_object().unwrap() {
            header[name] = value.clone();
        }
        header
    };
    let signed = |changes: Json| with_header(&issuer, &header(changes));
    let by_other = |changes: Json| with_header(&other, &header(changes));
    let unsigned = |algorithm: &str, signature: &[u8]| {
        let header = encode(header(json!({ "alg": algorithm })).to_string());
        format!("{header}.{}.{}", encode(&claims_text), encode(signature))
    };
    let with_shared_secret = |secret: &[u8]| {
        let header = encode(header(json!({ "alg": "HS256" })).to_string());
        let message = format!("{header}.{}", encode(&claims_text));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", encode(tag))
    };
    let modulus = issuer.rsa_jwk()["n"].as_str().unwrap().to_owned();
    let valid = signed(json!({}));
    let mut flipped = valid.clone().into_bytes();
    let middle = valid.rfind('.').unwrap() + 20;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let (message, signature) = valid.rsplit_once('.').unwrap();
    let es256_header = json!({ "alg": "ES256", "kid": "p256" }).to_string();
    let es256 = |signature: &[u8]| format!("{}.{}.{}", encode(&es256_header), encode(&claims_text), encode(signature));
    let p256_order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let forged = [
        ("no algorithm", unsigned("none", b"")),
        ("no algorithm, in other case", unsigned("nOnE", b"")),
        ("no signature", unsigned("RS256", b"")),
        ("a shared secret: the modulus in base64url", with_shared_secret(modulus.as_bytes())),
        ("a shared secret: the key set", with_shared_secret(issuer.jwks().to_string().as_bytes())),
        ("a shared secret: empty", with_shared_secret(b"")),
        ("another key with the same id", by_other(json!({}))),
        ("an embedded key", by_other(json!({ "jwk": other.rsa_jwk() }))),
        ("the address of a key set", by_other(json!({ "jku": "http://127.0.0.1:9/jwks.json" }))),
        ("the address of a certificate", by_other(json!({ "x5u": "http://127.0.0.1:9/cert.pem" }))),
        ("an embedded certificate", by_other(json!({ "x5c": ["MIIB"] }))),
        ("a path as key id", by_other(json!({ "kid": "../../../../dev/null" }))),
        ("a statement as key id", by_other(json!({ "kid": "rsa' OR '1'='1" }))),
        ("an empty key id", signed(json!({ "kid": "" }))),
        ("a key id that is not a string", signed(json!({ "kid": ["rsa"] }))),
        ("an unknown key id", signed(json!({ "kid": "rsa-9" }))),
        ("the id of a key for another algorithm", signed(json!({ "kid": "p256" }))),
        ("another algorithm in the header", signed(json!({ "alg": "RS512" }))),
        ("PSS instead of PKCS #1", signed(json!({ "alg": "PS256" }))),
        ("an unknown algorithm", signed(json!({ "alg": "RS1" }))),
        ("an algorithm that is not a string", signed(json!({ "alg": ["RS256"] }))),
        ("a critical extension", signed(json!({ "crit": ["b64"], "b64": false }))),
        ("an empty list of extensions", signed(json!({ "crit": [] }))),
        ("a token for logging out", signed(json!({ "typ": "logout+jwt" }))),
        ("a type that is not a string", signed(json!({ "typ": 1 }))),
        ("a wrong bit in the signature", String::from_utf8(flipped).unwrap()),
        ("data after the signature", format!("{valid}AAAA")),
        ("a fourth part", format!("{valid}.AAAA")),
        ("padding", format!("{valid}=")),
        ("a shortened signature", format!("{message}.{}", &signature[..signature.len() - 4])),
        ("not base64url", format!("{message}.{}", signature.replacen(char::is_alphanumeric, "+", 1))),
        ("no header", valid[valid.find('.').unwrap()..].to_owned()),
        ("only dots", "..".to_owned()),
        ("not JSON", format!("{}.{}.{signature}", encode("alg"), encode(&claims_text))),
        ("a repeated algorithm", issuer.sign("RS256", r#"{"alg":"none","alg":"RS256","kid":"rsa"}"#, &claims_text)),
        ("an array as header", issuer.sign("RS256", r#"["RS256"]"#, &claims_text)),
        ("a zero signature", es256(&[0; 64])),
        ("a signature of the group order", es256(&[p256_order, p256_order].concat())),
        ("a signature in DER", es256(&[0x30, 6, 2, 1, 1, 2, 1, 1])),
        ("a key for encryption as key id", signed(json!({ "kid": "encryption" }))),
        ("a token of 20 KB", issuer.token("RS256", &claims_with(json!({ "padding": "x".repeat(20_000) })))),
    ];
    for (name, token) in forged {
        assert_eq!(status(&client, "/note", &token), 401, "{name}");
        // An invalid credential is refused even by a public method.
        assert_eq!(status(&client, "/open", &token), 401, "{name}");
    }
    assert_eq!(status(&client, "/note", &valid), 200, "the token that was changed is valid");
    assert_eq!(client.get("/note").send().status(), 401);
    assert_eq!(client.get("/open").send().status(), 200);
}

#[test]
fn tokens_with_wrong_claims_are_refused() {
    let issuer = Issuer::new();
    let (client, _folder) = serve_with_file(&issuer);
    let wrong = [
        ("no issuer", json!({ "iss": null })),
        ("another issuer", json!({ "iss": "https://id.example.evil" })),
        ("the issuer with a slash", json!({ "iss": format!("{ISSUER}/") })),
        ("a list of issuers", json!({ "iss": [ISSUER] })),
        ("no audience", json!({ "aud": null })),
        ("another audience", json!({ "aud": "note" })),
        ("other audiences", json!({ "aud": ["a", "b"] })),
        ("an audience that is not a string", json!({ "aud": { "notes": true } })),
        ("no end", json!({ "exp": null })),
        ("an end that is not a number", json!({ "exp": "9999999999" })),
        ("an end in an array", json!({ "exp": [now() + 100] })),
        ("expired", json!({ "exp": now() - 7 })),
        ("expired long ago", json!({ "exp": -1 })),
        ("not valid yet", json!({ "nbf": now() + 60 })),
        ("a start that is not a number", json!({ "nbf": "0" })),
        ("issued in the future", json!({ "iat": now() + 60 })),
        ("no subject", json!({ "sub": null })),
        ("an empty subject", json!({ "sub": "" })),
        ("a line break in the subject", json!({ "sub": "a\nb" })),
        ("a long subject", json!({ "sub": "a".repeat(300) })),
    ];
    for (name, changes) in wrong {
        assert_eq!(status(&client, "/me", &issuer.token("RS256", &claims_with(changes))), 401, "{name}");
    }
    let claims = claims().to_string();
    let repeated = claims.replacen("{", r#"{"sub":"1","#, 1);
    let header = r#"{"alg":"RS256","kid":"rsa"}"#;
    assert_eq!(status(&client, "/me", &issuer.sign("RS256", header, &repeated)), 401, "a repeated claim");
    let nested = claims.replacen("{", r#"{"a":{"b":1,"b":2},"#, 1);
    assert_eq!(status(&client, "/me", &issuer.sign("RS256", header, &nested)), 401, "a repeated member of a claim");
    assert_eq!(status(&client, "/me", &issuer.sign("RS256", header, &claims)), 200);
}

#[test]
fn keys_for_other_purposes_are_ignored() {
    let issuer = Issuer::new();
    let changed = |changes: Json| {
        let mut jwk = issuer.rsa_jwk();
        for (name, value) in changes.as_object().unwrap() {
            jwk[name] = value.clone();
        }
        jwk
    };
    let jwks = json!({ "keys": [
        changed(json!({ "kid": "encryption", "use": "enc" })),
        changed(json!({ "kid": "signing-only", "use": "sig", "key_ops": ["sign"] })),
        changed(json!({ "kid": "oaep", "alg": "RSA-OAEP" })),
        changed(json!({ "kid": "misfit", "alg": "ES256" })),
        changed(json!({ "kid": "wrong-type", "kty": "oct", "k": "c2VjcmV0" })),
        changed(json!({ "kid": "short", "n": encode([0xff; 128]) })),
        changed(json!({ "kid": "only-rs512", "alg": "RS512" })),
        changed(json!({ "kid": "verify", "key_ops": ["verify"] })),
        "not an object",
    ] });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, jwks.to_string()).unwrap();
    let client = serve(&json!({ "jwt": super::jwt(file.to_str().unwrap()) }));
    let send = |id: &str, algorithm: &str| {
        let header = json!({ "alg": algorithm, "kid": id }).to_string();
        status(&client, "/note", &issuer.sign(algorithm, &header, &claims().to_string()))
    };
    for id in ["encryption", "signing-only", "oaep", "misfit", "wrong-type", "short"] {
        assert_eq!(send(id, "RS256"), 401, "{id}");
    }
    assert_eq!((send("only-rs512", "RS256"), send("only-rs512", "RS512")), (401, 200));
    assert_eq!(send("verify", "RS256"), 200);
}

#[test]
fn only_algorithms_in_the_definition_are_accepted() {
    let issuer = Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    let mut settings = super::jwt(file.to_str().unwrap());
    settings["algorithms"] = json!(["ES256"]);
    settings["token_type"] = json!("at+jwt");
    let client = serve(&json!({ "jwt": settings }));
    let send = |algorithm: &str, id: &str, token_type: &str| {
        let header = json!({ "alg": algorithm, "kid": id, "typ": token_type }).to_string();
        status(&client, "/note", &issuer.sign(algorithm, &header, &claims().to_string()))
    };
    assert_eq!(send("RS256", "rsa", "at+jwt"), 401);
    assert_eq!(send("ES256", "p256", "JWT"), 401);
    assert_eq!(send("ES256", "p256", "at+jwt"), 200);
}
