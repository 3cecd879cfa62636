//! The bodies of requests to upstreams.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use hyper::body::{Body, Frame, SizeHint};

use super::multipart::Multipart;

/// The content of a request, from which a body can be created again if the request is sent again.
#[derive(Debug, Clone)]
pub enum Content {
    /// The request has no body.
    Empty,
    /// The bytes of the body.
    Bytes(Bytes),
    /// A form with files.
    Multipart(Arc<Multipart>),
}

impl Content {
    /// Returns the body.
    pub fn body(&self) -> OutgoingBody {
        match self {
            Self::Empty => OutgoingBody { left: 0, pieces: Pieces::Bytes(Bytes::new()) },
            Self::Bytes(bytes) => OutgoingBody { left: bytes.len() as u64, pieces: Pieces::Bytes(bytes.clone()) },
            Self::Multipart(form) => OutgoingBody { left: form.len(), pieces: Pieces::Stream(form.stream()) },
        }
    }
}

/// The body of a request while it is sent.
pub struct OutgoingBody {
    /// The number of bytes that have not been sent.
    left: u64,
    pieces: Pieces,
}

enum Pieces {
    Bytes(Bytes),
    Stream(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

impl Body for OutgoingBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match &mut self.pieces {
            Pieces::Bytes(bytes) => Some(Ok(std::mem::take(bytes))),
            Pieces::Stream(stream) => match stream.as_mut().poll_next(task) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(piece) => piece,
            },
        };
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            self.left = self.left.saturating_sub(piece.len() as u64);
            Ok(Frame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
