//! The permissions that templates make of claims.

use serde_json::{Value as Json, json};

use super::issuer::Issuer;
use super::{claims_with, jwt, serve};

/// Returns the permissions and the status for tokens with these claims.
fn permissions(templates: &Json, changes: Json) -> Vec<String> {
    let issuer = Issuer::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jwks.json");
    std::fs::write(&file, issuer.jwks().to_string()).unwrap();
    let mut settings = jwt(file.to_str().unwrap());
    settings["permissions"] = templates.clone();
    settings["permissions"].as_array_mut().unwrap().push(json!("me"));
    let client = serve(&json!({ "jwt": settings }));
    let token = issuer.token("EdDSA", &claims_with(changes));
    let response = client.get("/me").header("authorization", format!("Bearer {token}")).send();
    assert_eq!(response.status(), 200, "{}", response.text());
    let permissions = response.output("permissions");
    let all = permissions.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned());
    all.filter(|permission| permission != "me").collect()
}

#[test]
fn templates_insert_claims() {
    let cases = [
        (json!(["user[{sub}]"]), json!({ "sub": "auth0|5" }), vec!["user[auth0|5]"]),
        (json!(["{scope}"]), json!({ "scope": "a b:c  d" }), vec!["a", "b:c", "d"]),
        (json!(["api:{scp}"]), json!({ "scp": ["a", "b"] }), vec!["api:a", "api:b"]),
        (json!(["{roles}"]), json!({ "roles": ["x", 5, null, { "a": 1 }, 1.5] }), vec!["5", "x"]),
        (json!(["{realm_access.roles}"]), json!({ "realm_access": { "roles": ["x"] } }), vec!["x"]),
        (json!(["{https://a.example/roles}"]), json!({ "https://a.example/roles": ["x"] }), vec!["x"]),
        (json!(["org[{org}].user[{sub}]"]), json!({ "org": ["a", "b"] }), vec!["org[a].user[7]", "org[b].user[7]"]),
        (json!(["{missing}", "x[{missing}]"]), json!({}), vec![]),
        (json!(["fixed"]), json!({}), vec!["fixed"]),
        (json!(["{level}"]), json!({ "level": 3 }), vec!["3"]),
        (json!(["{admin}"]), json!({ "admin": true }), vec![]),
    ];
    for (templates, changes, expected) in cases {
        assert_eq!(permissions(&templates, changes), expected, "{templates}");
    }
}

#[test]
fn values_of_claims_cannot_imitate_other_permissions() {
    let values = ["7] admin", "7]", "[7", "7,admin", "7\u{a0}admin", "7 admin", "\u{2028}"];
    for value in values {
        assert_eq!(permissions(&json!(["user[{sub}]"]), json!({ "sub": value })), [""; 0], "{value:?}");
        assert_eq!(permissions(&json!(["{roles}"]), json!({ "roles": [value, "x"] })), ["x"], "{value:?}");
        assert_eq!(permissions(&json!(["{role}"]), json!({ "role": value })), [""; 0], "{value:?}");
    }
    assert_eq!(permissions(&json!(["{scope}"]), json!({ "scope": "user[8] admin,x a\nb y" })), ["y"]);
    assert_eq!(permissions(&json!(["user[{sub}]"]), json!({ "sub": "{scope}" })), ["user[{scope}]"]);
    let many: Vec<_> = (0..40).collect();
    assert_eq!(permissions(&json!(["{a}.{a}"]), json!({ "a": many })).len(), 1000, "the number is limited");
}

#[test]
fn the_length_of_the_permissions_from_one_template_is_limited() {
    let (long, many) = ("x".repeat(5000), (0..900).collect::<Vec<_>>());
    let made = permissions(&json!(["{a}.{b}", "{b}.{a}", "{a}.{b}.{b}"]), json!({ "a": long, "b": many }));
    let templates =
        [made.iter().filter(|it| it.starts_with('x')).count(), made.iter().filter(|it| it.ends_with('x')).count()];
    // 64 KiB contain 13 permissions of 5000 bytes.
    assert_eq!(templates[1], 13, "{templates:?}");
    assert_eq!(templates[0], 26, "{templates:?}");
    // The template adds its own texts to each permission.
    let long_template = format!("{{b}}{}", "y".repeat(2000));
    assert_eq!(permissions(&json!([long_template]), json!({ "b": (0..900).collect::<Vec<_>>() })).len(), 32);
}

#[test]
fn a_token_permits_what_its_claims_describe() {
    let issuer = Issuer::new();
    let (client, _folder) = super::serve_with_file(&issuer);
    let token = issuer.token("ES256", &claims_with(json!({ "sub": "7", "scope": "writer" })));
    let send = |target: &str| client.get(target).header("authorization", format!("Bearer {token}")).send();
    assert_eq!(send("/user/7").status(), 200);
    assert_eq!(send("/user/8").status(), 403);
    assert_eq!(send("/note").status(), 403);
    let me = send("/me");
    assert_eq!((me.output("name"), me.output("email")), (json!("7"), json!("ada@notes.example")));
}
