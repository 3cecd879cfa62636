//! TLS 1.2 and 1.3 (RFC 5246 and RFC 8446) with the crate `rustls`.
//!
//! The task of a connection does the handshake, so that it runs on the worker of the connection, has a time limit, and
//! counts for the limits of connections. The certificates are read from files; one is chosen for each connection.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;
use actix_rt::task::spawn_blocking;
use actix_rt::time::sleep;
use arc_swap::ArcSwap;
use rulebook_model::model::ClientCertificateMode;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::call::{ClientCertificate, TlsSession, certificate_expiry};
use crate::regular_file::{FileStamp, open_regular_file};
use crate::settings::TlsSettings;
use crate::time::unix_time;

/// The protocols that the server accepts in the handshake (RFC 7301 section 6). Some clients offer only HTTP/1.0.
const PROTOCOLS: [&[u8]; 2] = [b"http/1.1", b"http/1.0"];
/// Encrypted bytes that wait until the system accepts them: one record of maximum length (RFC 8446 section 5.1).
const UNSENT_LEN: usize = 16 << 10;

pub(super) type TlsStream = tokio_rustls::server::TlsStream<TcpStream>;

impl Tls {
    pub(super) async fn accept(&self, stream: TcpStream, peer: SocketAddr) -> io::Result<(Box<TlsStream>, TlsSession)> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.current.load().config));
        let accepted = acceptor.accept_with(stream, |connection| connection.set_buffer_limit(Some(UNSENT_LEN))).await;
        let stream = accepted.inspect_err(|error| log_failure(peer, error))?;
        let connection = stream.get_ref().1;
        let certificate = connection.peer_certificates().and_then(|chain| chain.first());
        let session = TlsSession { client_certificate: certificate.map(|it| ClientCertificate::new(it)) };
        Ok((Box::new(stream), session))
    }
}

fn log_failure(peer: SocketAddr, error: &io::Error) {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        // An operator needs to know why a client is not accepted. Other errors are frequent on public addresses.
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            log::info!(peer:%; "the TLS handshake with {peer} failed: {error}");
        }
        _ => log::debug!(peer:%; "the TLS handshake with {peer} failed: {error}"),
    }
}

/// The time between two checks whether a file has changed.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// The time between two warnings of a certificate that expires soon.
const WARNING_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);
/// The time before the end of a certificate from which the server warns.
const WARNING_TIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Runs as long as the server.
pub(super) async fn watch_certificates(tls: Arc<Tls>) {
    let (mut seen, mut warned) = (Vec::new(), None);
    loop {
        sleep(POLL_INTERVAL).await;
        let (watched, before) = (Arc::clone(&tls), seen);
        let reading = spawn_blocking(move || {
            let current = file_stamps(&watched.settings);
            // A certificate and its key are replaced one after the other, so that the files are read when they have not
            // changed for a while.
            let is_reloaded = current == before && watched.reload_if_changed(&current);
            (current, is_reloaded)
        });
        let Ok((current, is_reloaded)) = reading.await else { return };
        seen = current;
        if is_reloaded || warned.is_none_or(|at: Instant| at.elapsed() >= WARNING_INTERVAL) {
            warn_of_expiry(&tls);
            warned = Some(Instant::now());
        }
    }
}

fn warn_of_expiry(tls: &Tls) {
    let now = unix_time();
    for (file, expiry) in tls.expiry_times() {
        match expiry.checked_sub(now) {
            None => log::error!("the TLS certificate {file} has expired"),
            Some(left) if left < WARNING_TIME.as_secs() => {
                log::warn!("the TLS certificate {file} expires in {} days", left / (24 * 60 * 60));
            }
            Some(_) => {}
        }
    }
}

pub(super) struct Tls {
    settings: TlsSettings,
    current: ArcSwap<Certificates>,
    /// So that the same error is logged only once.
    reported: Mutex<Option<String>>,
}

struct Certificates {
    config: Arc<ServerConfig>,
    /// The certificates are numbered from 1; times are in seconds since 1970.
    expiry_times: Vec<(usize, u64)>,
    /// Before the files were read.
    stamps: Vec<Option<FileStamp>>,
}

impl Tls {
    /// The kind of the error is always [`io::ErrorKind::InvalidData`], which addresses to listen on do not cause.
    pub(super) fn load(settings: &TlsSettings) -> io::Result<Self> {
        let loaded = load_certificates(settings);
        let loaded = loaded.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        Ok(Self { settings: settings.clone(), current: ArcSwap::from_pointee(loaded), reported: Mutex::default() })
    }

