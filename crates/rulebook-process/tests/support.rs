//! An API with workers in Python, in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rulebook::trace::{Span, TraceExporter};
use rulebook::{Engine, Response, Rulebook};
use rulebook_process::ProcessKind;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

/// The maximum time for a condition to become true.
const LIMIT: Duration = Duration::from_secs(60);

/// Does not keep the spans of traces.
pub struct NoSpans;

impl TraceExporter for NoSpans {
    fn export(&self, _: Span) {}
}

/// The beginning of a worker that speaks the protocol itself. It writes its process id to the folder `pids`.
pub const PROTOCOL: &str = r#"
import json, os, signal, subprocess, sys, time
os.makedirs("pids", exist_ok=True)
open(f"pids/{os.getpid()}", "w").close()
def write(text):
    sys.stdout.write(text)
    sys.stdout.flush()
def send(**message):
    write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
def calls():
    for line in sys.stdin:
        message = json.loads(line)
        arguments = message["params"]["arguments"]
        yield message["id"], arguments.get("what"), arguments.get("value"), message
"#;

/// A worker that sends `ready`, and returns `value` and its process id for each call, unless `what` is in `branches`:
/// the branches of an `if` statement, which can use `id`, `what`, `value` and `message`.
pub fn worker(branches: &str) -> String {
    let branches: Vec<_> = branches.trim().lines().map(|line| format!("    {line}\n")).collect();
    let branches = branches.concat();
    format!(
        "{PROTOCOL}\nsend(method='ready')\nfor id, what, value, message in calls():\n{branches}    \
         send(id=id, result={{'value': value, 'pid': os.getpid()}})\n"
    )
}

/// A worker without branches.
pub fn echo_worker() -> String {
    worker("")
}

/// An API in a temporary folder, which is the working directory of its workers.
pub struct Api {
    pub folder: TempDir,
    app: Json,
    /// The handler of `other.get`, if it is not the default.
    other_handler: Option<Json>,
}

impl Api {
    /// Creates an API whose workers run this Python program. `settings` are shared by all handlers.
    pub fn new(program: &str, settings: Json) -> Self {
        Self::with_command(&json!(["python3", "handlers.py"]), program, settings)
    }

    /// Creates an API whose workers have a command. `program` is the file `handlers.py`.
    pub fn with_command(command: &Json, program: &str, mut settings: Json) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("handlers.py"), program).unwrap();
        settings["directory"] = json!(folder.path());
        if settings.get("workers").is_none() {
            settings["workers"] = json!(1);
        }
        let app = json!({ "handlers": { "default": { "process": command }, "process": settings } });
        Self { folder, app, other_handler: None }
    }

    /// Adds a variable of the environment of the workers.
    pub fn environment(mut self, name: &str, value: &Path) -> Self {
        self.app["handlers"]["process"]["environment"][name] = json!(value);
        self
    }

    /// Sets another time limit for the method `other.get`, in seconds.
    pub fn other_timeout(self, seconds: u32) -> Self {
        self.other_settings(json!({ "timeout": seconds }))
    }

    /// Gives the method `other.get` a handler with the same command, and these settings.
    pub fn other_settings(mut self, mut settings: Json) -> Self {
        settings["process"] = self.app["handlers"]["default"]["process"].clone();
        self.other_handler = Some(settings);
        self
    }

    pub fn rulebook(&self) -> Rulebook {
        let files = vec![
            (PathBuf::from("app.json"), self.app.to_string().into_bytes()),
            (PathBuf::from("act.json"), definition(self.other_handler.as_ref()).to_string().into_bytes()),
        ];
        Rulebook::read(files).data_folder(self.folder.path().join("data")).handler_kind(ProcessKind::new())
    }

    pub fn engine(&self) -> Engine {
        self.rulebook().build().unwrap()
    }

    /// Returns the process ids of the workers that have started.
    pub fn workers(&self) -> Vec<i32> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("pids")) else { return Vec::new() };
        entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok()).collect()
    }

    /// Returns the process ids of the workers that run.
    pub fn running_workers(&self) -> Vec<i32> {
        self.workers().into_iter().filter(|pid| is_running(*pid)).collect()
    }
}

/// The methods `act.get`, `other.get`, `upload.post` and `file.get`.
fn definition(other_handler: Option<&Json>) -> Json {
    let value = json!({ "info": "A value", "type": "?any" });
    let act = json!({
        "info": "Does something",
        "in": {
            "GET@what": { "info": "What", "type": "?string", "name": "what" },
            "GET@value": { "info": "A value", "type": "?any", "name": "value" }
        },
        "out": { "value": value, "pid": { "info": "The process id", "type": "?int" } },
        "errors": { "not_found": { "status": 404, "info": "There is no such thing" } }
    });
    let mut other = act.clone();
    other["scope"] = json!([["reader"]]);
    if let Some(handler) = other_handler {
        other["handler"] = handler.clone();
    }
    json!({ "/": {
        "act": { "GET": act },
        "other": { "GET": other },
        "upload": { "POST": {
            "info": "Receives a file",
            "in": { "file": { "info": "A file", "type": "file" } },
            "out": { "value": value, "pid": { "info": "The process id", "type": "?int" } }
        } },
        "file": { "GET": {
            "info": "Returns a file",
            "in": { "GET@what": { "info": "What", "type": "string", "name": "what" } },
            "options": { "download": true }
        } }
    } })
}

/// Calls `act.get`.
pub async fn act(engine: &Engine, what: &str, value: impl Into<Json>) -> Response {
    engine.call("act.get").arg("what", what).arg("value", value).send().await
}

/// Returns the status and the reason for the log of a call of `act.get`.
pub async fn failed_act(engine: &Engine, what: &str) -> (u16, String) {
    let response = act(engine, what, 1).await;
    (response.status(), response.error().and_then(|error| error.log()).unwrap_or_default().to_owned())
}

/// Returns `true` if there is a process with this id that has not ended.
pub fn is_running(pid: i32) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().unwrap().trim_start().starts_with(['Z', 'X'])
}

/// Waits until a condition is true.
#[track_caller]
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Returns the command that runs an ignored test of this program in another process.
pub fn ignored_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--ignored", "--nocapture"]);
    command
}

/// Returns the folder with the library for Python.
pub fn python_library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/python").canonicalize().unwrap()
}
