//! A worker: a process that handles calls one after the other, or several at the same time, with the pipes to and from
//! it.

use std::ffi::OsStr;
use std::io;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rulebook::RequestId;
use rulebook::handler_kind::{LogLines, printable};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value as Json;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::kind::PoolSettings;
use crate::message::{self, ApiCall, ApiCallRequest, Message};
use crate::once::ErrorLine;
use crate::pool::{Event, Phase, Pool, WorkerFailure, stopped};

/// The time in which a worker that has closed its output should end.
const END_TIMEOUT: Duration = Duration::from_millis(500);

/// A running worker. Its process group is killed when this value is dropped.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    output: WorkerOutput,
    stderr: pipe::Receiver,
    input: Arc<WorkerInput>,
    stderr_lines: LogLines,
    /// The error that the worker has printed before it was ready.
    error_line: ErrorLine,
}

#[derive(Debug)]
pub struct WorkerEnd {
    /// The reason, for the log.
    pub reason: String,
    /// `true` if the worker was ready, and got a call. So its start has not failed, even if the call has ended it.
    pub has_worked: bool,
}

impl Worker {
    /// Fails if the process cannot be started.
    pub fn start(settings: &PoolSettings) -> io::Result<Self> {
        let mut process = spawn(settings, &[])?;
        let missing = || io::Error::other("the process has no pipes");
        let child = &mut process.child;
        let stdin = child.stdin.take().ok_or_else(missing)?.into_owned_fd()?;
        let stdout = child.stdout.take().ok_or_else(missing)?.into_owned_fd()?;
        let stderr = child.stderr.take().ok_or_else(missing)?.into_owned_fd()?;
        // Each call in flight has a message, and may have responses to its API calls.
        let max_pending = settings.max_message.saturating_mul(2 * settings.concurrency);
        Ok(Self {
            input: Arc::new(WorkerInput::new(stdin, max_pending)?),
            output: WorkerOutput::new(pipe::Receiver::from_owned_fd(stdout)?),
            stderr: pipe::Receiver::from_owned_fd(stderr)?,
            stderr_lines: LogLines::default(),
            error_line: ErrorLine::default(),
            process,
        })
    }

    /// Runs until the worker has ended. When the pool stops, the input of the worker is closed, so that it ends.
    pub async fn run(&mut self, pool: &Pool, slot: usize, stop: &mut watch::Receiver<bool>) -> WorkerEnd {
        let mut reason = self.exchange_messages(pool, slot, stop).await;
        pool.set_phase(slot, Phase::Ending);
        self.read_rest(pool, slot);
        self.process.group.kill();
        // The process ends at once, unless the system is waiting for a device.
        let _ = timeout(END_TIMEOUT, self.process.child.wait()).await;
        let (name, id) = (pool.name.as_str(), pool.only_request(slot));
        self.stderr_lines.finish(|line| {
            log_line(name, id.as_ref(), line);
            self.error_line.add(line);
        });
        if !self.output.is_ready
            && let Some(error) = std::mem::take(&mut self.error_line).describe()
        {
            reason = format!("{reason}; {error}");
        }
        self.ended(reason)
    }

    pub fn ended(&self, reason: String) -> WorkerEnd {
        WorkerEnd { reason, has_worked: self.output.is_ready && self.input.has_messages() }
    }

