//! Tests instances (the value that a before hook returns for each call): handlers can use the instance of their call,
//! and it is dropped when the call ends.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rulebook::{ApiError, Args, CallEnd, Context, Module, Response};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use super::over_http::serve;
use super::{block_on, build, files, files_with_parameters};

/// Sends the events of a test to the receiver that [`Events::channel`] returns, in order.
#[derive(Clone)]
struct Events(Arc<Mutex<Sender<String>>>);

impl Events {
    fn channel() -> (Self, Receiver<String>) {
        let (sender, events) = channel();
        (Self(Arc::new(Mutex::new(sender))), events)
    }

    fn send(&self, what: impl Into<String>) {
        self.0.lock().unwrap().send(what.into()).unwrap();
    }
}

/// The value that the before hook in these tests returns for each call, which is called the instance of the call. In
/// api 3.0 (an earlier framework), a module is a class, and the instance is an object of this class.
struct Visit {
    events: Events,
    notes: Mutex<Vec<String>>,
}

impl Visit {
    fn begin(events: &Events) -> Self {
        events.send("made");
        Self { events: events.clone(), notes: Mutex::default() }
    }

    fn record(&self, what: &str) {
        self.notes.lock().unwrap().push(what.to_owned());
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.events.send("dropped");
    }
}

#[derive(Deserialize)]
struct OutcomeArgs {
    outcome: String,
}

async fn handler_with_visit(
    Args(OutcomeArgs { outcome }): Args<OutcomeArgs>,
    context: Context,
) -> Result<Json, ApiError> {
    let visit = context.instance::<Visit>().ok_or_else(|| ApiError::internal("no visit"))?;
    visit.record("worked");
    tokio::task::yield_now().await;
    match outcome.as_str() {
        "refuse" => Err(ApiError::unavailable("as asked")),
        "panic" => panic!("as asked"),
        _ => Ok(json!({})),
    }
}

/// Returns a module `shop` whose before hook returns a [`Visit`]. If `before` is `refuse` or `panic`, the before hook
/// fails or panics instead.
fn module_with_visits(events: &Events, before: &'static str) -> Module {
    let (made, ended) = (events.clone(), events.clone());
    Module::new("shop")
        .post("/it", handler_with_visit)
        .before(move |_| {
            let made = made.clone();
            async move {
                let visit = Visit::begin(&made);
                match before {
                    "refuse" => Err(ApiError::unavailable("as asked")),
                    "panic" => panic!("as asked"),
                    _ => Ok(visit),
                }
            }
        })
        .after(move |context, outcome| {
            let ended = ended.clone();
            async move {
                let notes = context.instance::<Visit>().map(|visit| visit.notes.lock().unwrap().join(" "));
                ended.send(format!("{outcome:?} {notes:?}"));
            }
        })
}

fn call_with_outcome(engine: &rulebook::Engine, outcome: &str) -> Response {
    block_on(engine.call("it.post").arg("outcome", outcome).send())
}

fn shop_definition() -> Vec<(std::path::PathBuf, Vec<u8>)> {
    files_with_parameters(&json!({ "outcome": { "info": "How it ends", "type": "string" } }))
}

#[test]
fn each_call_has_an_instance_that_is_dropped_however_the_call_ends() {
    let cases = [
        ("", "succeed", &["made", "Succeeded Some(\"worked\")", "dropped"]),
        ("", "refuse", &["made", "Failed(Unavailable) Some(\"worked\")", "dropped"]),
        ("", "panic", &["made", "Panicked Some(\"worked\")", "dropped"]),
        ("refuse", "succeed", &["made", "dropped", "Failed(Unavailable) None"]),
        ("panic", "succeed", &["made", "dropped", "Panicked None"]),
    ];
    for (before, outcome, expected) in cases {
        let (sender, events) = Events::channel();
        let engine = build(shop_definition(), [module_with_visits(&sender, before)]);
        for _ in 0..2 {
            call_with_outcome(&engine, outcome);
            assert_eq!(events.try_iter().collect::<Vec<_>>(), expected, "{before} {outcome}");
        }
    }
}

#[test]
fn calls_that_do_not_reach_the_handler_have_no_instance() {
    let (sender, events) = Events::channel();
    let engine = build(shop_definition(), [module_with_visits(&sender, "")]);
    assert!(block_on(engine.call("it.post").send()).error().is_some());
    assert_eq!(events.try_iter().count(), 0);
}

