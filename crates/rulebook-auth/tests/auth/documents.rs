//! What clients learn about the accepted tokens: challenges, the OpenAPI document and the metadata.

use rulebook::AuthScheme;
use rulebook::key::Keys;
use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::issuer::{ISSUER, Issuer};
use super::{claims_with, jwt, rulebook, serve};

/// Serves an API with these settings besides the usual ones.
fn serve_with(settings: &Json) -> (Client, Issuer, tempfile::TempDir) {
    let issuer = Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    let mut all = jwt(file.to_str().unwrap());
    for (name, value) in settings.as_object().unwrap() {
        all[name] = value.clone();
    }
    (serve(&json!({ "jwt": all })), issuer, folder)
}

#[test]
fn challenges_name_the_permissions_and_the_metadata() {
    for (resource, metadata) in [
        (None, ""),
        (Some("https://api.example"), "https://api.example/.well-known/oauth-protected-resource"),
        (Some("https://api.example/v1/"), "https://api.example/.well-known/oauth-protected-resource/v1"),
    ] {
        let settings = resource.map_or(json!({}), |resource| json!({ "resource": resource }));
        let (client, issuer, _folder) = serve_with(&settings);
        let start = match metadata {
            "" => "Bearer ".to_owned(),
            address => format!("Bearer resource_metadata=\"{address}\", "),
        };
        let token = issuer.token("EdDSA", &claims_with(json!({ "scope": "writer" })));
        let challenge = |target: &str, token: Option<&str>| {
            let request = client.get(target);
            let response = match token {
                Some(token) => request.header("authorization", format!("Bearer {token}")).send(),
                None => request.send(),
            };
            (response.status(), response.header("www-authenticate").unwrap_or_default().to_owned())
        };
        assert_eq!(challenge("/note", None), (401, format!("{start}scope=\"reader\"")));
        assert_eq!(challenge("/user/8", None), (401, format!("{start}scope=\"user[id]\"")));
        assert_eq!(challenge("/note", Some("x")), (401, format!("{start}error=\"invalid_token\"")));
        let insufficient = format!("{start}error=\"insufficient_scope\", scope=\"reader\"");
        assert_eq!(challenge("/note", Some(&token)), (403, insufficient));
        assert_eq!(challenge("/user/7", Some(&token)), (200, String::new()));
    }
}

#[test]
fn the_metadata_of_the_resource_names_the_issuer() {
    let (client, ..) = serve_with(&json!({ "resource": "https://api.example/v1" }));
    let response = client.get("/.well-known/oauth-protected-resource/v1").send();
    assert_eq!((response.status(), response.header("content-type")), (200, Some("application/json")));
    let expected = json!({
        "resource": "https://api.example/v1", "resource_name": "Notes", "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"]
    });
    assert_eq!(response.json(), expected);
    assert_eq!(client.get("/.well-known/oauth-protected-resource").send().status(), 404);
    let (client, ..) = serve_with(&json!({}));
    assert_eq!(client.get("/.well-known/oauth-protected-resource").send().status(), 404);
}

#[test]
fn the_openapi_document_describes_the_tokens() {
    let schemes = |settings: &Json| {
        let (client, ..) = serve_with(settings);
        let document = client.get("/openapi.json").send().json();
        let security = document.pointer("/paths/~1note/get/security").cloned();
        (document["components"]["securitySchemes"].clone(), security.unwrap())
    };
    let (all, security) = schemes(&json!({}));
    assert_eq!((&all["jwt"]["type"], &all["jwt"]["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!(all["jwt"]["bearerFormat"], "JWT");
    assert_eq!((all.as_object().unwrap().len(), security), (1, json!([{ "jwt": ["reader"] }])));
    let (all, security) = schemes(&json!({ "openid": true }));
    assert_eq!(all["openid"]["type"], "openIdConnect");
    assert_eq!(all["openid"]["openIdConnectUrl"], format!("{ISSUER}/.well-known/openid-configuration"));
    assert_eq!(security, json!([{ "openid": ["reader"] }]));
}

/// Returns the sentence of the documentation about the credentials of an API with this setting `auth`.
fn accepted_credentials(auth: &Json) -> String {
    let client = serve(auth);
    let page = String::from_utf8(client.get("/docs/index.md").send().body().to_vec()).unwrap();
    let (_, rest) = page.split_once("A method that requires permissions needs ").unwrap();
    rest.split_once(". ").unwrap().0.to_owned()
}

#[test]
fn the_pages_name_the_credential_of_each_kind() {
    let folder = tempfile::tempdir().unwrap();
    let (users, keys) = (folder.path().join("users.htpasswd"), folder.path().join("jwks.json"));
    std::fs::write(&users, "").unwrap();
    std::fs::write(&keys, Issuer::new().jwks().to_string()).unwrap();
    let (basic, jwt) = (json!({ "users": users }), jwt(keys.to_str().unwrap()));
    let mtls = json!({ "clients": { "dns:a.example": {} } });
    let password = "a user name and a password in the header field `Authorization: Basic …` (RFC 7617)";
    let token = "a token that an issuer has signed in the header field `Authorization: Bearer …` (RFC 6750)";
    let certificate = "a certificate of the client (TLS, RFC 8446)";
    for (auth, expected) in [
        (json!({ "basic": basic }), password.to_owned()),
        (json!({ "basic": basic, "jwt": jwt }), format!("{password}, or {token}")),
        (json!({ "jwt": [jwt, jwt], "basic": basic }), format!("{token}, or {password}")),
        (json!({ "mtls": mtls }), certificate.to_owned()),
        (json!({ "basic": basic, "mtls": mtls }), format!("{password}, or {certificate}")),
    ] {
        assert_eq!(accepted_credentials(&auth), expected, "{auth}");
    }
}

#[test]
fn the_schemes_of_a_server_with_keys_are_known_without_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let (basic, mtls) = (json!({ "users": "users.htpasswd" }), json!({ "clients": { "dns:a.example": {} } }));
    for (auth, expected) in [
        (json!({ "keys": {}, "basic": basic }), &["bearer", "basic"][..]),
        (json!({ "basic": basic, "keys": {} }), &["basic", "bearer"]),
        (json!({ "keys": {}, "mtls": mtls }), &["bearer", "certificate"]),
        (json!({ "mtls": mtls, "keys": {}, "basic": basic }), &["certificate", "bearer", "basic"]),
    ] {
        let keys = Keys::load(&folder.path().join("keys.json")).unwrap();
        let served = rulebook(&auth).validate().unwrap().keys_authenticator(keys, false).build().unwrap();
        let described = rulebook(&auth).validate().unwrap().api_with_keys();
        let names: Vec<_> = described.auth_schemes.iter().map(AuthScheme::name).collect();
        assert_eq!(
            (names, &described.auth_schemes),
            (expected.iter().map(|&n| n.to_owned()).collect(), &served.api().auth_schemes)
        );
    }
}

#[test]
fn documents_do_not_contain_the_settings() {
    let (client, ..) = serve_with(&json!({ "audience": "secret-audience" }));
    for (method, target) in [("OPTIONS", "/"), ("GET", "/openapi.json"), ("GET", "/docs/"), ("GET", "/llms.txt")] {
        let response = client.request(method, target).send();
        assert_eq!(response.status(), 200, "{target}");
        let text = String::from_utf8_lossy(response.body()).into_owned();
        assert!(!text.contains("secret-audience") && !text.contains("jwks"), "{target}: {text}");
    }
}
