//! Documents for who asks are made once for all who hold the same permissions.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rulebook::types::{ArgumentError, Arguments, Check, Type, Written};
use rulebook::{Identity, Inspect, Inspection, Meter, Mismatch, Rulebook, Unbound, Value};
use serde_json::{Value as Json, json};

use super::by;
use crate::client::{Bearer, Request, Site};

/// A type that counts how often its schema is asked for, and takes its time: as long as the lock is held.
#[derive(Debug, Clone, Default)]
struct Counted(Arc<AtomicUsize>, Arc<Mutex<()>>);

impl Type for Counted {
    fn name(&self) -> &str {
        "counted"
    }

    fn info(&self) -> &str {
        "anything"
    }

    fn compile(&self, _: &Arguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(self.clone()))
    }
}

impl Check for Counted {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Mismatch> {
        Ok(value)
    }

    fn expected(&self) -> Cow<'static, str> {
        "anything".into()
    }

    fn schema(&self) -> Json {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(10));
        drop(self.1.lock());
        json!({})
    }

    fn written(&self) -> Written {
        Written::term("counted")
    }

    fn extremes(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}

fn files() -> Vec<(PathBuf, Vec<u8>)> {
    let definition = json!({ "/": { "it": { "GET": {
        "info": "It", "scope": [["reader"], ["writer"]],
        "in": { "GET@x": { "info": "Something", "type": "counted", "name": "x" } }
    } } } });
    vec![("it.json".into(), definition.to_string().into_bytes())]
}

#[test]
fn documents_are_made_once_for_all_who_hold_the_same() {
    let counted = Counted::default();
    let rulebook = Rulebook::read(files()).add_type(counted.clone()).inspect(Bearer).unbound(Unbound::Echo);
    let site = Site::start(&rulebook.build().unwrap());
    let count = || counted.0.load(Ordering::Relaxed);
    site.send(&Request::new("OPTIONS", "*"));
    let once = count();
    let ask = |held: &[&str]| site.send(&by("OPTIONS", "/it?as=me", Some(held))).status;
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(ask(&["reader", "other"]), 200));
        }
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(ask(&["other", "reader", "other"]), 200));
        }
    });
    assert_eq!(count(), 2 * once, "the order of permissions does not matter");
    assert_eq!(ask(&["writer"]), 200);
    assert_eq!(count(), 3 * once, "another set has documents of its own");
    assert_eq!(ask(&["nothing"]), 404);
    assert_eq!(ask(&[]), 404);
    assert_eq!(count(), 3 * once, "nothing is told, and nothing made");
}

#[test]
fn many_sets_push_each_other_out() {
    let counted = Counted::default();
    let rulebook = Rulebook::read(files()).add_type(counted.clone()).inspect(Bearer).unbound(Unbound::Echo);
    let site = Site::start(&rulebook.build().unwrap());
    let mut connection = site.connect();
    let mut ask = |number: usize| {
        let before = counted.0.load(Ordering::Relaxed);
        let held = ["reader".to_owned(), number.to_string()];
        let request = Request::new("OPTIONS", "/it?as=me").scope(&held);
        assert_eq!(connection.ask(&request).status, 200);
        counted.0.load(Ordering::Relaxed) > before
    };
    assert!((0..64).all(&mut ask), "each set is made");
    assert!(!(0..64).any(&mut ask), "and kept");
    assert!(ask(64));
    assert!(!ask(1), "what was asked for since is still there");
    assert!(ask(0), "the one that was asked for longest ago is not");
}

#[test]
fn no_worker_waits_for_documents_to_find_that_there_is_nothing() {
    let counted = Counted::default();
    let rulebook = Rulebook::read(files()).add_type(counted.clone()).inspect(Bearer).unbound(Unbound::Echo);
    let engine = rulebook.build().unwrap();
    let making = counted.1.lock().unwrap();
    let site = Site::start(&engine);
    assert_eq!(site.send(&Request::new("OPTIONS", "/nothing")).status, 404);
    assert_eq!(site.send(&by("GET", "/it?x=1", Some(&["reader"]))).status, 200);
    drop(making);
    assert_eq!(site.send(&Request::new("OPTIONS", "/it")).status, 200);
}

/// Somebody who may ask three times.
struct Thrice(Arc<Meter>);

impl Inspect for Thrice {
    fn inspect<'a>(&'a self, _: &'a rulebook::Head) -> std::pin::Pin<Box<dyn Future<Output = Inspection> + Send + 'a>> {
        let identity = Identity::new("ada", ["reader"]).metered(Arc::clone(&self.0));
        Box::pin(std::future::ready(Inspection::Identity(identity)))
    }
}

#[test]
fn to_ask_for_ones_own_documents_counts() {
    let meter = Arc::new(Meter::new(3, 0, 1));
    let rulebook = Rulebook::read(files()).add_type(Counted::default()).inspect(Thrice(meter)).unbound(Unbound::Echo);
    let site = Site::start(&rulebook.build().unwrap());
    for (method, target) in [("OPTIONS", "/it"), ("GET", "/openapi.json"), ("GET", "/docs/")] {
        let answer = site.send(&Request::new(method, target));
        assert_eq!((answer.status, answer.field("ratelimit")), (200, None), "what is for all is free");
    }
    for (left, (method, target)) in [(2, ("OPTIONS", "/it")), (1, ("GET", "/openapi.json")), (0, ("GET", "/docs/"))] {
        let answer = site.send(&Request::new(method, format!("{target}?as=me")));
        assert_eq!(answer.field("ratelimit"), Some(&*format!("\"default\";r={left}")), "{answer:?}");
    }
    let spent = site.send(&Request::new("OPTIONS", "/it?as=me"));
    assert_eq!((spent.status, spent.field("ratelimit")), (429, Some("\"default\";r=0")), "{spent:?}");
}
