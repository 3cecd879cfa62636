//! Tests the before hook and the after hook of a module, which run before and after its handlers.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as TaskContext, Waker};
use std::time::Duration;

use rulebook::error::ErrorCode;
use rulebook::{ApiError, Args, CallEnd, Context, Module, Rulebook};
use serde_json::{Value as Json, json};
use tokio::sync::Notify;

use super::{block_on, build, call, files};

/// The names of the hooks and handlers that have run, in order.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    fn record(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn recorded(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn door_definition() -> Vec<(PathBuf, Vec<u8>)> {
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
struct KeyArgs {
    key: i64,
}

/// Adds a before hook and an after hook to a module. Each records its call in `result`; `before` returns the result of
/// the before hook.
fn with_recording_hooks<R>(
    result: &Events,
    module: Module,
    before: impl Fn() -> R + Clone + Send + Sync + 'static,
) -> Module
where
    R: Future<Output = Result<(), ApiError>> + Send + 'static,
{
    let (first, last) = (result.clone(), result.clone());
    module
        .before(move |context| {
            first.record(format!("before {}", context.method()));
            before()
        })
        .after(move |context, ended| {
            let last = last.clone();
            async move { last.record(format!("after {}: {ended:?}", context.method())) }
        })
}

async fn allow_call() -> Result<(), ApiError> {
    Ok(())
}

fn recording_handler(
    result: &Events,
) -> impl Fn(Args<KeyArgs>, Context) -> std::future::Ready<Result<Json, ApiError>> + Clone + use<> {
    let result = result.clone();
    move |Args(key), _| {
        result.record(format!("handler {}", key.key));
        std::future::ready(match key.key {
            0 => Err(ApiError::declared("closed")),
            1 => panic!("the key broke"),
            _ => Ok(json!({ "open": true })),
        })
    }
}

/// Calls the method of a module with this argument `key`, and returns the code of the error; `None` if the call
/// succeeds.
fn call_with_key(module: Module, key: &Json) -> Option<ErrorCode> {
    let engine = build(door_definition(), [module]);
    let sent = engine.call("door.post").scope(["guest"]).arg("key", key.clone()).send();
    block_on(sent).error().map(ApiError::code)
}

#[test]
fn the_after_hook_runs_however_the_call_ends() {
    let cases = [
        (2, None, "Succeeded"),
        (0, Some(ErrorCode::Failed), "Failed(Failed)"),
        (1, Some(ErrorCode::Internal), "Panicked"),
    ];
    for (key, code, ended) in cases {
        let result = Events::default();
        let module =
            with_recording_hooks(&result, Module::new("door").post("/door", recording_handler(&result)), allow_call);
        assert_eq!(call_with_key(module, &key.into()), code, "{key}");
        let expected = ["before door.post".to_owned(), format!("handler {key}"), format!("after door.post: {ended}")];
        assert_eq!(result.recorded(), expected, "{key}");
    }
}

#[test]
fn no_handler_runs_if_the_before_hook_fails() {
    let result = Events::default();
    let refuse = || async { Err(ApiError::declared("closed")) };
    let module = with_recording_hooks(&result, Module::new("door").post("/door", recording_handler(&result)), refuse);
    assert_eq!(call_with_key(module, &2.into()), Some(ErrorCode::Failed));
    assert_eq!(result.recorded(), ["before door.post", "after door.post: Failed(Failed)"]);
}

#[test]
fn no_handler_runs_if_the_before_hook_panics() {
    for late in [true, false] {
        let result = Events::default();
        let before = move || {
            assert!(late, "at once");
            async { panic!("later") }
        };
        let module =
            with_recording_hooks(&result, Module::new("door").post("/door", recording_handler(&result)), before);
        assert_eq!(call_with_key(module, &2.into()), Some(ErrorCode::Internal));
        assert_eq!(result.recorded(), ["before door.post", "after door.post: Panicked"]);
    }
}

#[test]
fn a_panic_in_the_after_hook_is_an_internal_error() {
    let module = |panic_at_once: bool| {
        Module::new("door").post("/door", recording_handler(&Events::default())).after(move |_, _| {
            assert!(!panic_at_once, "at once");
            async { panic!("later") }
        })
    };
    assert_eq!(call_with_key(module(true), &2.into()), Some(ErrorCode::Internal));
    assert_eq!(call_with_key(module(false), &2.into()), Some(ErrorCode::Internal));
}

