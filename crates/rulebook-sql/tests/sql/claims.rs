//! The claims of the caller's token.

use rulebook::{Claims, Identity};
use serde_json::{Value as Json, json};

use crate::databases::{POSTGRES, for_each_database, method, of_type};

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
