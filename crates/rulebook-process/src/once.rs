//! Processes that handle a single call: the arguments are their standard input, and the outputs their standard output.
//! The last line on standard error can name the error with which a program ended.

use std::io;
use std::panic::AssertUnwindSafe;
use std::process::ExitStatus;
use std::sync::Arc;

use futures_util::FutureExt;
use rulebook::handler_kind::{HandlerError, LogLines};
use rulebook::{Context, RequestId};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::message::FAILED;
use crate::pool::{Event, Job, Pool, WorkerFailure, stopped};
use crate::worker::{self, Process, log_line};

/// The environment variable with the id of the method.
const METHOD_VARIABLE: &str = "RULEBOOK_METHOD";
/// The environment variable with the id of the request, if the call comes from a request.
const REQUEST_ID_VARIABLE: &str = "RULEBOOK_REQUEST_ID";
/// The environment variable with the caller as JSON, unless the caller is anonymous.
const IDENTITY_VARIABLE: &str = "RULEBOOK_IDENTITY";
/// The environment variable with the span of the call, if its request has a trace. OpenTelemetry gives it this name.
pub const TRACEPARENT_VARIABLE: &str = "TRACEPARENT";

/// The output of a process that has ended with an error.
#[derive(Deserialize)]
struct ErrorOutput {
    error: Json,
}

/// Returns the environment variables that describe a call, except its span.
pub fn variables(method: &str, context: &Context) -> serde_json::Result<Vec<(&'static str, String)>> {
    let mut variables = vec![(METHOD_VARIABLE, method.to_owned())];
    variables.extend(context.request_id().map(|id| (REQUEST_ID_VARIABLE, id.to_string())));
    if let Some(identity) = context.identity() {
        variables.push((IDENTITY_VARIABLE, serde_json::to_string(identity)?));
    }
    Ok(variables)
}

pub fn check_program(pool: &Pool) -> Vec<HandlerError> {
    let checked = worker::check_program(&pool.settings);
    checked.err().map(|error| pool.error(&error.to_string())).into_iter().collect()
}

/// Starts a process for each call, until the pool stops. The processes that run then have the time limit of the stop.
pub async fn run_jobs(pool: Arc<Pool>, mut stop: watch::Receiver<bool>) {
    let mut jobs = JoinSet::new();
    loop {
        while let Some(job) = pool.start_job() {
            let pool = Arc::clone(&pool);
            jobs.spawn(async move {
                run_job(&pool, job).await;
                pool.end_job();
            });
        }
        tokio::select! {
            () = pool.waiting_jobs.notified() => {}
            // Removes the tasks that have ended.
            Some(_) = jobs.join_next(), if !jobs.is_empty() => {}
            () = stopped(&mut stop) => break,
        }
    }
    pool.stop();
    let ended = async { while jobs.join_next().await.is_some() {} };
    let _ = timeout(pool.settings.stop_timeout, ended).await;
    // Dropping the remaining tasks kills their processes.
}

async fn run_job(pool: &Pool, job: Job) {
    let Job { text, variables, timeout: limit, request_id, uploads, events, .. } = job;
    let running = run_process(pool, &variables, &text, request_id.as_ref());
    // A logger of the program can panic.
    let event = match timeout(limit, AssertUnwindSafe(running).catch_unwind()).await {
        Ok(Ok(Ok(event))) => event,
        Ok(Ok(Err(error))) => Event::Failed(WorkerFailure::Ended(format!("the process failed: {error}"))),
        Ok(Err(_)) => Event::Failed(WorkerFailure::Ended("the process was killed: its task panicked".to_owned())),
        Err(_) => Event::Failed(WorkerFailure::Late(limit)),
    };
    // The receiver is dropped if the server no longer needs the result.
    let _ = events.send(event);
    drop(uploads);
}

