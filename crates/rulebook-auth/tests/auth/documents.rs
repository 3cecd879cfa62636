//! What clients learn about the accepted tokens: challenges, the OpenAPI document and the metadata.

use rulebook_test::Client;
use serde_json::{Value as Json, json};

use super::issuer::{ISSUER, Issuer};
use super::{claims_with, jwt, serve};

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
