//! The settings of a server: addresses, TLS, threads, timeouts, folders, and functions that signals call.

use std::fmt;
use std::io;
use std::net::{TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rulebook_model::model::{AddressRange, ClientCertificateMode, ForwardedField, LinkTarget};
use rulebook_model::settings::split_bind_address;
use socket2::{Domain, Socket, Type};

use crate::server::check_certificates;

/// The settings with which an [`Engine`](crate::Engine) serves its API.
///
/// ```
/// use rulebook::Settings;
///
/// let settings = Settings::new().with_bind(["127.0.0.1:0"]).with_workers(1);
/// assert_eq!((settings.bind.len(), settings.workers), (1, Some(1)));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The addresses to listen on, each as `address:port`. An address that begins with `https://` has TLS. For port 0,
    /// the system chooses a free port. By default, `127.0.0.1:8080`.
    pub bind: Vec<String>,
    /// The address, as in `bind`, at which the server responds to `/metrics`, `/readyz` and `/healthz`, and to nothing
    /// else. The addresses in `bind` then only have `/healthz`. If it is `None`, they have all three.
    pub monitoring: Option<String>,
    /// The number of worker threads, from 1 to 512. By default, the server has one worker for each processor.
    pub workers: Option<usize>,
    /// When the server stops, the maximum time for which it waits for requests in flight, and for handlers whose
    /// clients have disconnected. By default, 30 seconds.
    pub shutdown_timeout: Duration,
    /// The time after which an open connection without requests is closed. By default, 75 seconds.
    pub keep_alive: Duration,
    /// The maximum number of open connections of one client address; 0 for no limit, for a server behind a proxy, whose
    /// address all connections have. By default, a quarter of all connections that the server can have.
    pub address_connections: Option<usize>,
    /// The certificates for the addresses with TLS. The server fails to start if it is `None` and an address has TLS,
    /// or if an address has TLS and the feature `tls` of the crate is disabled.
    pub tls: Option<TlsSettings>,
    /// The proxies in front of the server. For a request that such a proxy forwards, [`Head::client`](crate::Head) is
    /// the address that the proxy has sent in `forwarded_field`. If it is `None`, the definition names the proxies
    /// (`trusted_proxies`); by default, no proxy is trusted.
    pub trusted_proxies: Option<Vec<AddressRange>>,
    /// The header field in which the trusted proxies send the address of their client. If it is `None`, the definition
    /// names the field (`forwarded_field`); the default is `X-Forwarded-For`.
    pub forwarded_field: Option<ForwardedField>,
    /// How clients get the files of download links. If it is `None`, the definition says it (`link_target`).
    pub link_target: Option<LinkTarget>,
    /// The function that is called when the process receives the signal SIGHUP, if `handle_signals` is `true`.
    pub(crate) hangup_hook: Option<HangupHook>,
    /// The function that is called when the process receives the signal SIGUSR2, if `handle_signals` is `true`.
    pub(crate) handover_hook: Option<HandoverHook>,
    /// The sockets that another process has opened, in the order of `bind`, and then that of `monitoring`.
    pub(crate) sockets: Arc<[TcpListener]>,
    /// The sockets that [`Settings::reserve`] has bound.
    pub(crate) bound: Arc<[TcpListener]>,
    /// If `true`, the signals SIGTERM and SIGINT stop the server, and the signal SIGHUP does not end the process. A
    /// second signal stops it without waiting for requests in flight. By default, `false`.
    pub handle_signals: bool,
    /// The folder for uploaded files while their request is handled. It is not used if the program keeps uploaded files
    /// in a file store. By default, the system's folder for temporary files.
    pub upload_folder: PathBuf,
    /// The folder of static files. If it is `None`, `/` leads to the pages of the API. The server does not start if the
    /// folder contains private files: the data folder, the definition, the stored files, the private keys of TLS, or
    /// files of handlers, authenticators and storages; or if it is in the folder of stored files.
    pub static_files: Option<PathBuf>,
}

