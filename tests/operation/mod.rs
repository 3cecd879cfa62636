//! Tests of what operators of a server need: request ids, logs, health checks, counters, panics, and stopping.

mod access;
mod health;
mod ids;
mod log;
mod metrics;
mod panics;
mod proxies;
mod signals;
mod stopping;
#[cfg(unix)]
mod usage;

use std::net::SocketAddr;

use rulebook::{ApiError, Args, Context, Engine, Module, Rulebook};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::client::{Connection, Request, engine};
use crate::handlers::block_on;

/// Returns the definition of a small shop, whose methods end in different ways.
fn shop_definition() -> Value {
    json!({ "/": { "shop": {
        "GET": { "info": "What is there", "in": { "GET@how": { "info": "How it ends", "type": "?string", "name": "how" } },
                 "errors": { "sold": { "status": 410, "info": "It is sold" } } },
        "POST": { "info": "A new thing", "scope": [["seller"]],
                  "in": { "text": { "info": "What", "type": "string" } } },
        "PUT": { "info": "Ends when it is notified", "options": { "status": 204 } }
    } } })
}

#[derive(Deserialize)]
struct ShowParameters {
    how: Option<String>,
}

async fn show_item(Args(ShowParameters { how }): Args<ShowParameters>, context: Context) -> Result<Value, ApiError> {
    match how.as_deref() {
        Some("sold") => Err(ApiError::declared("sold")),
        Some("internal") => Err(ApiError::internal("the shelf broke")),
        Some("panic") => panic!("the lamp fell"),
        Some("nested") => {
            let call = context.call("shop.get").text("how", "name").send().await.outputs()?;
            Ok(json!({ "own": context.request_id().map(ToString::to_string), "nested": call["name"] }))
        }
        _ => Ok(json!({ "name": context.request_id().map(ToString::to_string) })),
    }
}

#[derive(Deserialize)]
struct NewItem {
    text: String,
}

async fn create_item(Args(new): Args<NewItem>, _: Context) -> Result<Value, ApiError> {
    Ok(json!({ "text": new.text }))
}

/// Sends a request, and waits until its handler has begun. Returns the connection, which also has an unread response,
/// so that dropping it resets it.
fn begin_request(address: SocketAddr, request: &Request, begun: &Notify) -> Connection {
    let mut connection = Connection::open(address);
    connection.write(&[Request::new("GET", "/healthz").bytes(), request.bytes()].concat());
    block_on(begun.notified());
    connection.stream.peek(&mut [0]).unwrap();
    connection
}

impl Connection {
    /// Resets the connection: the system does this when a socket with unread bytes is closed.
    fn reset(self) {
        drop(self);
    }
}

/// Returns the engine of the shop. Its PUT method does nothing.
fn shop_engine() -> Engine {
    shop_engine_with_put(|_| async { Ok(()) }, |rulebook| rulebook)
}

/// Returns the engine of the shop with this handler for the PUT method. `add` can add options to the builder.
fn shop_engine_with_put<F: Future<Output = Result<(), ApiError>> + Send + 'static>(
    put: impl Fn(Context) -> F + Clone + Send + Sync + 'static,
    add: impl FnOnce(Rulebook) -> Rulebook,
) -> Engine {
    let module = Module::new("shop").get("/shop", show_item).post("/shop", create_item).put(
        "/shop",
        move |_: Args<()>, context| {
            let running = put(context);
            async move { running.await.map(|()| json!({})) }
        },
    );
    let app = json!({ "limits": { "body": 100 } });
    engine(&[("app.json", app), ("shop.json", shop_definition())], |rulebook| add(rulebook.module(module)))
}
