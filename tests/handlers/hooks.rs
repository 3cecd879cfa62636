//! Hooks, which run before and after the handlers of a module.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Waker};
use std::time::Duration;

use rulebook::error::ErrorCode;
use rulebook::{ApiError, Args, CallEnd, Context, Module, Rulebook};
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use super::{build, call, files, wait};

/// The hooks and handlers that ran, in order.
#[derive(Clone, Default)]
struct Ran(Arc<Mutex<Vec<String>>>);

impl Ran {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn door() -> Vec<(PathBuf, Vec<u8>)> {
    files(
        "door",
        &json!({ "/": { "door": { "POST": {
            "info": "Opens it",
            "scope": [["guest"]],
            "in": { "key": { "info": "Which", "type": "int" } },
            "errors": { "closed": { "status": 409, "info": "It is closed" } }
        } } } }),
    )
}

#[derive(serde::Deserialize)]
struct Key {
    key: i64,
}

/// Adds hooks to a module that record their calls. `before` decides the result of the before hook.
fn hooked<R>(ran: &Ran, module: Module, before: impl Fn() -> R + Clone + Send + Sync + 'static) -> Module
where
    R: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let (first, last) = (ran.clone(), ran.clone());
    module
        .before(move |context| {
            first.note(format!("before {}", context.method()));
            before()
        })
        .after(move |context, ended| {
            let last = last.clone();
            async move { last.note(format!("after {}: {ended:?}", context.method())) }
        })
}

async fn go() -> Result<(), ApiError> {
    Ok(())
}

fn open(ran: &Ran) -> impl Fn(Args<Key>, Context) -> std::future::Ready<Result<Json, ApiError>> + Clone + use<> {
    let ran = ran.clone();
    move |Args(key), _| {
        ran.note(format!("handler {}", key.key));
        std::future::ready(match key.key {
            0 => Err(ApiError::declared("closed")),
            1 => panic!("the key broke"),
            _ => Ok(json!({ "open": true })),
        })
    }
}

/// The code of the error of a call with this key.
fn turn(module: Module, key: &Json) -> Option<ErrorCode> {
    let engine = build(door(), [module]);
    let sent = engine.call("door.post").scope(["guest"]).arg("key", key.clone()).send();
    wait(sent).error().map(ApiError::code)
}

#[test]
fn the_after_hook_runs_however_the_call_ends() {
    let cases = [
        (2, None, "Succeeded"),
        (0, Some(ErrorCode::Failed), "Failed(Failed)"),
        (1, Some(ErrorCode::Internal), "Panicked"),
    ];
    for (key, code, ended) in cases {
        let ran = Ran::default();
        let module = hooked(&ran, Module::new("door").post("/door", open(&ran)), go);
        assert_eq!(turn(module, &key.into()), code, "{key}");
        let expected = ["before door.post".to_owned(), format!("handler {key}"), format!("after door.post: {ended}")];
        assert_eq!(ran.all(), expected, "{key}");
    }
}

#[test]
fn no_handler_runs_if_the_before_hook_fails() {
    let ran = Ran::default();
    let refuse = || async { Err(ApiError::declared("closed")) };
    let module = hooked(&ran, Module::new("door").post("/door", open(&ran)), refuse);
    assert_eq!(turn(module, &2.into()), Some(ErrorCode::Failed));
    assert_eq!(ran.all(), ["before door.post", "after door.post: Failed(Failed)"]);
}

#[test]
fn no_handler_runs_if_the_before_hook_panics() {
    for late in [true, false] {
        let ran = Ran::default();
        let before = move || {
            assert!(late, "at once");
            async { panic!("later") }
        };
        let module = hooked(&ran, Module::new("door").post("/door", open(&ran)), before);
        assert_eq!(turn(module, &2.into()), Some(ErrorCode::Internal));
        assert_eq!(ran.all(), ["before door.post", "after door.post: Panicked"]);
    }
}

#[test]
fn a_panic_of_the_after_hook_is_an_internal_error() {
    let module = |panic_at_once: bool| {
        Module::new("door").post("/door", open(&Ran::default())).after(move |_, _| {
            assert!(!panic_at_once, "at once");
            async { panic!("later") }
        })
    };
    assert_eq!(turn(module(true), &2.into()), Some(ErrorCode::Internal));
    assert_eq!(turn(module(false), &2.into()), Some(ErrorCode::Internal));
}

#[test]
fn hooks_do_not_run_for_calls_without_permission_or_with_invalid_arguments() {
    let ran = Ran::default();
    let module = hooked(&ran, Module::new("door").post("/door", open(&ran)), go);
    assert_eq!(turn(module, &"x".into()), Some(ErrorCode::InvalidParameter));
    let module = hooked(&ran, Module::new("door").post("/door", open(&ran)), go);
    let engine = build(door(), [module]);
    assert_eq!(call(&engine, "door.post", &json!({ "key": 2 })).error().unwrap().code(), ErrorCode::Unauthenticated);
    let refused = wait(engine.call("door.post").scope(["host"]).arg("key", 2).send());
    assert_eq!(refused.error().unwrap().code(), ErrorCode::Forbidden);
    assert_eq!(ran.all(), [""; 0]);
}

#[test]
fn hooks_run_only_for_their_own_module() {
    let ran = Ran::default();
    let mut all = door();
    all.extend(files("bell", &json!({ "/": { "bell": { "POST": { "info": "Rings" } } } })));
    async fn ring(_: Args<()>, _: Context) -> Result<(), ApiError> {
        Ok(())
    }
    let module = hooked(&ran, Module::new("door").post("/door", open(&ran)), go);
    let engine = build(all, [module, Module::new("bell").post("/bell", ring)]);
    assert!(call(&engine, "bell.post", &json!({})).error().is_none());
    assert_eq!(ran.all(), [""; 0]);
}

#[test]
fn panics_of_a_handler_are_internal_errors_without_a_hook() {
    async fn later(_: Args<Key>, _: Context) -> Result<(), ApiError> {
        tokio::task::yield_now().await;
        panic!("the secret of the key")
    }
    #[derive(serde::Deserialize)]
    struct Brittle {
        #[serde(deserialize_with = "breaks")]
        #[allow(dead_code)]
        key: i64,
    }
    fn breaks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let key = serde::Deserialize::deserialize(deserializer)?;
        assert_ne!(key, 4, "the secret of the key");
        Ok(key)
    }
    async fn brittle(_: Args<Brittle>, _: Context) -> Result<(), ApiError> {
        Ok(())
    }
    let modules = [
        (Module::new("door").post("/door", open(&Ran::default())), 1),
        (Module::new("door").post("/door", later), 4),
        (Module::new("door").post("/door", brittle), 4),
    ];
    for (module, key) in modules {
        let engine = build(door(), [module]);
        let refused = wait(engine.call("door.post").scope(["guest"]).arg("key", key).send());
        let refusal = refused.error().unwrap();
        assert_eq!(refusal.code(), ErrorCode::Internal);
        assert!(!refusal.to_string().contains("key"), "{refusal}");
        assert!(refusal.log().is_some_and(|log| log.contains("panicked") && log.contains("key")), "{refusal:?}");
    }
}

