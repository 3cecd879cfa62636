//! Tests which parts of operations are components of the OpenAPI document, and the names of these components.

use rulebook_model::describe::openapi;
use serde_json::{Value as Json, json};

use super::modules::inline_references;
use super::paths::assert_valid_references_and_schemas;
use super::{engine_with_definition, openapi_of_uris};

/// A form contains the schema of a field itself, and a JSON body a reference to it.
#[test]
fn schemas_to_which_the_schema_of_a_form_field_refers_are_components() {
    let radius = json!({ "radius": { "info": "A", "type": "int" } });
    let schema = |r#type: &str| json!({ "info": "A", "type": r#type });
    let with_tag = json!({ "info": "A", "type": "union", "tag": "kind", "of": { "round": "Round", "flat": "Flat" } });
    for own in ["Shapes", "Shape", "array<Shapes>", "map<Shapes>", "partial<Drawing>", "?Drawing"] {
        let document = openapi(
            engine_with_definition(&json!({
                "schemas": {
                    "Shapes": schema("array<Shape>"),
                    "Shape": with_tag,
                    "Round": { "info": "A", "fields": radius },
                    "Flat": { "info": "A", "fields": { "next": schema("?Shape") } },
                    "Drawing": { "info": "A", "fields": { "shapes": schema("Shapes") } }
                },
                "modules": { "site": { "/": { "x": { "POST": { "info": "A", "in": { "x": schema(own) } } } } } }
            }))
            .api(),
        );
        assert_valid_references_and_schemas(&document, &document);
        let components: Vec<_> =
            document["components"]["schemas"].as_object().map(|all| all.keys()).into_iter().flatten().collect();
        assert!(components.iter().any(|name| *name == "Round"), "{own}: {components:?}");
    }
}

#[test]
fn parts_that_occur_several_times_are_components() {
    let page = |info: &str| json!({ "GET@page": { "info": info, "type": "id" } });
    let method = |info: &str, path_info: &str| {
        let mut parameters = page(info);
        parameters["{id}"] = json!({ "info": path_info, "type": "id" });
        json!({ "info": "I", "in": parameters, "out": { "id": { "info": "The id", "type": "id" } } })
    };
    let body = json!({ "info": "I", "in": { "text": { "info": "A text", "type": "string" } } });
    let app = json!({ "modules": {
        "a": { "/": { "a": { "/": { "{id}": { "GET": method("The page", "Which"), "DELETE": method("The page", "Which") } } } } },
        "b": { "/": { "b": { "/": { "{id}": { "GET": method("A page", "Of b"), "DELETE": method("A page", "Alone") } } } } },
        "c": { "/": { "c": { "POST": body, "PUT": body } } },
    } });
    let document = openapi(engine_with_definition(&app).api());
    let names = |kind: &str| document["components"][kind].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names("parameters"), ["a.id", "a.page", "b.page"]);
    assert_eq!(names("requestBodies"), ["c.Request"]);
    let responses = names("responses");
    let success: Vec<_> = responses.iter().filter(|name| name.ends_with("Success")).collect();
    assert_eq!(success, ["c.Success"], "the outputs of a method belong to it");
    let reference = |kind: &str, name: &str| json!({ "$ref": format!("#/components/{kind}/{name}") });
    let paths = &document["paths"];
    assert_eq!(
        paths["/a/{id}"]["get"]["parameters"],
        json!([reference("parameters", "a.id"), reference("parameters", "a.page")])
    );
    assert_eq!(paths["/b/{id}"]["get"]["parameters"][1], reference("parameters", "b.page"));
    assert_eq!(
        paths["/b/{id}"]["get"]["parameters"][0]["description"], "Of b",
        "a parameter that occurs once is inline"
    );
    assert_eq!(paths["/c"]["put"]["requestBody"], reference("requestBodies", "c.Request"));
}