    /// Returns the reason for which the worker has ended, or must be killed.
    async fn exchange_messages(&mut self, pool: &Pool, slot: usize, stop: &mut watch::Receiver<bool>) -> String {
        let settings = &pool.settings;
        let mut limit = std::pin::pin!(sleep_until(Instant::now() + settings.start_timeout));
        let (mut is_stopping, mut has_stderr) = (false, true);
        loop {
            self.output.reserve();
            let Self { process, output, stderr, input, .. } = self;
            let has_limit = is_stopping || !output.is_ready;
            tokio::select! {
                biased;
                () = stopped(stop), if !is_stopping => {
                    is_stopping = true;
                    input.close();
                    limit.as_mut().reset(Instant::now() + settings.stop_timeout);
                }
                status = process.child.wait() => return describe_status(status),
                reason = input.flush() => return reason,
                // This is before the output, because a worker can print all the time.
                () = limit.as_mut(), if has_limit => {
                    let limit = if is_stopping { settings.stop_timeout } else { settings.start_timeout };
                    let state = if is_stopping { "has not ended" } else { "has not sent `ready`" };
                    return format!("it {state} within {limit:?}");
                }
                read = output.pipe.read_buf(&mut output.buffer) => {
                    // Text that the worker has printed before a response still belongs to the call.
                    self.read_stderr(pool, slot, &mut has_stderr);
                    match read {
                        Ok(0) => return self.closed_output().await,
                        Ok(_) => {}
                        Err(error) => return format!("its output cannot be read: {error}"),
                    }
                    if let ControlFlow::Break(reason) = self.handle_lines(pool, slot) {
                        return reason;
                    }
                }
                _ = stderr.readable(), if has_stderr => self.read_stderr(pool, slot, &mut has_stderr),
            }
        }
    }

    /// Returns the reason for the end of a worker that has closed its output.
    async fn closed_output(&mut self) -> String {
        match timeout(END_TIMEOUT, self.process.child.wait()).await {
            Ok(status) => describe_status(status),
            Err(_) => "it has closed its standard output".to_owned(),
        }
    }

    /// Handles what the worker has sent. Processes that it has started can keep its output open, whose end is not
    /// awaited.
    fn read_rest(&mut self, pool: &Pool, slot: usize) {
        let mut remaining = pool.settings.max_message.saturating_add(READ_SIZE);
        loop {
            self.output.reserve();
            self.read_stderr(pool, slot, &mut true);
            let Ok(length @ 1..) = self.output.pipe.try_read_buf(&mut self.output.buffer) else { break };
            remaining = remaining.saturating_sub(length);
            if self.handle_lines(pool, slot).is_break() || remaining == 0 {
                break;
            }
        }
        if !self.output.buffer.is_empty() {
            let rest = std::mem::take(&mut self.output.buffer);
            self.output.log_noise(pool, slot, &rest);
        }
    }

    /// Logs what the worker has written to standard error. Sets `is_open` to `false` at its end.
    fn read_stderr(&mut self, pool: &Pool, slot: usize, is_open: &mut bool) {
        let mut chunk = [0; 8 << 10];
        // A worker that prints all the time must not keep the task from handling messages.
        for _ in 0..8 {
            match self.stderr.try_read(&mut chunk) {
                Ok(0) => {
                    *is_open = false;
                    return;
                }
                Ok(length) => {
                    let (name, id) = (pool.name.as_str(), pool.only_request(slot));
                    self.stderr_lines.add(&chunk[..length], |line| {
                        log_line(name, id.as_ref(), line);
                        if !self.output.is_ready {
                            self.error_line.add(line);
                        }
                    });
                }
                Err(error) => {
                    *is_open = error.kind() == io::ErrorKind::WouldBlock;
                    return;
                }
            }
        }
    }

    /// Handles the complete lines in the buffer. Breaks with the reason if the worker must be killed.
    fn handle_lines(&mut self, pool: &Pool, slot: usize) -> ControlFlow<String> {
        let mut texts = Vec::new();
        let buffer = std::mem::take(&mut self.output.buffer);
        // If a line is too long, the buffer remains empty.
        let (mut start, mut searched) = (0, std::mem::take(&mut self.output.searched));
        while let Some(length) = memchr::memchr(b'\n', &buffer[searched..]) {
            let end = searched + length;
            if end - start > pool.settings.max_message {
                return ControlFlow::Break(too_long(&pool.settings));
            }
            self.handle_line(pool, slot, &buffer[start..end], &mut texts);
            (start, searched) = (end + 1, end + 1);
        }
        self.input.send(&texts);
        self.output.keep(buffer, start);
        if self.output.buffer.len() > pool.settings.max_message {
            return ControlFlow::Break(too_long(&pool.settings));
        }
        ControlFlow::Continue(())
    }