#[test]
fn hooks_do_not_run_for_calls_without_permission_or_with_invalid_arguments() {
    let result = Events::default();
    let module =
        with_recording_hooks(&result, Module::new("door").post("/door", recording_handler(&result)), allow_call);
    assert_eq!(call_with_key(module, &"x".into()), Some(ErrorCode::InvalidParameter));
    let module =
        with_recording_hooks(&result, Module::new("door").post("/door", recording_handler(&result)), allow_call);
    let engine = build(door_definition(), [module]);
    assert_eq!(call(&engine, "door.post", &json!({ "key": 2 })).error().unwrap().code(), ErrorCode::Unauthenticated);
    let refused = block_on(engine.call("door.post").scope(["host"]).arg("key", 2).send());
    assert_eq!(refused.error().unwrap().code(), ErrorCode::Forbidden);
    assert_eq!(result.recorded(), [""; 0]);
}

#[test]
fn hooks_do_not_run_for_methods_of_other_modules() {
    let result = Events::default();
    let mut all = door_definition();
    all.extend(files("bell", &json!({ "/": { "bell": { "POST": { "info": "Rings" } } } })));
    async fn ring(_: Args<()>, _: Context) -> Result<(), ApiError> {
        Ok(())
    }
    let module =
        with_recording_hooks(&result, Module::new("door").post("/door", recording_handler(&result)), allow_call);
    let engine = build(all, [module, Module::new("bell").post("/bell", ring)]);
    assert!(call(&engine, "bell.post", &json!({})).error().is_none());
    assert_eq!(result.recorded(), [""; 0]);
}

#[test]
fn without_hooks_a_panic_of_a_handler_is_an_internal_error() {
    async fn panic_after_yield(_: Args<KeyArgs>, _: Context) -> Result<(), ApiError> {
        tokio::task::yield_now().await;
        panic!("the secret of the key")
    }
    #[derive(serde::Deserialize)]
    struct PanicsWhenDeserialized {
        #[serde(deserialize_with = "deserialize_or_panic")]
        #[allow(dead_code)]
        key: i64,
    }
    fn deserialize_or_panic<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let key = serde::Deserialize::deserialize(deserializer)?;
        assert_ne!(key, 4, "the secret of the key");
        Ok(key)
    }
    async fn take_panicking_args(_: Args<PanicsWhenDeserialized>, _: Context) -> Result<(), ApiError> {
        Ok(())
    }
    let modules = [
        (Module::new("door").post("/door", recording_handler(&Events::default())), 1),
        (Module::new("door").post("/door", panic_after_yield), 4),
        (Module::new("door").post("/door", take_panicking_args), 4),
    ];
    for (module, key) in modules {
        let engine = build(door_definition(), [module]);
        let refused = block_on(engine.call("door.post").scope(["guest"]).arg("key", key).send());
        let error = refused.error().unwrap();
        assert_eq!(error.code(), ErrorCode::Internal);
        assert!(!error.to_string().contains("key"), "{error}");
        assert!(error.log().is_some_and(|log| log.contains("panicked") && log.contains("key")), "{error:?}");
    }
}

#[test]
fn a_dropped_call_runs_to_its_end() {
    #[derive(Default)]
    struct CallSignals {
        proceed: Notify,
        ended: Notify,
    }
    let gate = Arc::new(CallSignals::default());
    let result = Events::default();
    let (own, recorded) = (Arc::clone(&gate), result.clone());
    let handler = move |_: Args<KeyArgs>, _| {
        let (own, recorded) = (Arc::clone(&own), recorded.clone());
        async move {
            recorded.record("begun");
            own.proceed.notified().await;
            recorded.record("ended");
            Ok::<_, ApiError>(json!({}))
        }
    };
    let own = Arc::clone(&gate);
    let recorded = result.clone();
    let module = Module::new("door").post("/door", handler).after(move |_, ended: CallEnd| {
        recorded.record(format!("after: {ended:?}"));
        own.ended.notify_one();
        async {}
    });
    let engine = Rulebook::read(door_definition()).module(module).build().unwrap();
    block_on(async {
        {
            let mut sent = pin!(engine.call("door.post").scope(["guest"]).arg("key", 2).send());
            assert!(sent.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
        }
        assert_eq!(result.recorded(), ["begun"]);
        gate.proceed.notify_one();
        tokio::time::timeout(Duration::from_secs(10), gate.ended.notified()).await.unwrap();
        tokio::task::yield_now().await;
    });
    assert_eq!(result.recorded(), ["begun", "ended", "after: Succeeded"]);
}
