//! The kind of handler `fastcgi`, and its handlers of methods, which call PHP and read its response.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rulebook::handler_kind::{
    ArgumentSlots, BodyAccess, CompiledHandler, HandledMethod, HandlerError, HandlerFuture, HandlerKind, OutputsCheck,
    ReadinessCheck, ReturnedValue, SettingsReader, StartFuture,
};
use rulebook::http::Method;
use rulebook::model::Span;
use rulebook::trace::{OpenSpan, SpanKind};
use rulebook::{ApiError, Context};
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

use crate::protocol::{Connection, Exchange, Pool, StderrLog};
use crate::request::PhpRequest;
use crate::response::{self, ReceivedBody, ReceivedFile, ResponseHead};
use crate::settings::{
    self, Address, ArgumentNotation, HandlerSettings, KIND, NAMES, ReadSettings, Responses, pool_limits,
};

/// The PHP script that calls classes of api 3.0.
const BRIDGE: &str = include_str!("bridge.php");
/// The name of its file in the data folder.
const BRIDGE_FILE: &str = "fastcgi-api3.php";

/// The maximum time in which a server must accept the connection of a readiness check.
const READINESS_TIMEOUT: Duration = Duration::from_secs(5);

/// The kind of handler `fastcgi`, which calls PHP.
///
/// ```
/// use rulebook::Rulebook;
/// use rulebook_fastcgi::FastCgiKind;
///
/// let definition = r#"{ "/": { "song": { "GET": {
///     "info": "A song",
///     "out": { "text": { "info": "Its text", "type": "string" } },
///     "handler": { "fastcgi": "127.0.0.1:9000", "script": "/srv/app/song.php" }
/// } } } }"#;
/// let rulebook = Rulebook::read(vec![("song.json".into(), definition.into())]).handler_kind(FastCgiKind::new());
/// assert!(rulebook.build().is_ok());
/// ```
#[derive(Default)]
pub struct FastCgiKind {
    pools: Mutex<BTreeMap<Address, Arc<Pool>>>,
    /// The path of the bridge, which is known after the start.
    bridge: Arc<OnceLock<PathBuf>>,
    needs_bridge: AtomicBool,
    /// The files that must exist on this machine, with the settings that name them.
    files: Mutex<BTreeMap<String, Span>>,
}

impl FastCgiKind {
    /// Creates the kind, for [`Rulebook::handler_kind`](rulebook::Rulebook::handler_kind).
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl HandlerKind for FastCgiKind {
    fn name(&self) -> &str {
        KIND
    }

    fn settings(&self) -> &[&str] {
        NAMES.handler
    }

    fn compile(&self, method: &HandledMethod<'_>) -> Result<Arc<dyn CompiledHandler>, Vec<HandlerError>> {
        let mut reader = SettingsReader::new(*method, KIND, &NAMES);
        let limits = pool_limits(&mut reader);
        let Some(ReadSettings { settings, address, files }) = settings::read(&mut reader) else {
            return Err(reader.errors);
        };
        lock(&self.files).extend(files);
        if settings.script.is_none() {
            self.needs_bridge.store(true, Ordering::Relaxed);
        }
        let pool =
            Arc::clone(lock(&self.pools).entry(address).or_insert_with_key(|key| Pool::new(key.clone(), limits)));
        Ok(Arc::new(FastCgiHandler { settings: Arc::new(settings), pool, bridge: Arc::clone(&self.bridge) }))
    }

    fn readiness_checks(&self) -> Vec<ReadinessCheck> {
        let pools = lock(&self.pools);
        let check = |(index, pool): (usize, &Arc<Pool>)| {
            // Everyone can read the names of checks, so that they contain no address.
            let name = if index == 0 { KIND.to_owned() } else { format!("{KIND}-{}", index + 1) };
            let address = pool.address.clone();
            ReadinessCheck::new(name, move || check_address(address.clone()))
        };
        pools.values().enumerate().map(check).collect()
    }

    fn start<'a>(&'a self, data_folder: &'a Path) -> StartFuture<'a> {
        Box::pin(async move {
            let mut errors = Vec::new();
            let files = lock(&self.files).clone();
            for (file, span) in files {
                // A file that PHP may read, and this program may not, is not an error.
                let found = tokio::fs::metadata(&file).await;
                if found.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                    let error = HandlerError::new(format!("there is no file {file}")).at(span);
                    errors.push(error.help(
                        "correct the path; if PHP runs in another container with other paths, set `local_files` to false",
                    ));
                }
            }
            if self.needs_bridge.load(Ordering::Relaxed) {
                match write_bridge(data_folder).await {
                    Ok(path) => drop(self.bridge.set(path)),
                    Err(error) => errors.push(HandlerError::new(format!(
                        "the bridge to classes of api 3.0 cannot be written to {}: {error}",
                        data_folder.display()
                    ))),
                }
            }
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        })
    }
}

