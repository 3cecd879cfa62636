//! Tests that documents for the caller are generated only once for all callers with the same permissions.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rulebook::types::{TypeMismatch, Value};
use rulebook::{Authenticate, Authentication, Identity, RateLimiter, Rulebook, Unbound};
use rulebook_model::types::{ArgumentError, Check, Type, TypeArguments, TypeExpr};
use serde_json::{Value as Json, json};

use super::request_with_permissions;
use crate::client::{Bearer, Request, TestServer};

/// A type that counts the calls of its function `schema`. Each call waits while another thread holds the lock.
#[derive(Debug, Clone, Default)]
struct CountingType(Arc<AtomicUsize>, Arc<Mutex<()>>);

impl Type for CountingType {
    fn name(&self) -> &str {
        "counted"
    }

    fn info(&self) -> &str {
        "anything"
    }

    fn compile(&self, _: &TypeArguments<'_>) -> Result<Arc<dyn Check>, ArgumentError> {
        Ok(Arc::new(self.clone()))
    }
}

impl Check for CountingType {
    fn check<'a>(&self, value: Value<'a>) -> Result<Value<'a>, TypeMismatch> {
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

    fn type_expr(&self) -> TypeExpr {
        TypeExpr::term("counted")
    }

    fn boundary_values(&self) -> Vec<Value<'static>> {
        Vec::new()
    }
}

fn definition_files() -> Vec<(PathBuf, Vec<u8>)> {
    let definition = json!({ "/": { "it": { "GET": {
        "info": "It", "scope": [["reader"], ["writer"]],
        "in": { "GET@x": { "info": "Something", "type": "counted", "name": "x" } }
    } } } });
    vec![("it.json".into(), definition.to_string().into_bytes())]
}

#[test]
fn documents_are_generated_once_for_callers_with_the_same_permissions() {
    let counted = CountingType::default();
    let rulebook =
        Rulebook::read(definition_files()).add_type(counted.clone()).authenticator(Bearer).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let count = || counted.0.load(Ordering::Relaxed);
    // The documents for all callers are generated in the background, so that they must exist before others are counted.
    for target in ["*", "/it"] {
        server.send(&Request::new("OPTIONS", target));
    }
    let fetch = |held: &[&str]| server.send(&request_with_permissions("OPTIONS", "/it?as=me", Some(held))).status;
    let before = count();
    assert_eq!(fetch(&["writer"]), 200);
    let once = count() - before;
    assert!(once > 0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(fetch(&["reader", "other"]), 200));
        }
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(fetch(&["other", "reader", "other"]), 200));
        }
    });
    assert_eq!(count(), before + 2 * once, "the order of permissions does not matter");
    assert_eq!(fetch(&["nothing"]), 404);
    assert_eq!(fetch(&[]), 404);
    assert_eq!(count(), before + 2 * once, "an unknown path generates no documents");
}

#[test]
fn cached_documents_for_rarely_used_permissions_are_removed() {
    let counted = CountingType::default();
    let rulebook =
        Rulebook::read(definition_files()).add_type(counted.clone()).authenticator(Bearer).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let mut connection = server.connect();
    let mut fetch = |number: usize| {
        let before = counted.0.load(Ordering::Relaxed);
        let held = ["reader".to_owned(), number.to_string()];
        let request = Request::new("OPTIONS", "/it?as=me").scope(&held);
        assert_eq!(connection.send(&request).status, 200);
        counted.0.load(Ordering::Relaxed) > before
    };
    assert!((0..64).all(&mut fetch), "the documents of each set are rendered");
    assert!(!(0..64).any(&mut fetch), "and cached");
    assert!(fetch(64));
    assert!(!fetch(64), "the documents of a new set are cached");
    let evicted = (0..64).filter(|set| fetch(*set)).count();
    assert!((1..8).contains(&evicted), "and replace those of another set, not of all: {evicted}");
}

#[test]
fn requests_for_unknown_paths_do_not_generate_documents() {
    let counted = CountingType::default();
    let rulebook =
        Rulebook::read(definition_files()).add_type(counted.clone()).authenticator(Bearer).unbound(Unbound::Echo);
    let engine = rulebook.build().unwrap();
    let making = counted.1.lock().unwrap();
    let server = TestServer::start(&engine);
    assert_eq!(server.send(&Request::new("OPTIONS", "/nothing")).status, 404);
    assert_eq!(server.send(&request_with_permissions("GET", "/it?x=1", Some(&["reader"]))).status, 200);
    drop(making);
    assert_eq!(server.send(&Request::new("OPTIONS", "/it")).status, 200);
}

/// An authenticator whose identity may send three requests.
struct RateLimitedAuthenticator(Arc<RateLimiter>);

impl Authenticate for RateLimitedAuthenticator {
    async fn authenticate(&self, _: &rulebook::Head) -> Authentication {
        Authentication::Identity(Identity::new("ada", ["reader"]).with_rate_limiter(Arc::clone(&self.0)))
    }
}

#[test]
fn requests_for_documents_of_the_caller_count_for_the_rate_limit() {
    let limiter = Arc::new(RateLimiter::new(3, 0, 1));
    let rulebook = Rulebook::read(definition_files())
        .add_type(CountingType::default())
        .authenticator(RateLimitedAuthenticator(limiter))
        .unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    for (method, target) in [("OPTIONS", "/it"), ("GET", "/openapi.json"), ("GET", "/docs/")] {
        let response = server.send(&Request::new(method, target));
        assert_eq!((response.status, response.field("ratelimit")), (200, None), "what is for all is free");
    }
    for (left, (method, target)) in [(2, ("OPTIONS", "/it")), (1, ("GET", "/openapi.json")), (0, ("GET", "/docs/"))] {
        let response = server.send(&Request::new(method, format!("{target}?as=me")));
        assert_eq!(response.field("ratelimit"), Some(&*format!("\"default\";r={left}")), "{response:?}");
    }
    let spent = server.send(&Request::new("OPTIONS", "/it?as=me"));
    assert_eq!((spent.status, spent.field("ratelimit")), (429, Some("\"default\";r=0")), "{spent:?}");
}
