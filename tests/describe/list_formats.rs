//! Tests that all documents say how the items of a list are written in one text: with the formats `list` and `explode`.

use serde_json::{Value, json};

use crate::client::{Request, TestServer};

/// Returns a response body as text.
fn get_text(server: &TestServer, method: &str, path: &str) -> String {
    let response = server.send(&Request::new(method, path).field("accept", "text/markdown, application/json;q=0.9"));
    assert_eq!(response.status, 200, "{path}");
    String::from_utf8(response.body).unwrap()
}

fn list(attributes: &Value) -> Value {
    let mut list = json!({ "info": "Some", "type": "array<string>" });
    list.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    list
}

#[test]
fn documents_say_how_the_items_of_lists_are_separated() {
    let method = json!({ "info": "Writes", "in": {
        "keys": list(&json!({ "format": "list" })),
        "ANY@names": list(&json!({ "format": "explode", "separator": ";" })),
        "GET@words": list(&json!({ "format": "list", "separator": " " })),
        "GET@plain": list(&json!({})),
        "GET@json": list(&json!({ "format": "json" })),
        "HEADER@marks": list(&json!({ "format": "explode" }))
    } });
    let server = TestServer::echo(&[("site.json", json!({ "/": { "cache": { "POST": method } } }))]);
    let options = get_text(&server, "OPTIONS", "/cache");
    let page = get_text(&server, "GET", "/docs/methods/cache.post");
    let html = server.send(&Request::new("GET", "/docs/methods/cache.post"));
    let html = String::from_utf8(html.body).unwrap();
    for (name, words) in [
        ("keys", "in a form, the items are separated by commas, and blanks around them are removed"),
        ("names", "in the query or a form, the items are separated by \";\""),
        ("words", "the items are separated by spaces, and blanks around them are removed"),
        ("marks", "the items are separated by commas"),
    ] {
        for document in [&options, &page] {
            let line = document.lines().find(|line| line.contains(&format!("`{name}`")));
            let line = line.unwrap_or_else(|| panic!("{name}: {document}"));
            let plain = line.replace('\\', "");
            assert!(plain.contains(&format!("; {words}")), "{name}: {line}");
        }
        assert!(html.contains(&words.replace('"', "&#34;")), "{name}: {html}");
    }
    for name in ["plain", "json"] {
        for document in [&options, &page] {
            let line = document.lines().find(|line| line.contains(&format!("`{name}`"))).unwrap();
            assert!(!line.contains("separated"), "{line}");
        }
    }

    let openapi: Value = serde_json::from_str(&get_text(&server, "GET", "/openapi.json")).unwrap();
    let operation = &openapi["paths"]["/cache"]["post"];
    let parameter = |name: &str| {
        let parameters = operation["parameters"].as_array().unwrap();
        parameters.iter().find(|parameter| parameter["name"] == name).unwrap()["description"].as_str().unwrap()
    };
    let content = &operation["requestBody"]["content"];
    let field = |media_type: &str, name: &str| {
        let schema = &content[media_type]["schema"];
        let schema = schema["$ref"].as_str().map_or(schema, |at| openapi.pointer(at.trim_start_matches('#')).unwrap());
        schema["properties"][name]["description"].as_str().unwrap().to_owned()
    };
    for form in ["application/x-www-form-urlencoded", "multipart/form-data"] {
        let keys = "Some\n\nThe items are separated by commas. Blanks around the items are removed.\n\n";
        assert!(field(form, "keys").starts_with(keys), "{}", field(form, "keys"));
        let names = "Some\n\nOne text can hold several items, separated by `;`.\n\n";
        assert!(field(form, "names").starts_with(names), "{}", field(form, "names"));
    }
    assert_eq!(field("application/json", "keys"), "Some");
    let words =
        "Some\n\nOne text can hold several items, separated by spaces. Blanks around the items are removed.\n\n";
    assert!(parameter("words").starts_with(words), "{}", parameter("words"));
    assert_eq!(parameter("marks"), "Some\n\nThe items are separated by commas.");
    assert!(["plain", "json"].iter().all(|name| !parameter(name).contains("separated")), "{operation}");
}

#[test]
fn lists_with_the_name_of_a_schema_have_the_format_of_the_schema() {
    let schemas = json!({
        "Words": { "info": "Words", "type": "array<string>", "format": "explode" },
        "Marks": { "info": "Marks", "type": "Words" },
        "Numbers": { "info": "Numbers", "type": "array<int>", "format": "json" }
    });
    let parameter = |term: &str| json!({ "info": "Some", "type": term });
    let method = json!({ "info": "Reads", "in": {
        "GET@words": parameter("Words"), "GET@marks": parameter("Marks"), "GET@numbers": parameter("Numbers"),
        "GET@several": parameter("array<Words>")
    } });
    let module = json!({ "schemas": schemas, "/": { "cache": { "GET": method } } });
    let server = TestServer::echo(&[("site.json", module)]);
    let openapi: Value = serde_json::from_str(&get_text(&server, "GET", "/openapi.json")).unwrap();
    let parameters = openapi["paths"]["/cache"]["get"]["parameters"].as_array().unwrap();
    let of = |name: &str| parameters.iter().find(|parameter| parameter["name"] == name).unwrap();
    for name in ["words", "marks"] {
        assert_eq!(of(name)["explode"], false, "{}", of(name));
        let text = "Some\n\nThe items are separated by commas.\n\n";
        assert!(of(name)["description"].as_str().unwrap().starts_with(text), "{}", of(name));
    }
    for name in ["numbers", "several"] {
        assert!(of(name)["content"]["application/json"].is_object(), "{}", of(name));
        assert!(!of(name)["description"].as_str().unwrap().contains("separated"), "{}", of(name));
    }
    for path in ["/docs/methods/cache.get.md", "/docs/methods/cache.get"] {
        assert_eq!(get_text(&server, "GET", path).matches("; the items are separated by commas").count(), 2, "{path}");
    }
    // A text with several items is a valid value, as documented.
    for query in ["words=a,b&marks=c,d&numbers=[1]&several=[[%22a%22]]", "words=a&marks=c&numbers=[]&several=[]"] {
        let response = server.send(&Request::new("GET", format!("/cache?{query}")));
        assert_eq!(response.status, 200, "{query}: {}", String::from_utf8_lossy(&response.body));
    }
}
