//! A worker: a process that handles calls one after the other, or several at the same time.

use std::io;
use std::ops::ControlFlow;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rulebook::handler_kind::{LogLines, printable};
use serde_json::Value as Json;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::command::{self, Process};
use crate::error_line::ErrorLine;
use crate::message::{self, ApiCall, ApiCallRequest, Message};
use crate::pool::Pool;
use crate::pool_state::{Event, Phase, WorkerFailure};
use crate::settings::PoolSettings;
use crate::supervisor::stopped;
use crate::worker_input::WorkerInput;
use crate::worker_output::{READ_SIZE, WorkerOutput, log_line};

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

/// How a worker has ended.
#[derive(Debug)]
pub struct WorkerEnd {
    /// The reason, for the log.
    pub reason: String,
    /// `true` if the worker was ready, and got a call. So its start has not failed, even if the call has ended it.
    pub has_worked: bool,
}

impl Worker {
    /// Starts the process of a worker.
    /// Fails if the process cannot be started.
    pub fn start(settings: &PoolSettings) -> io::Result<Self> {
        let mut process = command::spawn(settings, &[])?;
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

    /// Exchanges messages with the worker until it has ended. When the pool stops, the input of the worker is closed,
    /// so that it ends.
    pub async fn run(&mut self, pool: &Pool, slot: usize, stop: &mut watch::Receiver<bool>) -> WorkerEnd {
        let mut reason = self.exchange_messages(pool, slot, stop).await;
        pool.set_phase(slot, Phase::Ending);
        self.read_rest(pool, slot);
        self.process.group.kill();
        // The process ends at once, unless the system is waiting for a device.
        let _ = timeout(END_TIMEOUT, self.process.child.wait()).await;
        let (name, id) = (pool.name(), pool.only_request(slot));
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

    /// Returns how the worker has ended.
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

    /// Handles the messages that the worker has sent before its end. Processes that the worker has started can have
    /// its output, so that the end of the output is not awaited.
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
                    let (name, id) = (pool.name(), pool.only_request(slot));
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
                    pool.start.report(Ok(methods));
                    pool.add_ready(slot, &self.input);
                }
                return;
            }
            Message::Debug => {
                pool.extend_limits(slot);
                return;
            }
            Message::ApiCall(request) => {
                self.start_api_call(pool, slot, request, texts);
                return;
            }
            Message::Rejected(id, code, reason) => {
                texts.append(&mut message::error_line(&id, code, &reason, &Json::Null));
                return;
            }
            Message::Invalid(id, reason) => {
                // Without a readable id, it is the response to the call that the worker handles, if there is only one.
                let Some(id) = id.or_else(|| Some(pool.only_call(slot)?.0)) else {
                    self.output.log_noise(pool, slot, line);
                    return;
                };
                (id, Event::Failed(WorkerFailure::Invalid(printable(reason.as_bytes()))))
            }
            Message::Noise => {
                self.output.log_noise(pool, slot, line);
                return;
            }
        };
        if !pool.end_call(slot, id, event, texts) {
            log::warn!("{}: a worker has sent a response to the call {id}, which it does not handle", pool.name());
        }
    }

    /// Passes an API call of the worker to the handler of the call that it serves.
    fn start_api_call(&self, pool: &Pool, slot: usize, request: ApiCallRequest, texts: &mut Vec<u8>) {
        let Some((events, next)) = pool.continue_call(slot, request.serves) else {
            let reason = "`for` is not the id of a call that this worker handles";
            texts.append(&mut message::error_line(&request.id, message::INVALID_REQUEST, reason, &Json::Null));
            return;
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
