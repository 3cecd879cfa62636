//! The claims of the caller's token.

use rulebook::auth_kind::{AuthKind, AuthSettings, CompiledAuth};
use rulebook::handler_kind::HandlerError;
use rulebook::{AuthScheme, Authenticate, Authentication, Claims, Head, Identity, Rulebook};
use rulebook_sql::SqlKind;
use serde_json::{Value as Json, json};

use crate::databases::{Kind, POSTGRES, TestApi, TestDatabase, for_each_database, method, of_type, runtime};

#[test]
fn claims_are_values_of_statements() {
    for_each_database(|database| {
        let (text, int) = database.pick([("text", "integer"), ("text", "integer"), ("char", "signed")]);
        let api = database.api(json!({ "claims": method(json!({}), json!({
            "tenant": of_type("?string"), "level": of_type("?int"), "role": of_type("?string"), "none": of_type("?string")
        }), json!({ "sql": format!(
            "select cast(:identity.claims.tenant as {text}) as tenant, cast(1 + :identity.claims.level as {int}) as level, \
             cast(:identity.claims.realm.role as {text}) as role, cast(:identity.claims.nothing as {text}) as none"
        ) })) }));
        let Json::Object(claims) = json!({ "tenant": "t1", "level": 4, "realm": { "role": "admin" } }) else {
            panic!()
        };
        let call = |identity: Option<Identity>| {
            let call = api.engine.call("claims.get");
            let call = match identity {
                Some(identity) => call.identity(identity),
                None => call,
            };
            api.runtime.block_on(call.send()).outputs().unwrap().clone()
        };
        let ada = Identity::new("ada", ["writer"]);
        let none = json!({ "tenant": null, "level": null, "role": null, "none": null });
        assert_eq!(call(Some(ada.clone())), none);
        assert_eq!(call(None), none);
        let with_claims = ada.with(Claims::new(claims));
        assert_eq!(call(Some(with_claims)), json!({ "tenant": "t1", "level": 5, "role": "admin", "none": null }));
    });
}

#[test]
fn policies_of_postgresql_get_the_caller() {
    let Some(database) = POSTGRES.new_database() else { return };
    let api = database.api(
        json!({ "caller": method(json!({}), json!({ "user": of_type("string"), "tenant": of_type("string") }),
        json!({ "sql": [
            "select set_config('app.user', coalesce(:identity.name, ''), true), \
             set_config('app.tenant', coalesce(:identity.claims.tenant, ''), true)",
            "select current_setting('app.user') as user, current_setting('app.tenant') as tenant"
        ], "missing": false })) }),
    );
    let Json::Object(claims) = json!({ "tenant": "t1" }) else { panic!() };
    let ada = Identity::new("ada", ["writer"]).with(Claims::new(claims));
    let call = |identity| api.runtime.block_on(api.engine.call("caller.get").identity(identity).send());
    assert_eq!(call(ada).outputs().unwrap(), json!({ "user": "ada", "tenant": "t1" }));
    assert_eq!(call(Identity::new("bob", ["writer"])).outputs().unwrap(), json!({ "user": "bob", "tenant": "" }));
}

/// A kind of authenticator with declared claims, which knows no caller.
struct Declaring;

impl AuthKind for Declaring {
    fn name(&self) -> &str {
        "declaring"
    }

    fn settings(&self) -> &[&str] {
        &["claims"]
    }

    fn compile(&self, _: &AuthSettings<'_>) -> Result<CompiledAuth, Vec<HandlerError>> {
        Ok(CompiledAuth::new(Nobody))
    }
}

struct Nobody;

impl Authenticate for Nobody {
    async fn authenticate(&self, _: &Head) -> Authentication {
        Authentication::Anonymous
    }

    fn schemes(&self) -> Vec<AuthScheme> {
        vec![AuthScheme::Header("X-Nobody".to_owned())]
    }
}

/// Starts an API with a method that selects an expression, whose authenticators have these settings.
fn start(database: &TestDatabase, auth: &Json, sql: &str) -> Result<TestApi, String> {
    let mut app = database.app(json!({}));
    app["auth"] = json!({ "declaring": auth });
    let value = method(json!({}), json!({ "value": of_type("?any") }), json!({ "sql": sql, "rows": "one" }));
    let files = vec![
        ("app.json".into(), app.to_string().into_bytes()),
        ("note.json".into(), json!({ "/": { "claims": value } }).to_string().into_bytes()),
    ];
    let rulebook = Rulebook::read(files).handler_kind(SqlKind::new()).auth_kind(Declaring);
    let rulebook = rulebook.data_folder(database.folder.path().join("data"));
    let engine = rulebook.build().map_err(|report| report.to_string())?;
    engine.start().map_err(|error| error.to_string())?;
    Ok(TestApi { engine, runtime: runtime() })
}

#[test]
fn names_of_declared_claims_are_checked() {
    let realm = json!({ "type": "?object", "fields": { "roles": { "info": "R", "type": "?string" } } });
    let claims = json!({ "claims": { "member": "string", "level": "?int", "realm": realm } });
    let other = json!({ "claims": { "team": "string" } });
    for (auth, name, expected) in [
        (json!({}), "membre", ""),
        (json!([claims, other]), "member", ""),
        (json!([claims, other]), "team", ""),
        (json!([claims, {}]), "realm.roles", ""),
        (claims.clone(), "realm", ""),
        (json!([claims, other]), "membre", "the setting `auth` declares no claim `membre`"),
        (json!([claims, other]), "membre", "did you mean `member`? the claims are `member`, `level`, `realm`, `team`"),
        (json!([{}, claims]), "realm.rolse", "the object `realm` has no field `rolse`"),
        (json!([{}, claims]), "level.a", "`level` is not an object, so that it has no field `a`"),
    ] {
        let database = TestDatabase::sqlite();
        let started = start(&database, &auth, &format!("select :identity.claims.{name} as value"));
        let error = started.err().unwrap_or_default();
        assert_eq!(error.is_empty(), expected.is_empty(), "{auth}: {error}");
        assert!(error.contains(expected), "{auth}: {error}");
    }
}

#[test]
fn a_claim_that_a_database_cannot_store_is_an_internal_error() {
    for_each_database(|database| {
        let sql = "update author set id = :identity.claims.level where id = 1";
        let with_text = "update author set name = :title, id = :identity.claims.level where id = 1";
        let input = json!({ "GET@title": of_type("string") });
        let api = database.api(json!({
            "claim": method(json!({}), json!({}), json!({ "sql": sql })),
            "both": method(input, json!({}), json!({ "sql": with_text })),
        }));
        for (id, level) in
            [("claim.get", json!("a text")), ("both.get", json!("a text")), ("both.get", json!(1_u64 << 40))]
        {
            let Json::Object(claims) = json!({ "level": level }) else { panic!() };
            // SQLite stores every whole number.
            if database.kind == Kind::Sqlite && level.is_u64() {
                continue;
            }
            let ada = Identity::new("ada", ["writer"]).with(Claims::new(claims));
            let call = api.engine.call(id).identity(ada);
            let call = if id == "both.get" { call.arg("title", "Ada") } else { call };
            let response = api.runtime.block_on(call.send());
            let log = response.error().and_then(|error| error.log()).unwrap_or_default().to_owned();
            assert_eq!(response.status(), 500, "{id} {level}: {log}");
            assert!(log.contains("cannot store the claim `level` of the caller"), "{id} {level}: {log}");
            assert!(log.contains("in the setting `claims` of its issuer") && !log.contains("a text"), "{log}");
        }
    });
}
