//! Tests requests with `Idempotency-Key`: their handlers run at most once for a key, and later requests get the stored
//! response.

mod claims;
mod definitions;
mod keys;
mod process;
mod replays;
mod streams;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rulebook::{ApiError, Args, Authenticate, Authentication, Context, Head, Identity, Module, Rulebook, Upload};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use crate::client::{Request, Response, TestServer};

/// An authenticator for credentials that are the name of the caller.
struct Names;

impl Authenticate for Names {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("authorization") {
            None => Authentication::Anonymous,
            Some(name) => Authentication::Identity(Identity::new(name, ["customer"])),
        }
    }
}

/// An authenticator for gateways, which send the credentials of their users besides their own.
struct Gateways;

impl Authenticate for Gateways {
    async fn authenticate(&self, head: &Head) -> Authentication {
        match head.header("x-gateway") {
            None => Authentication::Anonymous,
            Some(name) => Authentication::Identity(Identity::new(name, ["gateway"]).with_namespace("gateways")),
        }
    }
}

/// A server whose handlers count how often they run.
struct Shop {
    server: TestServer,
    runs: Arc<AtomicUsize>,
    /// The handler of `POST /slow` waits for it.
    proceed: Arc<Notify>,
}

#[derive(Deserialize)]
struct Order {
    item: String,
    options: Option<HashMap<String, i64>>,
    picture: Option<Upload>,
}

/// Returns the definition of the shop. `limits` are its limits.
fn definition(limits: &Json) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let method = |options: Json| {
        json!({
            "info": "Orders an item",
            "in": {
                "item": { "info": "The item", "type": "string(1,200000)" },
                "options": { "info": "The options", "type": "?map<int>" },
                "picture": { "info": "A picture", "type": "?file" }
            },
            "out": {
                "item": { "info": "The item", "type": "string" },
                "number": { "info": "The number of the order", "type": "int" }
            },
            "errors": { "sold_out": { "info": "There are no more", "status": 410 } },
            "options": options
        })
    };
    let app = json!({ "limits": limits });
    let shop = json!({ "/": {
        "order": {
            "POST": method(json!({ "idempotent": "optional", "status": 201 })),
            "PUT": method(json!({ "idempotent": "required" }))
        },
        "slow": { "POST": method(json!({ "idempotent": "optional" })) },
        "plain": { "POST": method(json!({})) }
    } });
    vec![("app.json".into(), app.to_string().into()), ("shop.json".into(), shop.to_string().into())]
}

impl Shop {
    fn new() -> Self {
        Self::with_limits(&json!({}))
    }

    fn with_limits(limits: &Json) -> Self {
        let (runs, proceed) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let run = {
            let runs = Arc::clone(&runs);
            move |Args(order): Args<Order>, context: Context| {
                let number = runs.fetch_add(1, Ordering::SeqCst) + 1;
                async move { result(&order, number, &context) }
            }
        };
        let slow = {
            let (runs, proceed) = (Arc::clone(&runs), Arc::clone(&proceed));
            move |Args(order): Args<Order>, context: Context| {
                let (runs, proceed) = (Arc::clone(&runs), Arc::clone(&proceed));
                async move {
                    let number = runs.fetch_add(1, Ordering::SeqCst) + 1;
                    proceed.notified().await;
                    result(&order, number, &context)
                }
            }
        };
        let module = Module::new("shop")
            .post("/order", run.clone())
            .put("/order", run.clone())
            .post("/plain", run)
            .post("/slow", slow);
        let rulebook = Rulebook::read(definition(limits)).authenticator(Gateways).authenticator(Names).module(module);
        let engine = rulebook.build().unwrap_or_else(|report| panic!("{report}"));
        let server = TestServer::with_settings(&engine, |settings| settings.with_workers(2));
        Self { server, runs, proceed }
    }

    /// Returns how often handlers have run.
    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    #[track_caller]
    fn send(&self, request: &Request) -> Response {
        self.server.send(request)
    }

    /// Orders an item with a key.
    #[track_caller]
    fn order(&self, key: &str, item: &str) -> Response {
        self.send(&order("POST", "/order", item).field("idempotency-key", key))
    }
}

/// Returns the result of an order. Some items are the names of errors.
fn result(order: &Order, number: usize, context: &Context) -> Result<Json, ApiError> {
    let _ = (&order.options, &order.picture);
    match order.item.as_str() {
        "sold out" => Err(ApiError::declared("sold_out").with_member("number", number)),
        "broken" => Err(ApiError::internal("broken")),
        "away" => Err(ApiError::unavailable("away")),
        "panic" => panic!("as asked"),
        item => {
            context.set_header("x-order", number.to_string()).unwrap();
            Ok(json!({ "item": item, "number": number }))
        }
    }
}

/// Returns a request that orders an item.
fn order(method: &str, target: &str, item: &str) -> Request {
    Request::new(method, target).body("application/json", json!({ "item": item }).to_string())
}

/// Returns `true` if a response repeats an earlier one.
fn is_replayed(response: &Response) -> bool {
    response.field("idempotent-replayed") == Some("true")
}