/// The types of the parameters, the body and the outputs have the same notation, but refer to other schemas.
#[test]
fn parts_with_schemas_of_different_modules_are_different() {
    let schema = |field: &str| json!({ "X": { "info": "An X", "fields": { field: { "info": "F", "type": "?int" } } } });
    let x = json!({ "info": "An X", "type": "array<X>" });
    let methods = json!({
        "GET": { "info": "I", "in": { "GET@x": { "info": "An X", "type": "?X" } }, "out": { "x": x } },
        "POST": { "info": "I", "in": { "*": x } },
        "PUT": { "info": "I", "in": { "x": x } },
    });
    let module = |name: &str| json!({ "schemas": schema(name), "/": { name: methods } });
    let app = json!({ "modules": { "m": module("m"), "n": module("n") } });
    let document = openapi(engine_with_definition(&app).api());
    for name in ["m", "n"] {
        let path = inline_references(&document, &document["paths"][format!("/{name}")]);
        let other = if name == "m" { "n" } else { "m" };
        let has_field = |part: &Json, field: &str| part.to_string().contains(&format!("\"properties\":{{\"{field}\""));
        for part in [
            &path["get"]["parameters"],
            &path["get"]["responses"]["200"],
            &path["post"]["requestBody"],
            &path["put"]["requestBody"],
        ] {
            assert!(has_field(part, name) && !has_field(part, other), "{name}: {part}");
        }
    }
}

/// Returns the names of all components, and the ids of all operations.
fn names_for_generators(document: &Json) -> Vec<String> {
    let components = document["components"].as_object().unwrap();
    let kinds = ["schemas", "responses", "parameters", "requestBodies"].iter().filter_map(|kind| components.get(*kind));
    let components = kinds.flat_map(|components| components.as_object().unwrap().keys());
    components.cloned().chain(super::operations(document).iter().map(|operation| operation.id.to_owned())).collect()
}

#[test]
fn names_are_distinct_for_generators_and_do_not_change_when_methods_are_added() {
    let place = json!({ "info": "A place with a description that is long enough for a component", "type": "object", "fields": {
        "city": { "info": "The city", "type": "string(1,60)" }, "street": { "info": "The street", "type": "string(1,60)" }
    } });
    let errors =
        json!({ "other": { "status": 404, "info": "there is none" }, "NOT_found": { "status": 409, "info": "no" } });
    let method = json!({
        "info": "I", "in": { "place": place, "GET@id": { "info": "An id", "type": "id" } }, "out": { "place": place },
        "errors": errors,
    });
    let document_of = |paths: &[&str]| {
        let uris: serde_json::Map<_, _> =
            paths.iter().map(|path| ((*path).to_owned(), json!({ "POST": method, "PUT": method }))).collect();
        openapi(engine_with_definition(&json!({ "modules": { "site": { "/": uris } } })).api())
    };
    let few = names_for_generators(&document_of(&["m", "z"]));
    let document = document_of(&["A", "a-b", "a_b", "m", "z", "中"]);
    let all = names_for_generators(&document);
    for name in &few {
        assert!(all.contains(name), "{name}: {all:?}");
    }
    let folded = |name: &String| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    let operations: Vec<String> =
        super::operations(&document).iter().map(|operation| folded(&operation.id.to_owned())).collect();
    let components = || all.iter().take(all.len() - operations.len());
    assert_eq!(
        components().map(folded).collect::<std::collections::BTreeSet<_>>().len(),
        components().count(),
        "{all:?}"
    );
    assert_eq!(operations.iter().collect::<std::collections::BTreeSet<_>>().len(), operations.len());
    for name in &all {
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
        assert!(is_plain && name.len() <= 64, "{name}");
    }
    for name in ["z.post.body.place", "z.post.result", "z.put.body", "site.id", "site.other", "z.put"] {
        assert!(all.iter().any(|known| known == name), "{name}: {all:?}");
    }
}

#[test]
fn names_of_schemas_do_not_depend_on_the_order_of_parameters() {
    let text = |index: usize| (format!("text_{index}"), json!({ "info": "A text", "type": "string" }));
    let object = |count| json!({ "info": "I", "type": "object", "fields": (0..count).map(text).collect::<Json>() });
    let parameters =
        [("a-b", object(9)), ("A_b", object(8)), ("HEADER@a-b", json!({ "info": "I", "type": "?int", "name": "c" }))];
    let names = |order: &[usize]| {
        let input: Json =
            order.iter().map(|index| parameters[*index].clone()).map(|(key, one)| (key.to_owned(), one)).collect();
        let document = openapi_of_uris(&json!({ "x": { "POST": { "id": "m", "info": "I", "in": input } } }));
        let schemas = document["components"]["schemas"].as_object().unwrap();
        schemas.keys().filter(|name| name.starts_with("m.body.")).cloned().collect::<Vec<_>>()
    };
    let both = ["m.body.A_b.7d8f9c51", "m.body.a-b.2a89df63"];
    for (order, expected) in
        [(&[0, 1, 2][..], &both[..]), (&[2, 1, 0], &both), (&[0, 2], &["m.body.a-b"]), (&[1], &["m.body.A_b"])]
    {
        assert_eq!(names(order), expected, "{order:?}");
    }
}
