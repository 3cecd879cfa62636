//! From sockets to the pipeline and back.
//!
//! In charge of listening, of receiving bodies and uploads under their limits,
//! of sending replies, and of the pages behind the API; the only folder that
//! names actix. Must not know what a request is for or how an answer looks: it
//! asks the pipeline for both.

mod answer;
mod clock;
mod dispatch;
mod docs;
mod download;
mod elsewhere;
mod expect;
mod files;
mod head;
mod health;
mod links;
mod metrics;
mod module;
mod observe;
mod opened;
mod page;
mod pieces;
mod policy;
mod reading;
mod receive;
mod running;
mod serving;
mod site;
mod swagger;
mod upload;
mod uploading;
mod worker;

use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_rt::net::TcpStream;
use actix_rt::time::timeout;
use actix_server::Server;
use actix_service::{Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, fn_service};
use arc_swap::ArcSwap;
use futures_util::future::{Either, select};

use files::Files;
use links::Links;
pub use running::{Running, Stopper};
use serving::Serving;
use uploading::Uploads;

use crate::model::MOST_WORKERS;
use crate::plan::Plan;
use crate::store::StoreFolder;

/// Until when the head of a connection's first request must have arrived.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long the rest of a body that nobody wants is read, so that the client can read its answer
/// (RFC 9112 section 9.6).
const LINGER_TIME: Duration = Duration::from_secs(1);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen, each as `address:port`; port 0 takes a free one.
    pub bind: Vec<String>,
    /// How many threads answer; as many as there are processors where it is not said.
    pub workers: Option<usize>,
    /// How long requests in flight, and handlers whose clients have gone, have to end when the server stops.
    pub shutdown: Duration,
    /// How long a connection without requests is kept.
    pub keep_alive: Duration,
    /// Whether SIGTERM and SIGINT stop the server; a second one does not wait for requests in flight.
    pub signals: bool,
    /// The folder of temporary files, where the program keeps no files.
    pub uploads: PathBuf,
    /// The folder of static files; the built-in page of the API stands where there is none.
    pub static_files: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: vec!["127.0.0.1:8080".to_owned()],
            workers: None,
            shutdown: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            signals: false,
            uploads: std::env::temp_dir(),
            static_files: None,
        }
    }
}

/// Listens and answers from the plan, on threads of its own. A new plan in `shared` counts from the next request on.
/// `data` is the folder of the server's own files.
///
/// # Errors
/// There is nowhere to listen, or the thread cannot be started.
pub(crate) fn serve(shared: &Arc<ArcSwap<Plan>>, settings: &Settings, data: &Path) -> io::Result<Running> {
    if settings.bind.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on"));
    }
    let uploads = Arc::new(match shared.load().state.get::<StoreFolder>() {
        Some(folder) => Uploads::Store(folder),
        None => Uploads::Folder(settings.uploads.clone()),
    });
    let mut builder = Server::build().disable_signals();
    if let Some(workers) = settings.workers {
        builder = builder.workers(workers.clamp(1, MOST_WORKERS.into()));
    }
    let files = Files::new(settings.static_files.as_deref());
    let serving = Arc::new(Serving::new(files, Links::new(data)));
    let mut listeners = Vec::with_capacity(settings.bind.len());
    for address in &settings.bind {
        let listener = TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        listeners.push(listener.try_clone()?);
        let (shared, uploads, serving) = (Arc::clone(shared), Arc::clone(&uploads), Arc::clone(&serving));
        let keep_alive = settings.keep_alive;
        let connections = move || connection(&shared, &uploads, &serving, keep_alive);
        builder = builder.listen("rulebook", listener, connections)?;
    }
    running::start(builder.run(), listeners, serving, settings)
}

/// What one worker does with a connection.
fn connection(
    shared: &Arc<ArcSwap<Plan>>,
    uploads: &Arc<Uploads>,
    serving: &Arc<Serving>,
    keep_alive: Duration,
) -> impl ServiceFactory<TcpStream, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<> {
    let (closing, beginning) = (Arc::clone(serving), Arc::clone(serving));
    let http = HttpService::build()
        .keep_alive(keep_alive)
        .client_request_timeout(HEAD_TIME)
        .client_disconnect_timeout(LINGER_TIME)
        .graceful_shutdown_signal(move || {
            let serving = Arc::clone(&closing);
            async move { serving.closing().await }
        })
        .expect(expect::factory(shared, uploads, serving))
        .finish(dispatch::factory(shared, uploads, serving));
    let connected = fn_service(move |stream: TcpStream| {
        let beginning = beginning.clone();
        async move {
            let protocol = protocol(&stream, &beginning).await?;
            // Answers are written whole; waiting for more to send only delays them.
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr().ok();
            Ok((stream, protocol, peer))
        }
    });
    let (quieting, serving) = (Arc::clone(serving), Arc::clone(serving));
    let http = apply_fn_factory(http, move |(stream, protocol, peer), http| {
        let serving = Arc::clone(&quieting);
        let served = http.call((stream, protocol, peer));
        async move {
            match protocol {
                // Nobody else asks one of HTTP/2 to end.
                Protocol::Http2 => match select(pin!(served), pin!(serving.quiet())).await {
                    Either::Left((ended, _)) => ended,
                    Either::Right(_) => Ok(()),
                },
                _ => served.await,
            }
        }
    });
    apply_fn_factory(connected.and_then(http), move |stream, connection| {
        let counted = serving.connection();
        let served = connection.call(stream);
        async move {
            let ended = served.await;
            drop(counted);
            ended
        }
    })
}

/// HTTP/2 where the client begins with its preface (RFC 9113 section 3.4), else HTTP/1.
///
/// A client that says nothing is left after [`HEAD_TIME`], or when the server stops.
async fn protocol(stream: &TcpStream, serving: &Serving) -> Result<Protocol, DispatchError> {
    const PREFACE: &[u8] = b"PRI * HTTP/2";
    let mut start = [0; PREFACE.len()];
    match select(pin!(timeout(HEAD_TIME, stream.peek(&mut start))), pin!(serving.closing())).await {
        Either::Left((Ok(peeked), _)) => peeked?,
        Either::Left((Err(_), _)) | Either::Right(_) => return Err(DispatchError::SlowRequestTimeout),
    };
    Ok(if start == PREFACE { Protocol::Http2 } else { Protocol::Http1 })
}