    /// Handles a line, and appends messages for the worker to `texts`.
    fn handle_line(&mut self, pool: &Pool, slot: usize, line: &[u8], texts: &mut Vec<u8>) {
        let (id, event) = match message::read_line(line) {
            Message::Result(id, result) => (id, Event::Result(result.to_owned())),
            Message::Error(id, error) => (id, Event::Error(error.to_owned())),
            Message::Ready(methods) => {
                if !self.output.is_ready {
                    self.output.is_ready = true;
                    pool.report_start(Ok(methods));
                    pool.add_ready(slot, &self.input);
                }
                return;
            }
            Message::Debug => return pool.extend_limits(slot),
            Message::ApiCall(request) => return self.start_api_call(pool, slot, request, texts),
            Message::Rejected(id, code, reason) => {
                return texts.append(&mut message::error_line(&id, code, &reason, &Json::Null));
            }
            Message::Invalid(id, reason) => {
                // Without a readable id, it is the response to the call that the worker handles, if there is only one.
                let Some(id) = id.or_else(|| Some(pool.only_call(slot)?.0)) else {
                    return self.output.log_noise(pool, slot, line);
                };
                (id, Event::Failed(WorkerFailure::Invalid(printable(reason.as_bytes()))))
            }
            Message::Noise => return self.output.log_noise(pool, slot, line),
        };
        if !pool.end_call(slot, id, event, texts) {
            log::warn!("{}: a worker has sent a response to the call {id}, which it does not handle", pool.name);
        }
    }

    /// Passes an API call of the worker to the handler of the call that it serves.
    fn start_api_call(&self, pool: &Pool, slot: usize, request: ApiCallRequest, texts: &mut Vec<u8>) {
        let Some((events, next)) = pool.continue_call(slot, request.serves) else {
            let reason = "`for` is not the id of a call that this worker handles";
            return texts.append(&mut message::error_line(&request.id, message::INVALID_REQUEST, reason, &Json::Null));
        };
        let call = ApiCall { request, input: Arc::clone(&self.input), next };
        // The receiver is dropped if the server no longer needs the result of the call.
        if let Err(Event::ApiCall(call)) = events.send(Event::ApiCall(Box::new(call))) {
            let id = &call.request.id;
            texts.append(&mut message::error_line(id, message::FAILED, "the call has ended", &Json::Null));
        }
    }
}

fn too_long(settings: &PoolSettings) -> String {
    format!("it has sent a line of more than {} bytes, the setting `max_message`", settings.max_message)
}

fn describe_status(status: io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => status.to_string(),
        Err(error) => format!("its exit status cannot be read: {error}"),
    }
}

/// The input of a worker. Any thread can write to it without waiting: what does not fit into the pipe is kept, and
/// written by [`WorkerInput::flush`].
#[derive(Debug)]
pub struct WorkerInput {
    state: Mutex<InputState>,
    /// Wakes [`WorkerInput::flush`].
    changed: Notify,
    /// The maximum number of bytes that are kept.
    max_pending: usize,
}

#[derive(Debug)]
struct InputState {
    /// `None` if the input is closed.
    pipe: Option<Arc<pipe::Sender>>,
    /// The bytes that did not fit into the pipe.
    pending: Vec<u8>,
    /// The number of bytes in `pending` that were written since.
    written: usize,
    /// The reason why the worker must be killed.
    failure: Option<String>,
    /// `true` if the worker was sent a message.
    has_messages: bool,
}

impl WorkerInput {
    /// Fails if the descriptor cannot be used without blocking.
    pub fn new(fd: OwnedFd, max_pending: usize) -> io::Result<Self> {
        let pipe = Some(Arc::new(pipe::Sender::from_owned_fd(fd)?));
        let state = InputState { pipe, pending: Vec::new(), written: 0, failure: None, has_messages: false };
        Ok(Self { state: Mutex::new(state), changed: Notify::new(), max_pending })
    }

