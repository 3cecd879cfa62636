//! Tests definitions that would take very long to compile or to describe without care.

use rulebook_build::{Purpose, rust_code};
use rulebook_model::describe::{openapi, typescript};
use rulebook_model::model::Api;
use serde_json::{Value as Json, json};

use crate::client::{Request, TestServer};

#[test]
fn schemas_that_contain_each_other_many_times_are_compiled_and_described_quickly() {
    // Without a limit, the example of the first schema would contain 2^40 values.
    let fields = |next: usize| {
        let r#type = if next == 40 { "int".to_owned() } else { format!("S{next}") };
        json!({ "a": { "info": "A", "type": r#type }, "b": { "info": "B", "type": r#type } })
    };
    let schemas: serde_json::Map<_, _> = (0..40)
        .map(|number| (format!("S{number}"), json!({ "info": "Two of the next", "fields": fields(number + 1) })))
        .collect();
    let text = json!({ "schemas": schemas, "GET": {
        "info": "Echo", "in": { "x": { "info": "X", "type": "?S0" } }, "out": { "x": { "info": "X", "type": "S0" } }
    } });
    let api = rulebook_model::read(vec![("x.json".into(), text.to_string().into_bytes())]).unwrap();
    assert_eq!(openapi(&api)["components"]["schemas"]["S39"]["properties"]["a"]["type"], "integer");
    assert!(typescript(&api).contains("export type S39 = {"));
    let pages = TestServer::echo(&[("x.json", text)]).send(&Request::new("GET", "/docs/methods/get"));
    assert_eq!(pages.status, 200);
}

/// Returns a definition in which schemas refer to each other.
fn definition_with(schemas: impl Iterator<Item = (String, Json)>, first: &str) -> Json {
    let schemas: serde_json::Map<_, _> = schemas.collect();
    json!({ "schemas": schemas, "GET": {
        "info": "Echo", "in": { "x": { "info": "X", "type": format!("?{first}") } },
        "out": { "x": { "info": "X", "type": first } }
    } })
}

fn read(definition: &Json) -> Api {
    rulebook_model::read(vec![("x.json".into(), definition.to_string().into_bytes())])
        .unwrap_or_else(|report| panic!("{report}"))
}

#[test]
fn partial_types_that_multiply_their_fields_are_refused() {
    let field = |number: usize| {
        let r#type = if number == 40 { "int".to_owned() } else { format!("partial<S{:02}>", number + 1) };
        json!({ "info": "The next", "type": r#type })
    };
    let schemas = (0..=40).map(|number| {
        (format!("S{number:02}"), json!({ "info": "One", "fields": { "a": field(number), "b": field(number) } }))
    });
    let text = definition_with(schemas, "S00").to_string().into_bytes();
    let report = rulebook_model::read(vec![("x.json".into(), text)]).unwrap_err().to_string();
    assert!(report.contains("has more than 5000 fields in all"), "{report}");
}

#[test]
fn long_chains_of_schemas_are_compiled_in_any_order() {
    const LENGTH: usize = 10_000;
    let field = |r#type: String| json!({ "next": { "info": "The next", "type": r#type } });
    for (how, next) in [
        ("each refers to the next", &(|number: usize| Some(number + 1)) as &dyn Fn(usize) -> Option<usize>),
        ("each refers to the one before", &|number: usize| number.checked_sub(1)),
        ("they form a ring", &|number: usize| Some((number + 1) % LENGTH)),
    ] {
        let schemas = (0..LENGTH).map(|number| {
            let target = next(number).filter(|next| *next < LENGTH);
            let fields = field(target.map_or("int".to_owned(), |target| format!("?S{target:05}")));
            (format!("S{number:05}"), json!({ "info": "One", "fields": fields }))
        });
        let api = read(&definition_with(schemas, "S05000"));
        assert_eq!(api.modules[0].schemas.len(), LENGTH, "{how}");
        let nested = json!({ "next": { "next": { "next": false } } });
        let parameter = &api.modules[0].services[0].methods[0].parameters[0];
        assert!(parameter.r#type.check.checked((&nested).into()).is_err(), "{how}");
        assert!(openapi(&api)["components"]["schemas"].as_object().unwrap().len() >= LENGTH / 2, "{how}");
    }
}

#[test]
fn ten_thousand_schemas_may_contain_each_other_in_unions_and_sixty_four_extend_each_other() {
    const LENGTH: usize = 10_000;
    let name = |number: usize| format!("S{number:05}");
    let unions = (0..LENGTH).map(|number| {
        let next = name((number + 1) % LENGTH);
        let of = json!(["int", format!("array<{next}>"), format!("map<{next}>")]);
        (name(number), json!({ "info": "One", "type": "union", "of": of }))
    });
    assert_eq!(read(&definition_with(unions, "S00000")).modules[0].schemas.len(), LENGTH);
    let extended = (0..64).map(|number| {
        let base = json!({ "info": "One", "extends": [name(number + 1)], "fields": { (format!("f{number}")): { "info": "F", "type": "int" } } });
        (name(number), if number == 63 { json!({ "info": "Last", "fields": { "last": { "info": "F", "type": "?S00000" } } }) } else { base })
    });
    assert_eq!(read(&definition_with(extended, "S00000")).modules[0].schemas.len(), 64);
}

#[test]
fn a_union_may_have_hundreds_of_branches() {
    let branches = (0..500).map(|number| {
        let fields = json!({ "kind": { "info": "The kind", "type": format!("const(k{number})") }, "next": { "info": "N", "type": "?All" } });
        (format!("B{number}"), json!({ "info": "A branch", "fields": fields }))
    });
    let of: Vec<String> = (0..500).map(|number| format!("B{number}")).collect();
    let all = json!({ "info": "All branches", "type": "union", "of": of });
    let api = read(&definition_with(branches.chain([("All".to_owned(), all)]), "All"));
    let mut nested = json!({ "kind": "k499" });
    for number in 0..60 {
        nested = json!({ "kind": format!("k{number}"), "next": nested });
    }
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    assert!(check.checked((&nested).into()).is_ok());
    nested["next"]["next"]["next"]["kind"] = json!("unknown");
    assert!(check.checked((&nested).into()).is_err());
}

#[test]
fn descriptions_of_unions_do_not_contain_the_descriptions_of_their_schemas() {
    // The words of the first schema would otherwise contain those of the last one 2^40 times.
    let name = |number: usize| if number == 40 { "int".to_owned() } else { format!("S{number}") };
    let unions = (0..40).map(|number| {
        let next = name(number + 1);
        let of = json!([format!("array<{next}>"), format!("map<{next}>"), "null"]);
        (name(number), json!({ "info": "One", "type": "union", "of": of }))
    });
    let definition = definition_with(unions, "S0");
    let code = rust_code(&read(&definition), Purpose::Types);
    assert!(code.contains("pub enum S39") && code.len() < 100_000, "{}", code.len());
    let page = TestServer::echo(&[("x.json", definition)]).send(&Request::new("GET", "/docs/schemas/S0.md"));
    let text = String::from_utf8(page.body).unwrap();
    assert!(text.contains("each value S1"), "{text}");
    assert!(text.len() < 10_000, "{text}");
}

#[test]
fn schemas_that_are_defined_by_each_other_are_errors() {
    let name = |number: usize| format!("S{number:05}");
    let circle =
        (0..10_000).map(|number| (name(number), json!({ "info": "One", "type": name((number + 1) % 10_000) })));
    let text = definition_with(circle, "S00000").to_string().into_bytes();
    let report = rulebook_model::read(vec![("x.json".into(), text)]).unwrap_err();
    assert!(report.to_string().contains("the schema `S00000` is defined by itself"));
    let chain = (0..10_000).map(|number| {
        let next = if number == 9_999 { "int".to_owned() } else { name(number + 1) };
        (name(number), json!({ "info": "One", "type": next }))
    });
    let text = definition_with(chain, "S00000").to_string().into_bytes();
    let report = rulebook_model::read(vec![("x.json".into(), text)]).unwrap_err();
    assert!(report.to_string().contains("more than 64 schemas lead from one to the next"));
}

#[test]
fn deep_types_are_described_quickly_and_with_little_stack() {
    // Without care, the time for the samples would double at each level of objects, maps and unions.
    let object = |inner: Json| json!({ "info": "I", "type": "object", "fields": { "k": inner } });
    let tagged = |inner: Json| json!({ "info": "I", "type": "union", "tag": "t", "of": { "a": { "type": "object", "fields": { "k": inner } } } });
    let int = json!({ "info": "I", "type": "int" });
    let map = json!({ "info": "I", "type": format!("{}int{}", "map<".repeat(31), ">".repeat(31)) });
    let objects = (0..50).fold(int.clone(), |inner, _| object(inner));
    let unions = (0..18).fold(int, |inner, _| tagged(inner));
    for deep in [map, objects, unions] {
        let definition = json!({ "GET": { "info": "Echo", "out": { "x": deep } } });
        assert!(openapi(&read(&definition))["paths"]["/"]["get"].is_object());
    }
    // Each schema is deep, and contains the next one.
    let name = |number: usize| format!("S{number:02}");
    let schemas = (0..60).map(|number| {
        let last = json!({ "info": "I", "type": if number == 59 { "int".to_owned() } else { format!("?array<{}>", name(number + 1)) } });
        (name(number), json!({ "info": "One", "fields": { "k": (0..40).fold(last, |inner, _| object(inner)) } }))
    });
    let api = read(&definition_with(schemas, "S00"));
    let check = &api.modules[0].services[0].methods[0].parameters[0].r#type.check;
    assert!(check.boundary_values().iter().all(|value| check.checked(value.clone()).is_ok()));
}

#[test]
fn a_union_that_leads_to_a_schema_on_very_many_paths_is_an_error() {
    let unions = (0..60).map(|number| {
        let next = if number == 59 { "int".to_owned() } else { format!("S{}", number + 1) };
        (format!("S{number}"), json!({ "info": "One", "type": "union", "of": [next, next] }))
    });
    let text = definition_with(unions, "S0").to_string().into_bytes();
    let report = rulebook_model::read(vec![("x.json".into(), text)]).unwrap_err().to_string();
    assert!(report.contains("leads to other schemas on more than 10000 paths"), "{report}");
}

#[test]
fn schemas_that_contain_themselves_have_pages_and_versions() {
    let map = json!({ "info": "A map of maps", "type": "?map<Map>" });
    let node = json!({ "info": "A tree", "fields": { "below": { "info": "B", "type": "array<?Node>" } } });
    let schemas = json!({ "Map": { "info": "Maps", "type": "map<Map>" }, "Node": node });
    let method = json!({ "POST": { "id": "try", "info": "Try it", "in": { "map": map, "node": { "info": "N", "type": "Node" } } } });
    let app = json!({ "schemas": schemas, "versions": { "names": ["1", "2"] } });
    let server = TestServer::echo(&[("app.json", app), ("x.json", method)]);
    for path in ["/docs/methods/try", "/docs/schemas/Map", "/docs/schemas/Node"] {
        assert_eq!(server.send(&Request::new("GET", path)).status, 200, "{path}");
    }
    let body = r#"{"map":{"a":{}},"node":{"below":[null,{"below":[]}]}}"#;
    assert_eq!(server.send(&Request::new("POST", "/1/").body("application/json", body)).status, 200);
}

#[test]
fn an_error_deep_in_a_value_is_described_quickly() {
    // A text with a blank may have lost a `+`. Without care, each level of the value would double the search for it.
    let branch = json!({ "info": "A branch", "fields": { "below": { "info": "B", "type": "?All" }, "n": { "info": "N", "type": "?int" } } });
    let all = json!({ "info": "All", "type": "union", "tag": "t", "of": { "a": "A", "b": "B" } });
    let schemas = json!({ "A": branch, "B": branch, "All": all });
    let method = json!({ "GET": { "info": "Try it", "in": { "GET@x": { "info": "X", "type": "All" } } } });
    let server = TestServer::echo(&[("app.json", json!({ "schemas": schemas })), ("x.json", method)]);
    let value = format!("{}{}{}", "{\"t\":\"a\",\"below\":".repeat(30), "{\"t\":\"a\",\"n\":\"1 2\"}", "}".repeat(30));
    let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let target = format!("/?x={encoded}");
    assert_eq!(server.send(&Request::new("GET", &target)).status, 400);
}