    /// Reads the certificates again. If that fails, they stay as they are, and the error is logged.
    pub(super) fn reload(&self) {
        self.reported.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.try_reload();
    }

    /// `true` if they have changed and could be read.
    pub(super) fn reload_if_changed(&self, stamps: &[Option<FileStamp>]) -> bool {
        self.current.load().stamps != stamps && self.try_reload()
    }

    fn try_reload(&self) -> bool {
        let loaded = load_certificates(&self.settings);
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        match loaded {
            Ok(certificates) => {
                self.current.store(Arc::new(certificates));
                *reported = None;
                log::info!("the TLS certificates have been read again");
                true
            }
            Err(error) => {
                if reported.as_ref() != Some(&error) {
                    log::error!("the TLS certificates stay as they were: {error}");
                    *reported = Some(error);
                }
                false
            }
        }
    }

    /// The certificates are numbered from 1; times are in seconds since 1970.
    pub(super) fn expiry_times(&self) -> Vec<(usize, u64)> {
        self.current.load().expiry_times.clone()
    }
}

fn file_stamps(settings: &TlsSettings) -> Vec<Option<FileStamp>> {
    let TlsSettings { certificates, client_ca, .. } = settings;
    let files = certificates.iter().flat_map(|(certificate, key)| [certificate, key]).chain(client_ca);
    files.map(|file| FileStamp::of(file)).collect()
}

/// The error does not contain the contents of the files.
fn load_certificates(settings: &TlsSettings) -> Result<Certificates, String> {
    let stamps = file_stamps(settings);
    let provider = Arc::new(default_provider());
    let mut keys = Vec::with_capacity(settings.certificates.len());
    let mut expiry_times = Vec::with_capacity(settings.certificates.len());
    for (number, (certificate, key)) in (1..).zip(&settings.certificates) {
        let chain = read_certificates(certificate)?;
        if let Some(time) = chain.first().and_then(|first| certificate_expiry(first)) {
            expiry_times.push((number, time));
        }
        let file = key.display();
        let text = read_file(key)?;
        // The error of the parser could quote the key.
        let private = PrivateKeyDer::from_pem_slice(&text);
        let private = private.map_err(|_| format!("{file} contains no private key in the PEM format"))?;
        let pair = CertifiedKey::from_der(chain, private, &provider);
        keys.push(Arc::new(pair.map_err(|error| format!("{} and {file}: {error}", certificate.display()))?));
    }
    if keys.is_empty() {
        return Err("there is no certificate".to_owned());
    }
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => builder.with_client_cert_verifier(client_verifier(file, settings.client_certificates, provider)?),
    };
    let mut config = builder.with_cert_resolver(Arc::new(CertificatesByName(keys)));
    if settings.client_ca.is_some() {
        // The certificate of the client is verified only in a full handshake. A client that could resume its session
        // would still be accepted after its certificate has expired.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
    }
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Certificates { config: Arc::new(config), expiry_times, stamps })
}

/// A named pipe in place of a file would block the thread that reads the certificates again.
fn read_file(file: &Path) -> Result<Vec<u8>, String> {
    let mut opened = open_regular_file(file).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    opened.read_to_end(&mut text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text)
}

fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let name = file.display();
    let text = read_file(file)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{name} contains no certificate in the PEM format")),
    }
}

fn client_verifier(
    file: &Path,
    mode: ClientCertificateMode,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, String> {
    let describe = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let mut authorities = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        authorities.add(certificate).map_err(|error| describe(&error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider);
    let builder = match mode {
        ClientCertificateMode::Optional => builder.allow_unauthenticated(),
        _ => builder,
    };
    builder.build().map_err(|error| describe(&error))
}

/// Chooses the certificate for the name of the server that the client has sent (RFC 6066 section 3). If no certificate
/// is valid for it, or the client has sent none, the first certificate is chosen.
#[derive(Debug)]
struct CertificatesByName(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for CertificatesByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let usable = || self.0.iter().filter(|pair| pair.key.choose_scheme(hello.signature_schemes()).is_some());
        let name = hello.server_name().filter(|_| self.0.len() > 1).and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| usable().find(|pair| is_valid_for(pair, &name)));
        named.or_else(|| usable().next()).or_else(|| self.0.first()).cloned()
    }
}

fn is_valid_for(pair: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let certificate = pair.end_entity_cert().ok().and_then(|der| ParsedCertificate::try_from(der).ok());
    certificate.is_some_and(|certificate| verify_server_name(&certificate, name).is_ok())
}