#[test]
fn the_instance_is_dropped_if_the_client_disconnects() {
    for (outcome, ended) in [("succeed", "Succeeded"), ("panic", "Panicked")] {
        let (sender, events) = Events::channel();
        let proceed = Arc::new(Notify::new());
        let (own, begun) = (Arc::clone(&proceed), sender.clone());
        let handler = move |Args(OutcomeArgs { outcome }): Args<OutcomeArgs>, context: Context| {
            let (own, begun) = (Arc::clone(&own), begun.clone());
            async move {
                let visit = context.instance::<Visit>();
                begun.send("begun");
                own.notified().await;
                assert_ne!(outcome, "panic", "as asked");
                drop(visit);
                Ok::<_, ApiError>(json!({}))
            }
        };
        let (made, after) = (sender.clone(), sender.clone());
        let module = Module::new("shop").post("/it", handler).before(move |_| {
            let visit = Visit::begin(&made);
            async { Ok(visit) }
        });
        let module = module.after(move |_, ended: CallEnd| {
            after.send(format!("{ended:?}"));
            async {}
        });
        let (running, at) = serve(&build(shop_definition(), [module]));
        let mut socket = TcpStream::connect(at.strip_prefix("http://").unwrap()).unwrap();
        let body = json!({ "outcome": outcome }).to_string();
        write!(
            socket,
            "POST /it HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let next = || events.recv_timeout(Duration::from_secs(20)).unwrap();
        assert_eq!([next(), next()], ["made", "begun"]);
        drop(socket);
        // The server has noticed the closed socket when it has responded to another request.
        assert!(ureq::get(format!("{at}/nowhere")).call().is_err());
        proceed.notify_one();
        assert_eq!([next(), next()], [ended, "dropped"], "{outcome}");
        running.stop().unwrap();
        assert!(events.try_recv().is_err(), "nothing ended twice");
    }
}

#[test]
fn the_after_hook_can_take_the_instance() {
    let (sender, events) = Events::channel();
    let module = module_with_visits(&sender, "").after(|context, ended| async move {
        let visit = context.take_instance::<Visit>().and_then(Arc::into_inner).unwrap();
        visit.events.send(format!("used up: {ended:?}"));
        assert!(context.instance::<Visit>().is_none());
    });
    let engine = build(shop_definition(), [module]);
    for outcome in ["succeed", "panic"] {
        call_with_outcome(&engine, outcome);
        let ended = if outcome == "panic" { "Panicked" } else { "Succeeded" };
        assert_eq!(events.try_iter().collect::<Vec<_>>(), ["made", &format!("used up: {ended}"), "dropped"]);
    }
}

#[test]
fn the_instance_is_dropped_with_the_call_even_if_the_context_is_kept() {
    let (sender, events) = Events::channel();
    let kept: Arc<Mutex<Vec<Context>>> = Arc::default();
    let own = Arc::clone(&kept);
    let module = module_with_visits(&sender, "").after(move |context, _| {
        own.lock().unwrap().push(context);
        async { panic!("as asked") }
    });
    let engine = build(shop_definition(), [module]);
    assert!(call_with_outcome(&engine, "succeed").error().is_some());
    assert_eq!(events.try_iter().collect::<Vec<_>>(), ["made", "dropped"]);
    assert!(kept.lock().unwrap()[0].instance::<Visit>().is_none());
}

#[test]
fn a_panic_while_the_instance_is_dropped_is_an_internal_error() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("it broke");
        }
    }
    async fn empty_handler(_: Args<()>, _: Context) -> Result<(), ApiError> {
        Ok(())
    }
    let module = Module::new("shop").post("/it", empty_handler).before(|_| async { Ok(PanicsWhenDropped) });
    let response = block_on(build(files_with_parameters(&json!({})), [module]).call("it.post").send());
    assert!(response.error().and_then(ApiError::log).is_some_and(|log| log.contains("it broke")), "{response:?}");
}

#[test]
fn a_handler_gets_the_instance_only_by_its_exact_type() {
    async fn describe_instance(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        assert!(context.take_instance::<String>().is_none());
        let number = context.instance::<u8>().map(|number| *number);
        Ok(json!({ "number": number, "text": context.instance::<String>().is_some() }))
    }
    let module = Module::new("shop").post("/it", describe_instance).before(|_| async { Ok(7_u8) });
    let outputs =
        block_on(build(files_with_parameters(&json!({})), [module]).call("it.post").send()).outputs().unwrap();
    assert_eq!(outputs, json!({ "number": 7, "text": false }));
}

#[test]
fn nested_calls_have_instances_of_their_own() {
    #[derive(Clone)]
    struct MethodName(String);
    async fn inner_method_name(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        Ok(json!({ "name": context.instance::<MethodName>().unwrap().0 }))
    }
    async fn outer_and_inner_method_name(_: Args<()>, context: Context) -> Result<Json, ApiError> {
        let called = context.call("inner").send().await.outputs()?;
        Ok(json!({ "own": context.instance::<MethodName>().unwrap().0, "called": called["name"] }))
    }
    let get = json!({ "GET": { "info": "It" } });
    let module = Module::new("shop")
        .get("/inner", inner_method_name)
        .get("/outer", outer_and_inner_method_name)
        .before(|context| {
            let name = MethodName(context.method().to_owned());
            async { Ok(name) }
        });
    let engine = build(files("shop", &json!({ "/": { "inner": get, "outer": get } })), [module]);
    let outputs = block_on(engine.call("outer").send()).outputs().unwrap();
    assert_eq!(outputs, json!({ "own": "outer.get", "called": "inner.get" }));
}
