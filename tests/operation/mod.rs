//! Running it: names of requests, logs, health, counters, panics, and the end.

mod access;
mod health;
mod ids;
mod log;
mod metrics;
mod panics;
mod stopping;

use std::net::SocketAddr;

use rulebook::{Args, Context, Engine, Module, Refusal, Rulebook};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::{Connection, Request, engine};
use crate::handlers::wait;

/// A definition with a method for each way to end.
fn definition() -> Value {
    json!({ "/": { "shop": {
        "GET": { "info": "What is there", "in": { "GET@how": { "info": "How it ends", "type": "?string", "name": "how" } },
                 "errors": { "sold": { "status": 410, "info": "It is sold" } } },
        "POST": { "info": "A new thing", "scope": [["seller"]],
                  "in": { "text": { "info": "What", "type": "string" } } },
        "PUT": { "info": "Ends when it is told to", "options": { "status": 204 } }
    } } })
}

#[derive(Deserialize)]
struct How {
    how: Option<String>,
}

async fn show(Args(How { how }): Args<How>, context: Context) -> Result<Value, Refusal> {
    match how.as_deref() {
        Some("sold") => Err(Refusal::declared("sold")),
        Some("internal") => Err(Refusal::internal("the shelf broke")),
        Some("panic") => panic!("the lamp fell"),
        Some("nested") => {
            let call = context.call("shop.get").text("how", "name").send().await.outputs()?;
            Ok(json!({ "own": context.request_id().map(ToString::to_string), "nested": call["name"] }))
        }
        _ => Ok(json!({ "name": context.request_id().map(ToString::to_string) })),
    }
}

#[derive(Deserialize)]
struct New {
    text: String,
}

async fn create(Args(new): Args<New>, _: Context) -> Result<Value, Refusal> {
    Ok(json!({ "text": new.text }))
}

/// A connection on which a request has been sent whose handler has begun, with something unread on it.
fn begin(address: SocketAddr, request: &Request, begun: &Notify) -> Connection {
    let mut connection = Connection::to(address);
    connection.write(&[Request::new("GET", "/healthz").bytes(), request.bytes()].concat());
    wait(begun.notified());
    connection.stream.peek(&mut [0]).unwrap();
    connection
}

impl Connection {
    /// Ends the connection at once, as a system does where something has not been read.
    fn reset(self) {
        drop(self);
    }
}

/// The shop, where PUT does nothing.
fn shop() -> Engine {
    built(|_| async { Ok(()) }, |rulebook| rulebook)
}

/// The shop, where PUT runs this.
fn built<F: Future<Output = Result<(), Refusal>> + Send + 'static>(
    put: impl Fn(Context) -> F + Clone + Send + Sync + 'static,
    add: impl FnOnce(Rulebook) -> Rulebook,
) -> Engine {
    let module =
        Module::new("shop").get("/shop", show).post("/shop", create).put("/shop", move |_: Args<()>, context| {
            let running = put(context);
            async move { running.await.map(|()| json!({})) }
        });
    let app = json!({ "limits": { "body": 100 } });
    engine(&[("app.json", app), ("shop.json", definition())], |rulebook| add(rulebook.module(module)))
}