    /// Writes messages. If the worker cannot receive them, it fails, and so do its calls.
    pub fn send(&self, text: &[u8]) {
        if text.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.has_messages = true;
        let Some(pipe) = &state.pipe else { return };
        let written = if state.pending.is_empty() { write(pipe, text) } else { Ok(0) };
        match written {
            Ok(length) if length == text.len() => return,
            Ok(length) if state.pending.len() - state.written + text.len() - length <= self.max_pending => {
                state.pending.extend_from_slice(&text[length..]);
            }
            Ok(_) => state.set_failure("it does not read its input"),
            Err(error) => state.set_failure(&format!("its input cannot be written: {error}")),
        }
        drop(state);
        self.changed.notify_one();
    }

    /// Returns `true` if the worker was sent a message: a call, because this is the first one.
    pub fn has_messages(&self) -> bool {
        self.lock().has_messages
    }

    /// Makes [`WorkerInput::flush`] return this reason.
    pub fn fail(&self, reason: &str) {
        self.lock().set_failure(reason);
        self.changed.notify_one();
    }

    /// Closes the input, so that the worker sees its end.
    pub fn close(&self) {
        let mut state = self.lock();
        state.pipe = None;
        (state.pending, state.written) = (Vec::new(), 0);
    }

    /// Writes what did not fit into the pipe. Returns only if the worker must be killed, with the reason.
    pub async fn flush(&self) -> String {
        loop {
            let pipe = {
                let state = self.lock();
                if let Some(reason) = &state.failure {
                    return reason.clone();
                }
                state.pipe.as_ref().filter(|_| !state.pending.is_empty()).cloned()
            };
            match pipe {
                None => self.changed.notified().await,
                Some(pipe) => {
                    let written = match pipe.writable().await {
                        Ok(()) => self.write_pending(),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = written {
                        return format!("its input cannot be written: {error}");
                    }
                }
            }
        }
    }

    fn write_pending(&self) -> io::Result<()> {
        let mut state = self.lock();
        let Some(pipe) = &state.pipe else { return Ok(()) };
        state.written += write(pipe, &state.pending[state.written..])?;
        if state.written == state.pending.len() {
            // A large message should not keep its memory.
            (state.pending, state.written) = (Vec::new(), 0);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, InputState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InputState {
    fn set_failure(&mut self, reason: &str) {
        self.failure.get_or_insert_with(|| reason.to_owned());
    }
}

/// Writes as much as fits into the pipe, and returns the number of bytes.
fn write(pipe: &pipe::Sender, text: &[u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < text.len() {
        match pipe.try_write(&text[length..]) {
            Ok(written) => length += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

const READ_SIZE: usize = 64 << 10;
/// The memory in bytes that is kept for lines of a worker. Longer lines need more, which is freed afterwards.
const KEPT_SIZE: usize = 256 << 10;
/// The number of lines that are not messages and are logged. Of further ones, only one in a thousand is.
const MAX_LOGGED_NOISE: u64 = 100;

/// The standard output of a worker.
#[derive(Debug)]
struct WorkerOutput {
    pub pipe: pipe::Receiver,
    pub buffer: Vec<u8>,
    /// The number of bytes at the beginning of the buffer that contain no line break.
    pub searched: usize,
    pub is_ready: bool,
    noise_lines: u64,
}

impl WorkerOutput {
    pub fn new(pipe: pipe::Receiver) -> Self {
        Self { pipe, buffer: Vec::new(), searched: 0, is_ready: false, noise_lines: 0 }
    }

    pub fn reserve(&mut self) {
        if self.buffer.capacity() - self.buffer.len() < READ_SIZE / 4 {
            self.buffer.reserve(READ_SIZE);
        }
    }

    /// Keeps the bytes from `start`, which contain no line break.
    pub fn keep(&mut self, mut buffer: Vec<u8>, start: usize) {
        if buffer.len() - start < KEPT_SIZE && buffer.capacity() > 2 * KEPT_SIZE {
            buffer = buffer[start..].to_vec();
        } else {
            buffer.drain(..start);
        }
        self.searched = buffer.len();
        self.buffer = buffer;
    }

    pub fn log_noise(&mut self, pool: &Pool, slot: usize, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        self.noise_lines += 1;
        if self.noise_lines <= MAX_LOGGED_NOISE || self.noise_lines.is_multiple_of(1_000) {
            let text = format!("not a message: {}", printable(line));
            log_line(pool.name.as_str(), pool.only_request(slot).as_ref(), &text);
        }
    }
}

/// Writes a line of a worker to the log, with the id of the request that the worker handles.
pub fn log_line(name: &str, request_id: Option<&RequestId>, line: &str) {
    match request_id {
        Some(request_id) => log::info!(request_id:%; "{request_id}: {name}: {line}"),
        None => log::info!("{name}: {line}"),
    }
}

/// The prefix of the names of rulebook's environment variables, some of which are secrets.
const RULEBOOK_PREFIX: &str = "RULEBOOK_";
/// The environment variables with the trace of the program that has started the server. The calls that a process
/// handles do not belong to this trace.
const TRACE_VARIABLES: [&str; 2] = ["TRACEPARENT", "TRACESTATE"];

/// A process and its process group: the processes that it starts belong to the group, unless they leave it.
#[derive(Debug)]
pub struct Process {
    pub child: Child,
    pub group: ProcessGroup,
}

/// A process group, which is killed when this value is dropped.
#[derive(Debug)]
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    pub fn kill(&self) {
        if let Some(group) = self.0 {
            // It fails if all processes of the group have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the program in a separate process group. Fails if the program or the working directory does not exist.
pub fn spawn(settings: &PoolSettings, variables: &[(&str, String)]) -> io::Result<Process> {
    let Some((program, arguments)) = settings.command.split_first() else {
        return Err(io::Error::other("the command is empty"));
    };
    check_directory(&settings.directory)?;
    let mut command = Command::new(program_path(program, &settings.directory)?);
    command.args(arguments).current_dir(&settings.directory);
    for (name, _) in std::env::vars_os() {
        if !is_inherited(&name) {
            command.env_remove(name);
        }
    }
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.envs(settings.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.process_group(0).kill_on_drop(true).spawn()?;
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    Ok(Process { child, group: ProcessGroup(group) })
}

/// Fails if the program or the working directory does not exist, or the program cannot be executed.
pub fn check_program(settings: &PoolSettings) -> io::Result<()> {
    check_directory(&settings.directory)?;
    let program = settings.command.first().map_or("", String::as_str);
    let path = program_path(program, &settings.directory)?;
    let is_found = if program.contains('/') {
        is_executable(&path)
    } else {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&folders).any(|folder| is_executable(&folder.join(program)))
    };
    if is_found { Ok(()) } else { Err(io::Error::new(io::ErrorKind::NotFound, "there is no such program")) }
}

/// Returns `true` if the program of a pool, which the system finds by its name, is not installed.
pub fn is_program_missing(settings: &PoolSettings) -> bool {
    let is_name = settings.command.first().is_some_and(|program| !program.contains('/'));
    is_name && check_program(settings).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn check_directory(directory: &Path) -> io::Result<()> {
    let is_directory = std::fs::metadata(directory).is_ok_and(|metadata| metadata.is_dir());
    let missing = || io::Error::other(format!("the directory {} does not exist", directory.display()));
    if is_directory { Ok(()) } else { Err(missing()) }
}

/// A path with a slash is relative to the working directory of the processes; the system finds others by name.
fn program_path(program: &str, directory: &Path) -> io::Result<PathBuf> {
    if program.contains('/') { std::path::absolute(directory.join(program)) } else { Ok(PathBuf::from(program)) }
}

fn is_executable(path: &Path) -> bool {
    let is_program = |metadata: std::fs::Metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0;
    std::fs::metadata(path).is_ok_and(is_program)
}

/// Returns `true` if processes have the environment variable with this name if the server has it.
fn is_inherited(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(RULEBOOK_PREFIX.as_bytes())
        && !TRACE_VARIABLES.iter().any(|variable| name == *variable)
}
