//! The HTTP server: listens for connections, receives requests, sends responses, and serves the pages of the API.
//!
//! Only this Rust module uses the server of actix. What a request means and what its response contains is decided in
//! the Rust module `pipeline`, which uses only the parser of actix-multipart; [`handle`](handle::handle) calls the
//! functions of `pipeline` in order.

mod client_stream;
mod connection;
mod handle;
mod observe;
mod pages;
mod receive;
mod response;
mod routed_request;
mod running;
mod server_path;
mod services;
mod state;
#[cfg_attr(not(feature = "tls"), path = "without_tls.rs")]
mod tls;
mod upload;
mod worker;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use actix_server::Server;
use actix_web::App;
use rulebook_model::model::MAX_WORKERS;
use rulebook_model::settings::split_bind_address;

use client_stream::Served;
pub use running::{ApiHandle, RunningServer, StopHandle};
use running::{Listener, Offer};
pub(crate) use services::CustomApp;
pub use services::{ApiService, Services};
use state::ServerState;
use tls::Tls;

use crate::plan::Plan;
use crate::settings::Settings;

/// Starts a server on new threads. `data` is the folder in which the server stores its own files. Fails also for
/// certificates that cannot be used, or for TLS in a program that was built without it.
pub(crate) fn serve(plan: &Arc<Plan>, data: &Path, settings: &Settings) -> io::Result<RunningServer> {
    if settings.bind.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no address to listen on"));
    }
    let served = if settings.monitoring.is_some() { Served::Api } else { Served::Everything };
    let addresses = settings.bind.iter().map(|address| (address, served));
    let addresses = addresses.chain(settings.monitoring.iter().map(|address| (address, Served::Monitoring)));
    let addresses = addresses.map(|(address, served)| {
        let (is_tls, address) = split_bind_address(address);
        (address, Offer { is_tls, served })
    });
    let addresses: Vec<_> = addresses.collect();
    let tls = load_certificates(settings, addresses.iter().any(|(_, offer)| offer.is_tls))?;
    if ![0, addresses.len()].contains(&settings.sockets.len()) {
        let (sockets, addresses) = (settings.sockets.len(), addresses.len());
        let why = format!("{sockets} sockets were passed to this process, for {addresses} addresses");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let mut listeners = Vec::with_capacity(addresses.len());
    for (index, &(address, offer)) in addresses.iter().enumerate() {
        let opened = settings.sockets.get(index).or_else(|| settings.bound.get(index));
        let opened = opened.map_or_else(|| TcpListener::bind(address), TcpListener::try_clone);
        let socket =
            opened.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        listen(&socket)?;
        limit_unsent_bytes(&socket);
        listeners.push(Listener { socket, offer });
    }
    if let Some(first) = listeners.first() {
        let _ = plan.documents.listening_url.set(url_of_address(first.socket.local_addr()?, first.offer.is_tls));
    }
    let max_files = connection::raise_file_limit();
    let services = Services { state: Arc::new(ServerState::new(plan, data, settings, Some(max_files), tls)) };
    // Each worker calls this function too. Its error is returned before the server starts.
    let mut added = Ok(());
    let _ = App::new().configure(|config| added = services.add_to_app(config));
    added?;
    // The limit of actix would stop a worker from accepting connections at a lower number.
    let mut builder = Server::build().disable_signals().max_concurrent_connections(max_files);
    if let Some(workers) = settings.workers {
        builder = builder.workers(workers.clamp(1, MAX_WORKERS.into()));
    }
    for &Listener { ref socket, offer } in &listeners {
        let (services, keep_alive) = (services.clone(), settings.keep_alive);
        let service = move || connection::connection_service_factory(&services, keep_alive, offer);
        builder = builder.listen("rulebook", socket.try_clone()?, service)?;
    }
    running::start_server(builder.run(), listeners, services, settings)
}

pub(crate) fn check_certificates(settings: &Settings, has_tls: bool) -> io::Result<()> {
    load_certificates(settings, has_tls).map(drop)
}

/// `None` if there are no addresses with TLS.
fn load_certificates(settings: &Settings, has_tls: bool) -> io::Result<Option<Arc<Tls>>> {
    match &settings.tls {
        Some(files) if has_tls => Ok(Some(Arc::new(Tls::load(files)?))),
        None if has_tls => {
            let why = "an address begins with `https://`, but there is no certificate for TLS: set `tls_certificate` \
                       and `tls_key`";
            Err(io::Error::new(io::ErrorKind::InvalidInput, why))
        }
        Some(_) => {
            log::warn!("TLS is not used, because no address to listen on begins with `https://`");
            Ok(None)
        }
        None => Ok(None),
    }
}

/// Contains the loopback address in place of the unspecified one, to which clients cannot connect everywhere.
fn url_of_address(mut address: SocketAddr, is_tls: bool) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    format!("{}://{address}", if is_tls { "https" } else { "http" })
}

/// Lets clients connect, and sets how many connections wait until the server accepts them. The standard library sets
/// 128: of a few hundred clients that connect at the same moment, some would wait for a second until they try again.
fn listen(listener: &TcpListener) -> io::Result<()> {
    const BACKLOG: i32 = 4096;
    // The system uses its maximum if that is less.
    socket2::SockRef::from(listener).listen(BACKLOG)
}

/// Limits what the system keeps for a client that does not receive it: otherwise it copies megabytes of a long
/// response.
#[cfg(any(target_os = "android", target_os = "linux"))]
fn limit_unsent_bytes(listener: &TcpListener) {
    const MAX_UNSENT_BYTES: u32 = 128 << 10;
    if let Err(error) = socket2::SockRef::from(listener).set_tcp_notsent_lowat(MAX_UNSENT_BYTES) {
        log::debug!("the system cannot limit the unsent bytes of connections: {error}");
    }
}

#[cfg(not(any(target_os = "android", target_os = "linux")))]
fn limit_unsent_bytes(_: &TcpListener) {}
pub(crate) fn services(plan: &Arc<Plan>, data: &Path, settings: &Settings) -> Services {
    Services { state: Arc::new(ServerState::new(plan, data, settings, None, None)) }
}
