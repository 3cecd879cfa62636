//! Takes the place of `http2` if the feature `http2` of the crate is disabled: no connection speaks HTTP/2.

use std::convert::Infallible;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use super::client_stream::ClientStream;
use super::worker::Worker;

/// The body of a request. No value of this type exists.
pub(super) struct BodyReceiver(Infallible);

impl BodyReceiver {
    pub(super) fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        match self.0 {}
    }
}

/// A connection of HTTP/2. No value of this type exists.
pub(super) struct Counted<'w>(Infallible, PhantomData<&'w Worker>);

impl<'w> Counted<'w> {
    pub(super) fn new(_: &'w Rc<Worker>, _: Option<SocketAddr>) -> Option<Self> {
        None
    }
}

pub(super) async fn serve(_: ClientStream, _: SocketAddr, _: BytesMut, counted: Counted<'_>, _: Instant, _: Duration) {
    match counted.0 {}
}
