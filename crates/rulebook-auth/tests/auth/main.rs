//! Tests of the authenticators that a definition chooses, with a served API.

#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

mod basic;
mod callers;
mod definition_errors;
mod documents;
mod forged;
mod issuer;
mod jwks_server;
mod key_limits;
mod log_lines;
mod logged_reasons;
mod mtls;
mod permissions;
mod remembered;
mod rotation;
mod several_user_files;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rulebook::{ApiError, Args, Context, Module, Rulebook};
use rulebook_auth::{BasicKind, Claims, JwtKind, MtlsKind};
use rulebook_test::Client;
use serde::Serialize;
use serde_json::{Value as Json, json};

use issuer::{ISSUER, Issuer};

/// The audience of the tests' API.
const AUDIENCE: &str = "notes";

/// The outputs of `GET /me`.
#[derive(Serialize)]
struct Me {
    name: String,
    email: Option<Json>,
    permissions: Vec<String>,
}

/// Returns the name of the caller, its permissions and one of its claims.
async fn me(Args(()): Args<()>, context: Context) -> Result<Me, ApiError> {
    let identity = context.identity().ok_or_else(|| ApiError::internal("no identity"))?;
    let email = identity.data::<Claims>().and_then(|claims| claims.get("email")).cloned();
    // Programs in other languages get the same claims.
    assert_eq!(serde_json::to_value(identity).unwrap().pointer("/claims/email"), email.as_ref());
    let permissions = identity.permissions().map(str::to_owned).collect();
    Ok(Me { name: identity.name().to_owned(), email, permissions })
}

/// Returns the files of an API with this setting `auth`.
fn files(auth: &Json) -> Vec<(PathBuf, Vec<u8>)> {
    let app = json!({ "title": "Notes", "auth": auth });
    let text = |info: &str, kind: &str| json!({ "info": info, "type": kind });
    let method = |scope: Json| json!({ "info": "A note", "scope": scope, "handler": { "value": {} } });
    let module = json!({ "/": {
        "open": { "GET": { "info": "Open to all", "handler": { "value": {} } } },
        "note": { "GET": method(json!([["reader"]])) },
        "user/{id}": { "GET": {
            "info": "A user", "scope": [["user[id]"]], "in": { "{id}": text("The id", "string") },
            "handler": { "value": {} }
        } },
        "me": { "GET": { "info": "The caller", "scope": [["me"]], "out": {
            "name": text("The name", "string"), "email": text("The email", "?string"),
            "permissions": text("The permissions", "array<string>")
        } } }
    } });
    vec![("app.json".into(), app.to_string().into()), ("notes.json".into(), module.to_string().into())]
}

fn rulebook(auth: &Json) -> Rulebook {
    let rulebook = Rulebook::read(files(auth)).module(Module::new("notes").get("/me", me));
    rulebook.auth_kind(JwtKind).auth_kind(BasicKind).auth_kind(MtlsKind)
}

fn serve(auth: &Json) -> Client {
    Client::new(rulebook(auth)).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the settings of the kind `jwt` with this key set.
fn jwt(jwks: &str) -> Json {
    json!({
        "issuer": ISSUER, "audience": AUDIENCE, "jwks": jwks,
        "algorithms": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
        "permissions": ["me", "user[{sub}]", "{scope}"], "leeway": 5
    })
}

/// Serves an API that accepts the tokens of an issuer whose key set is in a file.
fn serve_with_file(issuer: &Issuer) -> (Client, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    (serve(&json!({ "jwt": jwt(file.to_str().unwrap()) })), folder)
}

/// Sends a request with a bearer token, and returns the status of the response.
fn status(client: &Client, target: &str, token: &str) -> u16 {
    client.get(target).header("authorization", format!("Bearer {token}")).send().status()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns valid claims, which differ each time, so that no token is remembered.
fn claims() -> Json {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "7", "iat": now(), "exp": now() + 600, "jti": id, "scope": "reader b",
        "email": "ada@notes.example"
    })
}

/// Returns the claims with some of them replaced; null removes a claim.
fn claims_with(changes: Json) -> Json {
    let mut claims = claims();
    let Json::Object(changes) = changes else { panic!("an object of claims") };
    for (name, value) in changes {
        match value {
            Json::Null => drop(claims.as_object_mut().unwrap().remove(&name)),
            value => claims[&name] = value,
        }
    }
    claims
}