/// The files with the certificates of a server, for its addresses that begin with `https://`.
///
/// The server reads the files again when they have changed, and on the signal SIGHUP if it
/// [handles signals](Settings::with_signals). New connections then have the new certificates. If the new files cannot
/// be used, the certificates stay as they were, and the log contains the error.
///
/// ```
/// use rulebook::{ClientCertificateMode, Settings, TlsSettings};
///
/// let tls = TlsSettings::new("site.pem", "site.key").with_client_ca("clients.pem", ClientCertificateMode::Optional);
/// let settings = Settings::new().with_bind(["127.0.0.1:8080", "https://0.0.0.0:8443"]).with_tls(tls);
/// assert!(settings.tls.is_some());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TlsSettings {
    /// The certificates, each as a file with the chain of certificates that begins with that of the server, and a file
    /// with its private key. Both files are in the PEM format (RFC 7468). A connection has the first certificate that
    /// is valid for the name of the server which the client sends (RFC 6066 section 3), otherwise the first one.
    pub certificates: Vec<(PathBuf, PathBuf)>,
    /// The file, in the PEM format, with the certificates of the authorities from which the certificates of clients
    /// must come. If it is `None`, the server asks clients for no certificate. Otherwise it verifies the certificate of
    /// each new connection: TLS sessions are not resumed.
    pub client_ca: Option<PathBuf>,
    /// Whether a client must have a certificate from one of these authorities.
    pub client_certificates: ClientCertificateMode,
}

impl TlsSettings {
    /// Returns the settings for a file with a chain of certificates, and the file with the private key of the first
    /// one.
    #[must_use]
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificates: vec![(certificate.into(), key.into())],
            client_ca: None,
            client_certificates: ClientCertificateMode::default(),
        }
    }

    /// Adds a certificate for other names of the server.
    #[must_use]
    pub fn with_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.certificates.push((certificate.into(), key.into()));
        self
    }

    /// Sets the file with the certificates of the authorities from which the certificates of clients must come.
    #[must_use]
    pub fn with_client_ca(mut self, file: impl Into<PathBuf>, mode: ClientCertificateMode) -> Self {
        self.client_ca = Some(file.into());
        self.client_certificates = mode;
        self
    }
}

/// A function that is called when the process receives the signal SIGHUP.
#[derive(Clone)]
pub(crate) struct HangupHook(pub(crate) Arc<dyn Fn() + Send + Sync>);

impl fmt::Debug for HangupHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HangupHook")
    }
}

#[derive(Clone)]
pub(crate) struct HandoverHook(pub(crate) Arc<dyn Fn(Vec<TcpListener>) -> io::Result<()> + Send + Sync>);

impl fmt::Debug for HandoverHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandoverHook")
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: vec!["127.0.0.1:8080".to_owned()],
            monitoring: None,
            workers: None,
            shutdown_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(75),
            address_connections: None,
            tls: None,
            trusted_proxies: None,
            forwarded_field: None,
            link_target: None,
            hangup_hook: None,
            handover_hook: None,
            sockets: Arc::default(),
            bound: Arc::default(),
            handle_signals: false,
            upload_folder: std::env::temp_dir(),
            static_files: None,
        }
    }
}

impl Settings {
    /// Returns the default settings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the addresses to listen on, each as `address:port`, or as `https://address:port` with TLS.
    #[must_use]
    pub fn with_bind<A: Into<String>>(mut self, addresses: impl IntoIterator<Item = A>) -> Self {
        self.bind = addresses.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the address for `/metrics` and the state of the server.
    #[must_use]
    pub fn with_monitoring(mut self, address: impl Into<Option<String>>) -> Self {
        self.monitoring = address.into();
        self
    }

    /// Sets the number of worker threads.
    #[must_use]
    pub fn with_workers(mut self, workers: impl Into<Option<usize>>) -> Self {
        self.workers = workers.into();
        self
    }

    /// Sets the maximum time for which the server waits for requests in flight when it stops.
    #[must_use]
    pub fn with_shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.shutdown_timeout = timeout;
        self
    }

    /// Sets the time after which an open connection without requests is closed.
    #[must_use]
    pub fn with_keep_alive(mut self, timeout: Duration) -> Self {
        self.keep_alive = timeout;
        self
    }

    /// Sets the maximum number of open connections of one client address; 0 for no limit.
    #[must_use]
    pub fn with_address_connections(mut self, connections: impl Into<Option<usize>>) -> Self {
        self.address_connections = connections.into();
        self
    }

