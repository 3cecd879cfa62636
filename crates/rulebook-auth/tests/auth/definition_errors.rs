//! The errors in the setting `auth`.

use serde_json::json;

use rulebook::Rulebook;
use rulebook_auth::{BasicKind, JwtKind, MtlsKind};
use support::golden;

/// A module without methods that require permissions.
const NOTE: &str = r#"{ "/": { "note": { "GET": { "info": "A note" } } } }"#;

/// Returns the report for an `app.json` with this text.
fn report(app: &str) -> String {
    let rulebook = Rulebook::read(vec![("app.json".into(), app.into()), ("note.json".into(), NOTE.into())])
        .auth_kind(JwtKind)
        .auth_kind(BasicKind)
        .auth_kind(MtlsKind);
    rulebook.check().err().map(|report| report.render(false)).unwrap_or_default()
}

#[test]
fn errors_name_the_part_that_is_wrong() {
    let valid = r#""issuer": "https://id.example", "audience": "notes", "jwks": "keys.json", "permissions": ["x"]"#;
    let with = |settings: &str| format!("{{ \"auth\": {{ \"jwt\": {{\n  {valid},\n  {settings}\n}} }} }}");
    let only = |settings: &str| format!("{{ \"auth\": {settings} }}");
    let keys_of = |address: &str| {
        let settings = r#""issuer": "a", "audience": "b", "permissions": ["x"]"#;
        only(&format!("{{ \"jwt\": {{ {settings},\n  \"jwks\": \"{address}\"\n}} }}"))
    };
    let texts = [
        only("{ \"jwd\": {} }"),
        only("{ \"keys\": { \"file\": \"keys.json\" } }"),
        only("{ \"keys\": true }"),
        only("{ \"combine\": 1, \"keys\": {} }"),
        only("{ \"combine\": false }"),
        only("{ \"jwt\": [] }"),
        only("{ \"jwt\": {} }"),
        with("\"algorithm\": [\"RS256\"]"),
        with("\"algorithms\": []"),
        with("\"algorithms\": [\"HS256\", \"none\", \"RS255\", \"rs256\"]"),
        with("\"leeway\": \"30s\""),
        with("\"leeway\": 601"),
        with("\"refresh\": 0"),
        with("\"openid\": \"yes\""),
        with("\"resource\": \"api.example\""),
        with("\"resource\": \"https://api.example/?a=b\""),
        with("\"resource\": \"http://api.example\""),
        with("\"claims\": [\"tenant\"]"),
        with(
            "\"claims\": {\n    \"tenant\": \"strng\",\n    \"level\": 5,\n    \"roles\": { \"of\": \"string\" },\n    \
             \"age\": \"int(5,1)\"\n  }",
        ),
        keys_of("http://id.example/jwks.json"),
        keys_of("https://user:password@id.example/jwks.json"),
        keys_of("ftp://id.example/jwks.json"),
        keys_of("https://id.example/jwks.json#a"),
        keys_of("https://"),
        keys_of("${NO_VARIABLE_OF_THIS_NAME}"),
        only(
            "{ \"jwt\": { \"issuer\": \"\", \"audience\": [], \"jwks\": 5,\n  \"permissions\": [\n    \"user[{sub]\", \
             \"a}\", \"{}\", \"\", \"a b\", 5\n  ]\n} }",
        ),
        only(
            "{ \"jwt\": { \"issuer\": \"a\", \"audience\": \"b\", \"jwks\": \"c\",\n  \"permissions\": [\n    \
             \"user[{sub\", \"a}\", \"{}\", \"\", \"a b\", \"{a{b}\"\n  ]\n} }",
        ),
        only(
            "{ \"jwt\": { \"issuer\": \"a\", \"audience\": \"b\", \"jwks\": \"c\",\n  \"permissions\": [\n    \
             \"user[{sub}\", \"user{sub}]\", \"user[]\", \"a[b[{sub}]]\", \"a[b].c[{x]}\"\n  ]\n} }",
        ),
    ];
    let basic = [
        only("{ \"basic\": {} }"),
        only("{ \"basic\": { \"users\": [], \"realm\": \"é\", \"permissions\": [\"user[{sub}]\", \"a b\"] } }"),
        only("{ \"basic\": { \"user\": \"users.htpasswd\" } }"),
        only(
            "{ \"basic\": [\n  { \"users\": 5 },\n  { \"user\": \"a\" },\n  { \"users\": \"b\", \"realm\": \"é\" }\n] }",
        ),
    ];
    let mtls = [
        only("{ \"mtls\": {} }"),
        only("{ \"mtls\": { \"clients\": [] } }"),
        only("{ \"mtls\": { \"clients\": {}, \"ca\": \"ca.pem\" } }"),
        only("{ \"mtls\": { \"clients\": {} } }"),
        only(
            "{ \"mtls\": { \"clients\": {\n  \"billing.internal\": {},\n  \"dns:\": { \"name\": \"\" },\n  \
             \"sha256:00\": 5,\n  \"dns:a\": { \"permission\": [] },\n  \
             \"dns:b\": { \"permissions\": [\"a b\", \"{sub}\"] }\n} } }",
        ),
        only(&format!(
            "{{ \"mtls\": {{ \"clients\": {{\n  \"dns:a\": {{}},\n  \"email:a@b.example\": {{}},\n  \"dns:A\": {{}},\n  \
             \"email:A@b.example\": {{}},\n  \"email:a@B.example\": {{}},\n  \"uri:x:a\": {{}},\n  \"uri:x:A\": {{}},\n  \
             \"sha256:{}\": {{}},\n  \"sha256:{}\": {{}}\n}} }} }}",
            "ab".repeat(32),
            ["AB"; 32].join(":")
        )),
    ];
    let texts: Vec<_> = texts.into_iter().chain(basic).chain(mtls).collect();
    let reports = texts.iter().map(|text| format!("{text}\n\n{}", report(text)));
    golden::compare("tests/auth/data/definition_errors.txt".as_ref(), &reports.collect::<Vec<_>>().join("\n----\n"));
}

