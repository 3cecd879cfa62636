//! Tests the setting `common`, which adds parameters to every method, in the dialect `rules`.

use rulebook::{Rulebook, Unbound};
use serde_json::{Value as Json, json};

use super::{definition_files, try_echo_engine};
use crate::client::{Request, TestServer};
use support::golden;

/// Returns the rules in PhalApi's documentation: the rules for all services of the application, and the rules of a
/// class.
fn documented_rules() -> (Json, Json) {
    let common =
        json!({ "sign": { "name": "sign", "require": true }, "version": { "name": "version", "default": "" } });
    let rules = json!({ "User": {
        "*": { "code": { "name": "code", "require": true, "min": 4, "max": 4 } },
        "login": {
            "username": { "name": "username", "require": true },
            "password": { "name": "password", "require": true, "min": 6 },
        },
        "logout": { "version": { "name": "v", "type": "int" }, "code": { "default": "none" } },
    } });
    (json!({ "common": common }), rules)
}

#[test]
fn common_rules_add_parameters_to_every_method_before_its_own_rules() {
    let (app, rules) = documented_rules();
    let engine = try_echo_engine(&app, &rules).unwrap_or_else(|report| panic!("{report}"));
    let names = |id: &str| -> Vec<String> {
        let mut methods = engine.api().modules.iter().flat_map(|module| &module.services).flat_map(|own| &own.methods);
        let method = methods.find(|method| method.id == id).unwrap_or_else(|| panic!("{id}"));
        method.parameters.iter().map(|own| own.name.clone()).collect()
    };
    assert_eq!(names("user.login.get"), ["sign", "version", "code", "username", "password"]);
    assert_eq!(names("user.logout.post"), ["sign", "version", "code"]);

    let server = TestServer::start(&engine);
    let get = |target: &str| server.send(&Request::new("GET", target)).json();
    let sign = "sign=77f81c17d512302383e5f26b99dae4d9";
    assert_eq!(
        get(&format!("/user/login?{sign}&username=test&password=123456&version=1.3.6&code=abcd"))["data"]["args"],
        json!({ "sign": &sign[5..], "version": "1.3.6", "code": "abcd", "username": "test", "password": "123456" })
    );
    assert_eq!(get("/user/login")["msg"], "Illegal Param: wrong param: sign");
    assert_eq!(get(&format!("/user/login?{sign}&version=1"))["msg"], "Illegal Param: wrong param: code");
    // A rule of a method replaces the whole common rule with the same name.
    assert_eq!(
        get(&format!("/user/logout?{sign}&v=7&version=x"))["data"]["args"],
        json!({ "sign": &sign[5..], "version": 7, "code": "none" })
    );
}

#[test]
fn common_rules_are_equivalent_to_common_parameters_in_the_tree_dialect() {
    let (app, rules) = documented_rules();
    let tree = json!({ "common": {
        "ANY@sign": { "info": "sign", "type": "loose_string", "name": "sign" },
        "ANY@version": { "info": "version", "type": "loose_string", "name": "version", "default": "" },
    } });
    let printed = |app: &Json| -> Json {
        let tree = json!({ "/": { "a": { "POST": { "info": "A" } } } });
        let engine = Rulebook::read(definition_files(app, &tree)).unbound(Unbound::Echo).build();
        rulebook_model::describe::canonical_definition(engine.unwrap_or_else(|report| panic!("{report}")).api())
    };
    assert_eq!(printed(&app), printed(&tree));
    // The canonical form of the definition contains no `common`, and is loaded as the same API.
    let api = rulebook_model::describe::canonical_definition(try_echo_engine(&app, &rules).unwrap().api());
    assert!(api.get("common").is_none(), "{api}");
    let again = Rulebook::read(definition_files(&api, &Json::Null)).check().unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(rulebook_model::describe::canonical_definition(&again), api);
}

#[test]
fn diagnostics_of_common_rules_use_the_keys_of_their_dialect() {
    for (name, common) in [
        (
            "rules",
            json!({ "sign": { "requires": true }, "level": { "type": "int", "min": 9, "max": 1 }, "x": { "source": "server" } }),
        ),
        // If one entry of `common` has the key `info`, the whole setting is in the dialect `tree`.
        ("tree", json!({ "sign": { "info": "The sign", "require": true }, "level": { "type": "int" } })),
        ("tree_key", json!({ "GET@lang": { "type": "string" } })),
    ] {
        let rules = json!({ "C": { "m": {}, "n": {} } });
        let report = try_echo_engine(&json!({ "common": common }), &rules).expect_err(name);
        let path = format!("tests/data/rules/common_{name}.txt");
        golden::compare(std::path::Path::new(&path), &report.render(false));
    }
}