    /// Sets the certificates for the addresses with TLS.
    #[must_use]
    pub fn with_tls(mut self, tls: impl Into<Option<TlsSettings>>) -> Self {
        self.tls = tls.into();
        self
    }

    /// Sets the proxies in front of the server, for which the server believes the address of the client that they send.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: impl Into<Option<Vec<AddressRange>>>) -> Self {
        self.trusted_proxies = proxies.into();
        self
    }

    /// Sets the header field in which the trusted proxies send the address of their client.
    #[must_use]
    pub fn with_forwarded_field(mut self, field: impl Into<Option<ForwardedField>>) -> Self {
        self.forwarded_field = field.into();
        self
    }

    /// Sets how clients get the files of download links.
    #[must_use]
    pub fn with_link_target(mut self, target: impl Into<Option<LinkTarget>>) -> Self {
        self.link_target = target.into();
        self
    }

    /// Sets a function that is called when the process receives the signal SIGHUP, if the server
    /// [handles signals](Self::with_signals). It runs in the thread of the server, which also handles the other
    /// signals, and should not take long. `rulebook_cli` reads the key file again.
    #[must_use]
    pub fn with_hangup_hook(mut self, hook: impl Fn() + Send + Sync + 'static) -> Self {
        self.hangup_hook = Some(HangupHook(Arc::new(hook)));
        self
    }

    /// Sets a function that is called when the process receives the signal SIGUSR2, if the server
    /// [handles signals](Self::with_signals). It gets the sockets on which the server listens, which it can pass on to
    /// another process. If it succeeds, these sockets also accept connections after this server has stopped.
    #[must_use]
    pub fn with_handover_hook(
        mut self,
        hook: impl Fn(Vec<TcpListener>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.handover_hook = Some(HandoverHook(Arc::new(hook)));
        self
    }

    /// Sets the sockets on which the server listens, in the order of the addresses: those that the process which
    /// started this one has opened. They also accept connections after this server has stopped. If the list is empty,
    /// the server opens sockets itself.
    #[must_use]
    pub fn with_sockets(mut self, sockets: Vec<TcpListener>) -> Self {
        self.sockets = sockets.into();
        self
    }

    /// Reserves the addresses on which the server will listen, unless it has [sockets](Self::with_sockets), and reads
    /// the certificates, so that what cannot be used is an error before the API starts and changes data. Clients cannot
    /// connect before the server listens.
    ///
    /// # Errors
    /// Fails if an address or a certificate cannot be used.
    pub fn reserve(mut self) -> io::Result<Self> {
        let addresses = self.bind.iter().chain(&self.monitoring);
        check_certificates(&self, addresses.clone().any(|address| split_bind_address(address).0))?;
        if self.sockets.is_empty() {
            self.bound = addresses.map(|address| bind(split_bind_address(address).1)).collect::<io::Result<_>>()?;
        }
        Ok(self)
    }

    /// Sets whether the signals SIGTERM and SIGINT stop the server. The signal SIGHUP, which usually ends a process,
    /// then only calls the [hook](Self::with_hangup_hook).
    #[must_use]
    pub fn with_signals(mut self, handle: bool) -> Self {
        self.handle_signals = handle;
        self
    }

    /// Sets the folder for uploaded files while their request is handled.
    #[must_use]
    pub fn with_upload_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.upload_folder = folder.into();
        self
    }

    /// Sets the folder of static files.
    #[must_use]
    pub fn with_static_files(mut self, folder: impl Into<PathBuf>) -> Self {
        self.static_files = Some(folder.into());
        self
    }
}

/// Returns a socket that has an address, but does not listen yet. As in the standard library, connections of an earlier
/// server that end do not keep the address in use.
fn bind(address: &str) -> io::Result<TcpListener> {
    let failed = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name of the address is unknown");
    for address in address.to_socket_addrs().map_err(failed)? {
        let bound = Socket::new(Domain::for_address(address), Type::STREAM, None).and_then(|socket| {
            socket.set_reuse_address(cfg!(unix))?;
            socket.bind(&address.into())?;
            Ok(socket)
        });
        match bound {
            Ok(socket) => return Ok(socket.into()),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}