/// Runs a process for one call. Its process group is killed when the future is dropped.
async fn run_process(
    pool: &Pool,
    variables: &[(&str, String)],
    arguments: &[u8],
    request_id: Option<&RequestId>,
) -> io::Result<Event> {
    let Process { mut child, group } = worker::spawn(&pool.settings, variables)?;
    let missing = || io::Error::other("it has no pipes");
    let mut stdin = child.stdin.take().ok_or_else(missing)?;
    let stdout = child.stdout.take().ok_or_else(missing)?;
    let stderr = child.stderr.take().ok_or_else(missing)?;
    let max_output = pool.settings.max_message;
    let writing = async move {
        match stdin.write_all(arguments).await {
            // A program need not read its arguments.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    };
    let reading = async {
        let mut output = Vec::new();
        stdout.take(max_output as u64 + 1).read_to_end(&mut output).await?;
        if output.len() > max_output {
            // The process could wait forever for the rest to be read.
            group.kill();
        }
        Ok::<_, io::Error>(output)
    };
    let waiting = async {
        let status = child.wait().await;
        // Processes that the process has started must not keep its output open.
        group.kill();
        status
    };
    let (written, output, status, ()) = tokio::join!(writing, reading, waiting, log_lines(stderr, pool, request_id));
    let (output, status) = (output?, status?);
    written?;
    if output.len() > max_output {
        return Err(io::Error::other(format!(
            "its output is longer than {max_output} bytes, the setting `max_message`"
        )));
    }
    read_output(&output, status)
}

fn read_output(output: &[u8], status: ExitStatus) -> io::Result<Event> {
    if !status.success() {
        let error = serde_json::from_slice::<ErrorOutput>(output).map_err(|_| io::Error::other(status.to_string()))?;
        let error = json!({ "code": FAILED, "message": status.to_string(), "data": error.error });
        return Ok(Event::Error(serde_json::value::to_raw_value(&error)?));
    }
    let text = if output.trim_ascii().is_empty() { b"null" } else { output };
    let outputs: Box<RawValue> = serde_json::from_slice(text)
        .map_err(|error| io::Error::other(format!("its standard output is not a JSON value: {error}")))?;
    Ok(Event::Result(outputs))
}

/// Logs what a process writes to standard error.
async fn log_lines(mut stderr: impl AsyncRead + Unpin, pool: &Pool, request_id: Option<&RequestId>) {
    let (name, mut lines, mut chunk) = (pool.name.as_str(), LogLines::default(), [0; 4 << 10]);
    while let Ok(length @ 1..) = stderr.read(&mut chunk).await {
        lines.add(&chunk[..length], |line| log_line(name, request_id, line));
    }
    lines.finish(|line| log_line(name, request_id, line));
}

/// Chooses the line that names an error. Python writes it after the stack, Node and PHP before it.
#[derive(Debug, Default)]
pub struct ErrorLine {
    /// The last line that names an error, and its place.
    found: Option<(String, Option<String>)>,
    /// The last place before the next line that names an error.
    place: Option<String>,
    /// `true` if the next line that is not indented names the error: after carets below the code, or lines of a stack
    /// in Python.
    is_marked: bool,
    last: String,
}

impl ErrorLine {
    pub fn add(&mut self, line: &str) {
        line.clone_into(&mut self.last);
        if !line.contains(char::is_alphanumeric) {
            self.is_marked |= line.contains('^');
            return;
        }
        let place = place(line);
        if line.starts_with(char::is_whitespace) || place.is_some() {
            self.place = place.or(self.place.take());
            self.is_marked |= python_frame(line).is_some();
            if let Some((_, found_place @ None)) = &mut self.found {
                found_place.clone_from(&self.place);
            }
        } else if std::mem::take(&mut self.is_marked) || names_error(line) {
            self.found = Some((line.to_owned(), self.place.take()));
        }
    }

    /// Describes the error: the line that names it, or else the last line.
    pub fn describe(self) -> Option<String> {
        match self.found {
            Some((line, Some(place))) if !line.contains(&place) => Some(format!("its error: {line} ({place})")),
            Some((line, _)) => Some(format!("its error: {line}")),
            None => (!self.last.is_empty()).then(|| format!("its last line on standard error: {}", self.last)),
        }
    }
}

/// Returns `true` if a line begins with the name of an error and a colon, such as `TypeError: `, `Error [CODE]: ` or
/// `PHP Fatal error:  `.
fn names_error(line: &str) -> bool {
    let names_error = |name: &str| ["Error", "Exception", " error"].iter().any(|word| name.contains(word));
    line.split_once(": ").is_some_and(|(name, _)| names_error(name))
}

/// Returns the place of the code that a line of a stack names, such as `/srv/handlers.mjs:12`. The line is
/// `  File "…", line 12`, `    at name (file:///…:12:5)` or `file:///…:12`.
fn place(line: &str) -> Option<String> {
    if let Some((path, rest)) = python_frame(line) {
        return Some(format!("{path}:{}", rest.split(',').next().unwrap_or_default()));
    }
    let address = match line.trim_start().strip_prefix("at ") {
        // The column follows the line.
        Some(frame) => frame.rsplit(" (").next()?.rsplit_once(':')?.0,
        None => line,
    };
    let address = address.trim_start_matches("async ").trim_start_matches("file://");
    let (path, number) = address.rsplit_once(':')?;
    (path.starts_with('/') && number.parse::<u32>().is_ok()).then(|| address.to_owned())
}

/// Returns the path, and the number of the line with what follows it, in a line of a stack in Python.
fn python_frame(line: &str) -> Option<(&str, &str)> {
    line.trim_start().strip_prefix("File \"")?.split_once("\", line ")
}
