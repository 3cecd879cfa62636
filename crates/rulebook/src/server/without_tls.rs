//! Takes the place of `tls` if the feature `tls` of the crate is disabled: no connection is encrypted.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_rt::net::TcpStream;
use tokio::io::ReadBuf;

use super::client_stream::ClientStream;
use super::connection::Served;
use super::http2::Counted;
use super::pausable_stream::PausableStream;
use super::settings::TlsSettings;
use super::worker::Worker;
use crate::call::TlsSession;

/// The number of bytes that wait in the memory of an encrypted connection.
pub(super) const UNSENT_LEN: usize = 0;

/// The certificates of a server. No value of this type exists.
pub(super) struct Tls(Infallible);

impl Tls {
    pub(super) fn load(_: &TlsSettings) -> io::Result<Self> {
        let why = "TLS is enabled, but the program was built without the feature `tls` of the crate `rulebook`";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    pub(super) fn reload(&self) {
        match self.0 {}
    }

    pub(super) fn expiry_times(&self) -> Vec<(String, u64)> {
        match self.0 {}
    }
}

/// The thread that watches the files of the certificates. No value of this type exists.
pub(super) struct TlsWatcher(Infallible);

impl TlsWatcher {
    pub(super) fn start(tls: &Arc<Tls>) -> io::Result<Self> {
        match tls.0 {}
    }
}

/// An encrypted stream. No value of this type exists.
pub(super) struct TlsStream(Infallible);

impl TlsStream {
    pub(super) fn tcp(&mut self) -> &mut PausableStream {
        match self.0 {}
    }

    pub(super) fn session(&self) -> &Arc<TlsSession> {
        match self.0 {}
    }

    pub(super) fn release_memory(&mut self) {
        match self.0 {}
    }

    pub(super) fn poll_read(&mut self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    pub(super) fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(super) fn poll_write_vectored(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.0 {}
    }

    pub(super) fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    pub(super) fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0 {}
    }
}

/// How a connection to an address with TLS begins.
#[expect(dead_code, reason = "no address has TLS")]
pub(super) enum Accepted<'w> {
    Tls { stream: ClientStream, http2: Option<Counted<'w>> },
    Unencrypted(TcpStream),
    Closed(Option<ClientStream>),
}

pub(super) async fn accept<'w>(_: TcpStream, _: SocketAddr, _: &'w Rc<Worker>, _: Served) -> Accepted<'w> {
    Accepted::Closed(None)
}