#[test]
fn a_dropped_call_runs_to_its_end() {
    #[derive(Default)]
    struct Gate {
        go_on: Notify,
        ended: Notify,
    }
    let gate = Arc::new(Gate::default());
    let ran = Ran::default();
    let (own, noted) = (Arc::clone(&gate), ran.clone());
    let handler = move |_: Args<Key>, _| {
        let (own, noted) = (Arc::clone(&own), noted.clone());
        async move {
            noted.note("begun");
            own.go_on.notified().await;
            noted.note("ended");
            Ok::<_, ApiError>(json!({}))
        }
    };
    let own = Arc::clone(&gate);
    let noted = ran.clone();
    let module = Module::new("door").post("/door", handler).after(move |_, ended: CallEnd| {
        noted.note(format!("after: {ended:?}"));
        own.ended.notify_one();
        async {}
    });
    let engine = Rulebook::read(door()).module(module).build().unwrap();
    wait(async {
        {
            let mut sent = pin!(engine.call("door.post").scope(["guest"]).arg("key", 2).send());
            assert!(sent.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(ran.all(), ["begun"]);
        gate.go_on.notify_one();
        tokio::time::timeout(Duration::from_secs(10), gate.ended.notified()).await.unwrap();
        tokio::task::yield_now().await;
    });
    assert_eq!(ran.all(), ["begun", "ended", "after: Succeeded"]);
}