/// Writes the bridge to the data folder, unless it is there. Other programs never see a part of the file.
async fn write_bridge(data_folder: &Path) -> io::Result<PathBuf> {
    let folder = tokio::fs::canonicalize(data_folder).await?;
    let path = folder.join(BRIDGE_FILE);
    if tokio::fs::read(&path).await.is_ok_and(|written| written == BRIDGE.as_bytes()) {
        return Ok(path);
    }
    // Programs that share the data folder write the same bytes.
    let temporary = folder.join(format!("{BRIDGE_FILE}.{}", std::process::id()));
    tokio::fs::write(&temporary, BRIDGE).await?;
    tokio::fs::rename(&temporary, &path).await?;
    Ok(path)
}

async fn check_address(address: Address) -> Result<(), String> {
    match timeout(READINESS_TIMEOUT, Connection::open(&address)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("{address}: {error}")),
        Err(_) => Err(format!("{address}: the FastCGI server accepts no connection")),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct FastCgiHandler {
    pub settings: Arc<HandlerSettings>,
    pub pool: Arc<Pool>,
    pub bridge: Arc<OnceLock<PathBuf>>,
}

impl CompiledHandler for FastCgiHandler {
    fn start(&self, arguments: ArgumentSlots<'_, '_>, context: Context) -> HandlerFuture {
        match self.request(arguments, &context) {
            Ok(mut request) => {
                let (settings, pool) = (Arc::clone(&self.settings), Arc::clone(&self.pool));
                Box::pin(async move {
                    let span = context.is_traced().then(|| context.span("php", SpanKind::Client));
                    if let Some(trace) = span.as_ref().and_then(OpenSpan::context) {
                        request.set_trace(trace);
                    }
                    let result = call(&settings, &pool, &request, &context).await;
                    if let Some(mut span) = span {
                        span.set_result(&result);
                    }
                    result
                })
            }
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn outputs_check(&self) -> OutputsCheck {
        match self.settings.responses {
            Responses::Strict => OutputsCheck::Enforced,
            Responses::Described | Responses::Unchanged => OutputsCheck::Described,
        }
    }

    fn body_access(&self) -> BodyAccess {
        match self.settings.arguments {
            ArgumentNotation::Request => BodyAccess::Any,
            ArgumentNotation::Form | ArgumentNotation::Json => BodyAccess::None,
        }
    }
}

impl FastCgiHandler {
    fn request(&self, arguments: ArgumentSlots<'_, '_>, context: &Context) -> Result<PhpRequest, ApiError> {
        let bridge = || self.bridge.get().and_then(|path| path.to_str());
        let script = self.settings.script.as_deref().or_else(bridge);
        let script = script.ok_or_else(|| ApiError::internal("the bridge to PHP is missing"))?;
        PhpRequest::new(&self.settings, script, arguments, context)
    }
}

async fn call(
    settings: &HandlerSettings,
    pool: &Arc<Pool>,
    request: &PhpRequest,
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    let mut lease = pool.lease().await?;
    let deadline = Instant::now() + settings.timeout;
    let (mut exchange, head, first) = loop {
        let log = StderrLog::new(context.request_id(), context.method());
        let mut exchange = Exchange::new(lease, request.head.clone(), request.body.clone(), log);
        match timeout_at(deadline, receive_head(&mut exchange)).await.unwrap_or(Err(CallError::Late)) {
            Ok((head, first)) => break (exchange, head, first),
            Err(error) if exchange.may_retry(&error, settings.is_idempotent) => lease = exchange.into_lease(),
            Err(error) => return Err(error.into()),
        }
    };
    if let Some(request) = context.head().filter(|_| settings.responses == Responses::Unchanged) {
        let body = match response::is_compared(&head) {
            true => timeout_at(deadline, receive_start(&mut exchange, first, settings.max_response)).await,
            false => Ok(Ok((first, false))),
        };
        let (first, is_whole) = body.unwrap_or(Err(CallError::Late))?;
        let body = if is_whole {
            exchange.finish();
            ReceivedBody::Whole(first)
        } else {
            ReceivedBody::Beginning(Box::new(ReceivedFile { exchange, first, timeout: settings.timeout }))
        };
        return response::unchanged(settings, &head, body, request.method == Method::HEAD);
    }
    if response::is_file(settings, &head) {
        return response::download(settings, &head, first, exchange, context);
    }
    let body = timeout_at(deadline, receive_start(&mut exchange, first, settings.max_response)).await;
    let (body, is_whole) = body.unwrap_or(Err(CallError::Late))?;
    if !is_whole {
        return Err(CallError::TooLong(settings.max_response).into());
    }
    exchange.finish();
    response::returned_value(settings, &head, &body, context)
}

async fn receive_head(exchange: &mut Exchange) -> Result<(ResponseHead, Bytes), CallError> {
    let mut received = BytesMut::new();
    loop {
        let Some(bytes) = exchange.next().await? else {
            return Err(CallError::Response("the response has no head".to_owned()));
        };
        received.extend_from_slice(&bytes);
        if let Some((head, len)) = ResponseHead::parse(&received)? {
            return Ok((head, received.split_off(len).freeze()));
        }
    }
}

/// Receives a body until it ends, which is `true`, or until more than `max_len` bytes were received.
async fn receive_start(exchange: &mut Exchange, first: Bytes, max_len: usize) -> Result<(Bytes, bool), CallError> {
    let mut body = BytesMut::from(first);
    while body.len() <= max_len {
        match exchange.next().await? {
            Some(bytes) => body.extend_from_slice(&bytes),
            None => return Ok((body.freeze(), true)),
        }
    }
    Ok((body.freeze(), false))
}

/// The reason why a call of PHP fails. The text is written to the log, and clients get only the status.
#[derive(Debug, Error)]
pub enum CallError {
    #[error("no connection to the FastCGI server was free in time")]
    Busy,
    /// The server has more calls than it can queue, or has refused this one for this reason.
    #[error("the FastCGI server is overloaded")]
    Overloaded,
    #[error("the FastCGI server cannot be reached: {0}")]
    Connect(io::Error),
    #[error("the FastCGI server closed the connection before the end of its response")]
    Closed,
    #[error("the connection to the FastCGI server failed: {0}")]
    Connection(io::Error),
    #[error("the FastCGI server sent invalid data: {0}")]
    Record(String),
    /// The server does not accept the request.
    #[error("the FastCGI server rejected the request with the protocol status {0}")]
    Rejected(u8),
    #[error("the FastCGI server did not respond in time")]
    Late,
    #[error("the response of the FastCGI server exceeds `max_response`, which is {0} bytes")]
    TooLong(usize),
    #[error("the FastCGI server sent more than {0} bytes of messages for the log")]
    TooManyMessages(usize),
    /// The response is not what the style of the handler requires.
    #[error("{0}")]
    Response(String),
    #[error("an uploaded file cannot be read: {0}")]
    Upload(io::Error),
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Busy | CallError::Overloaded => Self::unavailable(error),
            CallError::Late => Self::gateway_timeout(error),
            CallError::Upload(_) => Self::internal(error),
            _ => Self::bad_gateway(error),
        }
    }
}
