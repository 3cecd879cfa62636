//! Callers with the same name whose credentials come from different sources.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rulebook::Rulebook;
use rulebook_auth::{BasicKind, JwtKind};
use rulebook_test::{Client, Request};
use serde_json::json;

use super::basic::bcrypt_hash;
use super::issuer::Issuer;
use super::{claims, claims_with, jwt};

/// The issuer of other tokens.
const OTHER_ISSUER: &str = "https://id.other.example";

#[test]
fn callers_with_the_same_name_share_neither_limits_nor_idempotency_keys() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (issuer, other_issuer) = (Issuer::new(), Issuer::other());
    let first = jwt(&write("jwks.json", issuer.jwks().to_string()));
    let mut second = jwt(&write("other.json", other_issuer.jwks().to_string()));
    second["issuer"] = OTHER_ISSUER.into();
    let files = ["one", "two"].map(|password| write(password, format!("7:{}\n", bcrypt_hash(password))));
    let app = json!({ "auth": { "jwt": [first, second], "basic": files.map(|file| json!({ "users": file })) } });
    let module = json!({ "/": {
        "order": { "POST": {
            "info": "Orders", "options": { "idempotent": "required" }, "handler": { "value": {} }
        } },
        "limited": { "GET": {
            "info": "Limited", "options": { "rate_limit": { "requests": 1, "per": "day" } }, "handler": { "value": {} }
        } }
    } });
    let files = [("app.json", app), ("shop.json", module)];
    let files = files.map(|(name, json)| (name.into(), json.to_string().into_bytes()));
    let client = Client::new(Rulebook::read(files.into()).auth_kind(JwtKind).auth_kind(BasicKind)).unwrap();

    let bearer = |token: String| Some(format!("Bearer {token}"));
    let basic = |password: &str| Some(format!("Basic {}", BASE64_STANDARD.encode(format!("7:{password}"))));
    let other_claims = || claims_with(json!({ "iss": OTHER_ISSUER }));
    let callers: [(&str, &dyn Fn() -> Option<String>); 6] = [
        ("an issuer", &|| bearer(issuer.token("ES256", &claims()))),
        ("another issuer", &|| bearer(other_issuer.token("ES256", &other_claims()))),
        ("a file", &|| basic("one")),
        ("another file", &|| basic("two")),
        ("an authenticator of the program", &|| None),
        ("no credential", &|| None),
    ];
    for (source, credential) in callers {
        let send = |request: Request<'_>| match credential() {
            Some(credential) => request.header("authorization", credential).send(),
            None if source == "no credential" => request.send(),
            None => request.identity("7", ["reader"]).send(),
        };
        let is_replayed = || {
            let response = send(client.post("/order").header("idempotency-key", "a"));
            assert_eq!(response.status(), 200, "{source}: {}", response.text());
            response.header("idempotent-replayed").is_some()
        };
        assert_eq!((is_replayed(), is_replayed()), (false, true), "{source}");
        let statuses = [(); 2].map(|()| send(client.get("/limited")).status());
        assert_eq!(statuses, [200, 429], "{source}");
    }
}
