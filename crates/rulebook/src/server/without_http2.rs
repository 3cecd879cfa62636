//! Takes the place of `http2` if the feature `http2` of the crate is disabled: no connection speaks HTTP/2.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_rt::net::TcpStream;
use bytes::{Bytes, BytesMut};

use super::worker::Worker;

/// The body of a request. No value of this type exists.
pub(super) struct BodyReceiver(Infallible);

impl BodyReceiver {
    pub(super) fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match self.0 {}
    }
}

/// Closes a connection whose client speaks HTTP/2.
pub(super) async fn serve(_: TcpStream, _: SocketAddr, _: BytesMut, _: &Rc<Worker>, _: Instant, _: Duration) {}
