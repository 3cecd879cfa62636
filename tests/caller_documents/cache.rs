//! Tests that documents for the caller are generated only once for all callers that can call the same methods, and that
//! the time in which they are generated is limited.

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
    fn check(&self, _: &mut Value<'_>) -> Result<(), TypeMismatch> {
        Ok(())
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
fn documents_are_generated_once_for_callers_who_can_call_the_same_methods() {
    let counted = CountingType::default();
    let rulebook =
        Rulebook::read(definition_files()).add_type(counted.clone()).authenticator(Bearer).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let count = || counted.0.load(Ordering::Relaxed);
    // The documents for all callers and the digest are generated in the background, so that they must exist before
    // others are counted.
    let background =
        [("OPTIONS", "*"), ("OPTIONS", "/it"), ("GET", "/openapi.json"), ("GET", "/llms.txt"), ("GET", "/readyz")];
    for (method, target) in background {
        server.send(&Request::new(method, target));
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
    assert_eq!(count(), before + once, "neither the order of permissions nor the permission group matters");
    assert_eq!(fetch(&["nothing"]), 404);
    assert_eq!(fetch(&[]), 404);
    assert_eq!(count(), before + once, "an unknown path generates no documents");
}

#[test]
fn callers_who_can_call_the_same_methods_share_documents() {
    let counted = CountingType::default();
    let rulebook =
        Rulebook::read(definition_files()).add_type(counted.clone()).authenticator(Bearer).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let fetch = |method, target: &str, held: &[&str]| {
        let response = server.send(&request_with_permissions(method, target, Some(held)));
        assert_eq!(response.status, 200, "{response:?}");
        response
    };
    let targets = [("OPTIONS", "/it?as=me"), ("GET", "/openapi.json?as=me"), ("GET", "/docs/?as=me")];
    let expected = targets.map(|(method, target)| fetch(method, target, &["reader"]).body);
    // A server that has started generates the documents for all callers beside its requests.
    for (method, target) in [("OPTIONS", "/it"), ("GET", "/openapi.json"), ("GET", "/docs/"), ("GET", "/docs/api.d.ts")]
    {
        fetch(method, target, &["reader"]);
    }
    let mut before = counted.0.load(Ordering::Relaxed);
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = counted.0.load(Ordering::Relaxed);
        if now == before {
            break;
        }
        before = now;
    }
    for number in 0..200 {
        let user = format!("user[{number}]");
        for ((method, target), expected) in targets.iter().zip(&expected) {
            assert_eq!(fetch(method, target, &["reader", &user]).body, *expected);
        }
    }
    assert_eq!(counted.0.load(Ordering::Relaxed), before);
}

/// Returns the definition of a method that each caller can call with one value of a parameter, and of a public method.
/// The documents for each caller are different, because they contain this value.
fn contextual_definition() -> Vec<(PathBuf, Vec<u8>)> {
    let definition = json!({ "/": {
        "it/{u}": { "GET": {
            "info": "It", "scope": [["user[u]"]], "in": { "{u}": { "info": "Which", "type": "uint", "name": "u" } }
        } },
        "open": { "GET": {
            "info": "Open", "in": { "GET@x": { "info": "Something", "type": "counted", "name": "x" } }
        } }
    } });
    vec![("it.json".into(), definition.to_string().into_bytes())]
}

#[test]
fn callers_with_other_conditions_do_not_share_documents() {
    let rulebook = Rulebook::read(contextual_definition())
        .add_type(CountingType::default())
        .authenticator(Bearer)
        .unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    for user in [7, 8, 7] {
        let held = format!("user[{user}]");
        let request = request_with_permissions("OPTIONS", "/it/1?as=me", Some(&[&held]));
        let when = &server.send(&request).json()["/"]["it/{u}"]["GET"]["$when"];
        assert_eq!(*when, json!([{ "u": [user.to_string()] }]));
    }
}

#[test]
fn rendering_for_callers_is_limited_and_their_documents_are_cached() {
    let counted = CountingType::default();
    let rulebook =
        Rulebook::read(contextual_definition()).add_type(counted.clone()).authenticator(Bearer).unbound(Unbound::Echo);
    let server = TestServer::start(&rulebook.build().unwrap());
    let mut connection = server.connect();
    let mut fetch = |method: &str, target: &str, held: Option<&[&str]>| {
        let response = connection.send(&request_with_permissions(method, target, held));
        if response.status == 503 {
            assert!(response.field("retry-after").is_some(), "{response:?}");
        }
        response.status
    };
    assert_eq!(fetch("GET", "/openapi.json?as=me", Some(&["user[1]"])), 200);
    // Each rendering calls `schema`, which takes ten milliseconds.
    let limit = (2..2_000).find(|user| fetch("GET", "/openapi.json?as=me", Some(&[&format!("user[{user}]")])) == 503);
    assert!(limit.is_some(), "the time of rendering has no limit");
    for (method, target) in [("GET", "/openapi.json"), ("OPTIONS", "/"), ("GET", "/docs/"), ("GET", "/llms.txt")] {
        assert_eq!(fetch(method, target, None), 200, "{method} {target} for all");
        assert_eq!(fetch(method, &format!("{target}?as=me"), None), 200, "{method} {target} for anonymous callers");
        assert_eq!(fetch(method, &format!("{target}?as=me"), Some(&["other"])), 200, "which others can share");
    }
    assert_eq!(fetch("GET", "/it/3", Some(&["user[3]"])), 200, "calls have no such limit");
    // Documents that are rendered and cached are sent even if the time is used up.
    let last = format!("user[{}]", limit.unwrap() - 1);
    assert_eq!(fetch("GET", "/openapi.json?as=me", Some(&[&last])), 200);
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
