//! Tests handlers of methods that take the whole body, and calls of such methods from code.

use rulebook::{ApiError, Args, Context, Module, Rulebook};
use rulebook_test::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    name: String,
    count: u8,
}

#[derive(Deserialize)]
struct Replace {
    order: u32,
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Replaced {
    order: u32,
    sum: u32,
}

async fn replace(Args(call): Args<Replace>, _: Context) -> Result<Replaced, ApiError> {
    Ok(Replaced { order: call.order, sum: call.items.iter().map(|item| u32::from(item.count)).sum() })
}

async fn forward(Args(()): Args<()>, context: Context) -> Result<Json, ApiError> {
    let items = json!([{ "name": "tea", "count": 3 }, { "name": "milk", "count": 4 }]);
    context.call("replace").arg("order", 7).arg("items", items).send().await.outputs()
}

fn order_definition() -> Json {
    let outputs = json!({ "order": { "info": "O", "type": "int" }, "sum": { "info": "S", "type": "int" } });
    json!({ "/": {
        "orders/{order}": { "PUT": {
            "id": "replace", "info": "Replace the items",
            "in": {
                "{order}": { "info": "The order", "type": "id" },
                "*": { "info": "The items", "type": "array<object>", "name": "items", "fields": {
                    "name": { "info": "N", "type": "string" }, "count": { "info": "C", "type": "int(1,99)" }
                } }
            },
            "out": outputs
        } },
        "forward": { "POST": { "id": "forward", "info": "Call the other method", "out": outputs } }
    } })
}

#[test]
fn handlers_and_calls_from_code_have_the_parameter_by_its_name() {
    let module = || Module::new("orders").put("/orders/{order}", replace).post("/forward", forward);
    let files = || vec![("orders.json".into(), order_definition().to_string().into_bytes())];
    let client = Client::new(Rulebook::read(files()).module(module())).unwrap();
    let items = json!([{ "name": "tea", "count": 3 }]);
    let response = client.call("replace").arg("order", 7).arg("items", items.clone()).send();
    assert_eq!(response.outputs(), json!({ "order": 7, "sum": 3 }));
    assert_eq!(client.call("forward").send().outputs(), json!({ "order": 7, "sum": 7 }));
    assert_eq!(client.put("/orders/7").json(&items).send().outputs(), json!({ "order": 7, "sum": 3 }));
    let wrong = client.call("replace").arg("order", 7).arg("items", json!([{ "name": "tea", "count": 0 }])).send();
    assert_eq!(wrong.status(), 400);
    assert!(wrong.text().contains("items[0].count"), "{}", wrong.text());
}

#[test]
fn a_handler_without_the_parameter_is_a_mismatch() {
    #[derive(Deserialize)]
    struct Other {
        order: u32,
        body: Vec<Item>,
    }
    async fn other(Args(call): Args<Other>, _: Context) -> Result<Replaced, ApiError> {
        Ok(Replaced { order: call.order, sum: u32::try_from(call.body.len()).unwrap_or_default() })
    }
    let files = vec![("orders.json".into(), order_definition().to_string().into_bytes())];
    let module = Module::new("orders").put("/orders/{order}", other).post("/forward", forward);
    let report = Rulebook::read(files).module(module).build().err().unwrap().to_string();
    assert!(report.contains("handler-mismatch") && report.contains("items"), "{report}");
}
