//! Tests that requests to imported definitions are checked as the description says.

use rulebook::{Rulebook, Unbound};
use rulebook_test::Client;
use serde_json::json;

use super::data;

fn shop() -> Client {
    Client::new(Rulebook::load(data("shop")).unbound(Unbound::Echo)).unwrap()
}

#[test]
fn parameters_of_imported_operations_are_checked() {
    let client = shop();
    let trace = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
    let send = |target: &str| client.get(target).header("x-trace", trace).send();
    let good = send("/goods?size=3&sort[]=name&ids=1,2&words=a|b&filter[color]=red");
    assert_eq!(good.status(), 200, "{}", good.text());
    let arguments = good.json();
    let arguments = &arguments["args"];
    assert_eq!(arguments["page"], 1, "{arguments}");
    assert_eq!(arguments["ids"], json!([1, 2]), "{arguments}");
    assert_eq!(arguments["words"], json!(["a", "b"]), "{arguments}");
    assert_eq!(arguments["filter"], json!({ "color": "red" }), "{arguments}");
    for wrong in ["/goods?size=0", "/goods?size=1&page=101", "/goods?size=1&sort[]=color", "/goods?size=1&ids=a"] {
        assert_eq!(send(wrong).status(), 400, "{wrong}");
    }
    assert_eq!(client.get("/goods?size=1").send().status(), 400, "the header field is missing");
}

#[test]
fn permissions_of_imported_operations_are_required() {
    let client = shop();
    let body = json!({ "name": "Tea", "price": 2.5, "payment": { "kind": "card", "number": "1" } });
    let post = |scope: &[&str]| client.post("/goods").json(&body).scope(scope.iter().copied()).send().status();
    assert_eq!(post(&["goods:write"]), 403);
    assert_eq!(post(&["goods:write", "admin"]), 201);
    assert_eq!(post(&["key"]), 201);
    assert_eq!(client.delete("/goods/5").send().status(), 204, "the operation is public");
    assert_eq!(client.get("/goods/5").send().status(), 401);
    assert_eq!(client.get("/goods/x").scope(["key"]).send().status(), 400);
}

#[test]
fn bodies_of_imported_operations_are_checked() {
    let client = shop();
    let post = |more: serde_json::Value| {
        let mut body = json!({ "name": "Tea", "price": 2.5 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        client.post("/goods").json(&body).scope(["key"]).send().status()
    };
    for good in [json!({}), json!({ "color": null }), json!({ "level": 2 }), json!({ "amount": 5 })] {
        assert_eq!(post(good.clone()), 201, "{good}");
    }
    for wrong in [json!({ "color": "blue" }), json!({ "level": 4 }), json!({ "amount": "x" }), json!({ "name": "" })] {
        assert_eq!(post(wrong.clone()), 400, "{wrong}");
    }
}
