//! Takes the place of `tls` if the feature `tls` of the crate is disabled: no connection is encrypted.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_rt::net::TcpStream;

use crate::call::TlsSession;
use crate::settings::TlsSettings;

/// Stands for the TLS stream, which does not exist without TLS.
pub(super) type TlsStream = TcpStream;

/// No value of this type exists.
pub(super) struct Tls(Infallible);

impl Tls {
    pub(super) fn load(_: &TlsSettings) -> io::Result<Self> {
        let why = "TLS is enabled, but the program was built without the feature `tls` of the crate `rulebook`";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    pub(super) fn reload(&self) {
        match self.0 {}
    }

    pub(super) fn expiry_times(&self) -> Vec<(usize, u64)> {
        match self.0 {}
    }

    pub(super) async fn accept(&self, _: TcpStream, _: SocketAddr) -> io::Result<(Box<TlsStream>, TlsSession)> {
        match self.0 {}
    }
}

pub(super) async fn watch_certificates(tls: Arc<Tls>) {
    match tls.0 {}
}
