//! Clients that speak HTTP/1.1 over TLS, and bytes without TLS.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, DEFAULT_VERSIONS, RootCertStore, StreamOwned, SupportedProtocolVersion};

use super::authority::{Authority, Pair};

/// The time after which a test fails instead of waiting for a server.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A client of TLS.
pub(super) struct Client(pub(super) Arc<ClientConfig>);

/// A connection with TLS.
pub(super) struct Connection(pub(super) StreamOwned<ClientConnection, TcpStream>);

impl Client {
    /// Creates a client that trusts an authority, and has a certificate or none.
    pub(super) fn new(authority: &Authority, pair: Option<Pair>) -> Self {
        Self::with_versions(authority, pair, DEFAULT_VERSIONS)
    }

    /// Does the same as [`Client::new`], for a client that speaks only these versions of TLS.
    pub(super) fn with_versions(
        authority: &Authority,
        pair: Option<Pair>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(roots);
        let config = match pair {
            Some(Pair { certificate, key }) => builder.with_client_auth_cert(vec![certificate], key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        Self(Arc::new(config))
    }

    /// Offers these protocols in the handshake.
    pub(super) fn with_protocols(self, names: &[&[u8]]) -> Self {
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = names.iter().map(|name| name.to_vec()).collect();
        Self(Arc::new(config))
    }

    /// Opens a connection, and completes the handshake. In TLS 1.3, the server can still reject the client afterwards.
    pub(super) fn connect(&self, address: SocketAddr, name: &str) -> io::Result<Connection> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(Connection(StreamOwned::new(connection, socket)))
    }
}

impl Connection {
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
        self.0.flush().unwrap();
    }

    /// Sends a GET request, and returns its response.
    pub(super) fn get(&mut self, path: &str) -> String {
        String::from_utf8(self.get_bytes(path)).unwrap()
    }

    /// Sends a GET request, and returns the head and the body of its response.
    pub(super) fn get_bytes(&mut self, path: &str) -> Vec<u8> {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        self.receive().unwrap()
    }

    /// Receives a response that has a length.
    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut response = Vec::new();
        while !response.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            response.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&response).to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
        self.0.read_exact(&mut body)?;
        response.extend(body);
        Ok(response)
    }

    /// Receives bytes until the server closes the connection in the way that TLS requires.
    pub(super) fn receive_all(&mut self) -> io::Result<Vec<u8>> {
        let mut received = Vec::new();
        self.0.read_to_end(&mut received)?;
        Ok(received)
    }

    /// Returns the certificate of the server.
    pub(super) fn server_certificate(&self) -> CertificateDer<'static> {
        self.0.conn.peer_certificates().unwrap()[0].clone().into_owned()
    }
}

/// Sends bytes without TLS, and returns what the server sends until it closes the connection.
pub(super) fn plain_request(address: SocketAddr, request: &str) -> String {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(TIMEOUT)).unwrap();
    socket.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).unwrap();
    String::from_utf8(response).unwrap()
}

/// Waits until something is the case.
pub(super) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < TIMEOUT, "this has not happened in time");
        thread::sleep(Duration::from_millis(50));
    }
}