#[test]
fn a_program_without_a_kind_reports_how_to_add_it() {
    for (kind, settings) in [
        ("jwt", r#"{ "issuer": "a", "audience": "b", "jwks": "c", "permissions": ["x"] }"#),
        ("basic", r#"[{ "users": "a" }, { "users": "b" }]"#),
        ("mtls", r#"{ "clients": {} }"#),
    ] {
        let app = format!("{{ \"auth\": {{ \"{kind}\": {settings} }} }}");
        let files = vec![("app.json".into(), app.into()), ("note.json".into(), NOTE.into())];
        let error = Rulebook::read(files).check().unwrap_err().to_string();
        let message = format!("error[bad-auth]: this program was compiled without the kind of authenticator `{kind}`");
        assert!(error.contains(&message) && error.contains("--> app.json:1:14"), "{error}");
        assert!(error.contains("the Cargo feature `auth` of the crate `rulebook-cli`"), "{error}");
        assert!(error.contains("this program has the kinds `keys`"), "{error}");
    }
}

#[test]
fn valid_settings_have_no_errors() {
    let jwt = json!({
        "issuer": "https://id.example", "audience": ["a", "b"], "jwks": "https://id.example/jwks", "permissions": "{scope}",
        "algorithms": ["Ed25519"], "name": "email", "token_type": "at+jwt", "leeway": 0, "refresh": 60, "cooldown": 5,
        "keep": 3600, "timeout": 2.5, "ca": "ca.pem", "resource": "https://api.example", "openid": true,
        "claims": { "sub": "string", "level": "?int", "realm": { "type": "?object", "fields": {
            "roles": { "info": "The roles", "type": "array<string>" }
        } } }
    });
    let several = json!({ "combine": false, "keys": {}, "jwt": [jwt, jwt] });
    for auth in [json!({ "jwt": jwt }), several, json!({ "keys": {} }), json!({})] {
        assert_eq!(report(&json!({ "auth": auth }).to_string()), "", "{auth}");
    }
    for loopback in ["http://127.0.0.1:1/a", "http://localhost/a", "http://[::1]:8/a"] {
        let jwt = json!({ "issuer": "a", "audience": "b", "jwks": loopback, "permissions": [] });
        assert!(report(&json!({ "auth": { "jwt": jwt } }).to_string()).contains("must not be empty"), "{loopback}");
    }
}

#[test]
fn files_that_cannot_be_used_are_errors_when_the_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("key.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    std::fs::write(path("invalid.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let https = "https://127.0.0.1:1/jwks.json";
    let cases = [
        (json!({ "jwks": "no-file.json" }), "`jwks` cannot be used: no-file.json: No such file".to_owned()),
        (json!({ "jwks": https, "ca": "no-file.pem" }), "`ca` cannot be used: no-file.pem: No such file".to_owned()),
        (
            json!({ "jwks": https, "ca": path("key.pem") }),
            format!("`ca` cannot be used: {}: it contains no certificate in the PEM format", path("key.pem")),
        ),
        (
            json!({ "jwks": https, "ca": path("invalid.pem") }),
            format!("`ca` cannot be used: {}: invalid peer certificate: ", path("invalid.pem")),
        ),
    ];
    for (files, expected) in cases {
        let mut jwt = json!({ "issuer": "a", "audience": "b", "permissions": "x" });
        jwt.as_object_mut().unwrap().extend(files.as_object().unwrap().clone());
        let engine = super::rulebook(&json!({ "jwt": jwt })).build().unwrap();
        let error = engine.start().unwrap_err().to_string();
        assert!(error.contains(&format!("error[bad-auth]: {expected}")), "{error}");
        let setting = if files["ca"].is_null() { "jwks" } else { "ca" };
        assert!(error.contains(&format!("\"{setting}\":")) && error.contains("--> app.json:1:"), "{error}");
    }
}
