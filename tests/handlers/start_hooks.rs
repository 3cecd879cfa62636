//! Tests start hooks, which programs run before the first request: when they run, which state they create, and what
//! happens when one of them fails.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rulebook::{ApiError, Args, Context, Module, Rulebook, Settings, Unbound};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{block_on, files};
use crate::client::{Connection, Request};

/// The state that a start hook creates, and that the handler returns.
struct Motto(String);

async fn return_motto(_: Args<()>, context: Context) -> Result<Json, ApiError> {
    let motto = context.state::<Motto>().ok_or_else(|| ApiError::internal("no motto"))?;
    Ok(json!({ "motto": motto.0 }))
}

fn motto_rulebook(folder: &Path) -> Rulebook {
    let definition = files("site", &json!({ "/": { "motto": { "GET": { "info": "The motto" } } } }));
    Rulebook::read(definition)
        .module(Module::new("site").get("/motto", return_motto))
        .data_folder(folder.join("own/data"))
}

fn settings() -> Settings {
    Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1)
}

#[test]
fn start_hooks_run_once_before_the_first_request() {
    let folder = TempDir::new().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let (first, second) = (Arc::clone(&runs), Arc::clone(&runs));
    let rulebook = motto_rulebook(folder.path())
        .state(7_u32)
        .on_start(|start| async move {
            assert_eq!(first.fetch_add(1, Ordering::SeqCst), 0);
            tokio::time::sleep(Duration::from_millis(20)).await;
            fs::write(start.data_folder().join("motto.txt"), "Write it once")?;
            start.insert_state(Motto("replaced".to_owned()));
            Ok(())
        })
        .on_start(|start| async move {
            assert_eq!(second.fetch_add(1, Ordering::SeqCst), 1);
            assert_eq!(start.state::<Motto>().ok_or("no motto")?.0, "replaced");
            let text = fs::read_to_string(start.data_folder().join("motto.txt"))?;
            let number = start.state::<u32>().ok_or("no number")?;
            start.insert_state(Motto(format!("{text}, {number}")));
            Ok(())
        });
    let engine = rulebook.build().unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 0, "to build an engine is not to start it");
    assert!(!folder.path().join("own").exists());
    for _ in 0..2 {
        let response = block_on(engine.call("motto.get").send());
        assert_eq!(response.outputs().unwrap(), json!({ "motto": "Write it once, 7" }));
    }
    // A server can also be started inside of an async runtime.
    let running = block_on(async { engine.serve(&settings()).unwrap() });
    let response = Connection::open(running.addresses()[0]).send(&Request::new("GET", "/motto"));
    assert_eq!(response.status, 200, "{response:?}");
    engine.start().unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[test]
fn a_failed_start_hook_prevents_the_start_of_the_engine() {
    let folder = TempDir::new().unwrap();
    let later = Arc::new(AtomicUsize::new(0));
    for (panics, expected) in [(false, "the disk is gone"), (true, "a start hook panicked")] {
        let result = Arc::clone(&later);
        let rulebook = motto_rulebook(folder.path())
            .on_start(move |_| async move {
                assert!(!panics, "on purpose");
                Err("the disk is gone".into())
            })
            .on_start(move |_| async move {
                result.fetch_add(1, Ordering::SeqCst);
                Ok(())
            });
        let engine = rulebook.build().unwrap();
        let expected = format!("the program cannot start: {expected}");
        assert_eq!(engine.serve(&settings()).unwrap_err().to_string(), expected);
        assert_eq!(engine.start().unwrap_err().to_string(), expected);
        let response = block_on(engine.call("motto.get").send());
        let error = response.error().unwrap();
        assert_eq!((error.status().get(), error.log()), (503, Some(&*expected)));
    }
    assert_eq!(later.load(Ordering::SeqCst), 0, "the next hook does not run");
}

#[test]
fn a_data_folder_that_cannot_be_created_is_reported() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("own"), "a file").unwrap();
    let engine = motto_rulebook(folder.path()).on_start(|_| async { Ok(()) }).build().unwrap();
    let error = engine.start().unwrap_err().to_string();
    let path = folder.path().join("own/data");
    let expected = format!("the program cannot start: the data folder {} cannot be created: ", path.display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn tasks_that_a_start_hook_spawns_run_as_long_as_the_api_is_served() {
    let folder = TempDir::new().unwrap();
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<tokio::sync::oneshot::Sender<&'static str>>(1);
    let rulebook = motto_rulebook(folder.path()).on_start(move |start| async move {
        tokio::spawn(async move {
            while let Some(reply) = receiver.recv().await {
                let _ = reply.send("from the task");
            }
        });
        start.insert_state(Motto(String::new()));
        Ok(())
    });
    let running = rulebook.build().unwrap().serve(&settings()).unwrap();
    let fetch = || {
        let (reply, response) = tokio::sync::oneshot::channel();
        block_on(async { if sender.send(reply).await.is_ok() { response.await.ok() } else { None } })
    };
    assert_eq!(fetch(), Some("from the task"), "the engine has been dropped, but it is served");
    drop(running);
    let ended = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        fetch().is_none()
    });
    assert!(ended, "the runtime of the hooks ends with the last hold on the plan");
}

#[test]
fn start_hooks_do_not_run_if_no_handlers_are_used() {
    let folder = TempDir::new().unwrap();
    let failing = || motto_rulebook(folder.path()).on_start(|_| async { Err("it ran".into()) });
    failing().check().unwrap();
    let echo = failing().unbound(Unbound::Echo).build().unwrap();
    echo.start().unwrap();
    assert!(block_on(echo.call("motto.get").send()).outputs().is_ok());
    assert!(!folder.path().join("own").exists());
}
