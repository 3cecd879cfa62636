//! Sends a request to an upstream, and receives the head and the body of the response. Also what can fail meanwhile.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt, try_unfold};
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::http::response::Parts;
use hyper::{Method, Request, Response, StatusCode, Uri};
use rulebook::handler_kind::{body_len, body_stream};
use rulebook::multipart::MultipartPiece;
use rulebook::{ApiError, Upload, describe_with_causes};
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Origin;
use super::kind::CallLimits;
use super::upstream::{LeasedConnection, Upstream};

pub type OutgoingBody = Either<Full<Bytes>, StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>>;

/// The content of a request, from which a body can be created again if the request is sent again.
#[derive(Debug)]
pub enum RequestContent {
    /// The bytes of the body; empty if the request has no body.
    Bytes(Bytes),
    Files(Vec<MultipartPiece<Upload>>),
}

/// A request to an upstream, which can be sent several times.
#[derive(Debug)]
pub struct Outgoing {
    pub method: Method,
    /// The path and the query.
    pub target: Uri,
    pub fields: HeaderMap,
    pub content: RequestContent,
}

/// The response of an upstream, whose body has yet to be received.
pub struct UpstreamResponse {
    pub head: Parts,
    pub body: ResponseBody,
}

impl Outgoing {
    fn request(&self) -> Request<OutgoingBody> {
        let (body, length) = match &self.content {
            RequestContent::Bytes(bytes) => {
                // Other requests with these HTTP methods have a body, so that its absence is announced (RFC 9110
                // section 8.6).
                let has_length = [Method::POST, Method::PUT, Method::PATCH].contains(&self.method);
                (Either::Left(Full::new(bytes.clone())), (bytes.is_empty() && has_length).then_some(0))
            }
            RequestContent::Files(pieces) => {
                let body = StreamBody::new(body_stream(pieces.clone()).map_ok(Frame::data).boxed());
                (Either::Right(body), Some(body_len(pieces)))
            }
        };
        let mut request = Request::new(body);
        request.method_mut().clone_from(&self.method);
        request.uri_mut().clone_from(&self.target);
        request.headers_mut().clone_from(&self.fields);
        if let Some(length) = length {
            request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        request
    }
}

/// Sends a request, and returns the response as soon as its head has arrived.
///
/// If the connection fails before the first byte of the response, an idempotent request (RFC 9110 section 9.2.2) is
/// sent again, on a new connection. Any request is sent again if no part of it was sent, because another call had used
/// the connection and the upstream has closed it since.
/// Fails if there is no connection, or the upstream does not respond with a valid head before the deadline.
pub async fn exchange(
    upstream: &Upstream,
    outgoing: &Outgoing,
    limits: &CallLimits,
    deadline: Instant,
) -> Result<UpstreamResponse, UpstreamError> {
    let mut retries = if outgoing.method.is_idempotent() { limits.retries } else { 0 };
    let mut must_be_new = false;
    loop {
        let mut lease = upstream.lease(must_be_new, limits.connect_timeout, deadline).await?;
        let received_before = lease.connection.received_bytes();
        let response = lease.connection.sender.try_send_request(outgoing.request());
        let mut error = match timeout_at(deadline, response).await {
            Err(_) => return Err(UpstreamError::Timeout(limits.timeout)),
            Ok(Ok(response)) => return check_framing(response, lease),
            Ok(Err(error)) => error,
        };
        let is_unsent = error.take_message().is_some() && lease.is_reused;
        let has_no_response = lease.connection.received_bytes() == received_before;
        let error = UpstreamError::from_connection(error.into_error());
        let is_lost = has_no_response && matches!(error, UpstreamError::Connection(_));
        if !is_unsent {
            if retries == 0 || !is_lost {
                return Err(error);
            }
            retries -= 1;
        }
        must_be_new = true;
    }
}

/// Refuses responses whose end is doubtful, because the bytes after it could be taken for the response to another call.
/// Their connection is closed.
fn check_framing(
    response: Response<Incoming>,
    connection: LeasedConnection,
) -> Result<UpstreamResponse, UpstreamError> {
    let (head, incoming) = response.into_parts();
    let is_doubtful = |message: &str| Err(UpstreamError::Response(message.to_owned()));
    if head.status == StatusCode::SWITCHING_PROTOCOLS {
        return is_doubtful("the response switches to another protocol");
    }
    if head.headers.contains_key(CONTENT_LENGTH) && head.headers.contains_key(TRANSFER_ENCODING) {
        return is_doubtful("the response has both `Content-Length` and `Transfer-Encoding`");
    }
    Ok(UpstreamResponse { head, body: ResponseBody::new(incoming, connection) })
}

/// The body of a response while it is received.
pub struct ResponseBody {
    incoming: Incoming,
    /// The connection that receives the body; `None` after the end of the body.
    connection: Option<LeasedConnection>,
}

impl ResponseBody {
    pub fn new(incoming: Incoming, connection: LeasedConnection) -> Self {
        let mut body = Self { incoming, connection: Some(connection) };
        body.give_back_if(body.incoming.is_end_stream());
        body
    }

    /// Returns the length that the upstream has announced; `None` if it has not.
    pub fn length(&self) -> Option<u64> {
        self.incoming.size_hint().exact()
    }

    fn give_back_if(&mut self, has_ended: bool) {
        if let Some(connection) = self.connection.take_if(|_| has_ended) {
            connection.give_back();
        }
    }

    /// Returns the next bytes; `None` at the end of the body. Trailers are ignored.
    async fn next(&mut self) -> Result<Option<Bytes>, UpstreamError> {
        while self.connection.is_some() {
            match self.incoming.frame().await {
                None => self.give_back_if(true),
                Some(Ok(frame)) => {
                    self.give_back_if(self.incoming.is_end_stream());
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
                Some(Err(error)) => {
                    self.connection = None;
                    return Err(UpstreamError::from_connection(error));
                }
            }
        }
        Ok(None)
    }

    /// Fails if the body has more than `max` bytes, is incomplete, or does not arrive before the deadline.
    pub async fn receive(mut self, max: usize, limits: &CallLimits, deadline: Instant) -> Result<Bytes, UpstreamError> {
        if self.length().is_some_and(|length| length > max as u64) {
            return Err(UpstreamError::TooLarge(max));
        }
        let mut received = Vec::new();
        loop {
            let next = timeout_at(deadline, self.next()).await.map_err(|_| UpstreamError::Timeout(limits.timeout))?;
            let Some(bytes) = next? else { return Ok(received.into()) };
            if bytes.len() > max - received.len() {
                return Err(UpstreamError::TooLarge(max));
            }
            if received.is_empty() && self.connection.is_none() {
                // The first bytes are the whole body.
                return Ok(bytes);
            }
            received.extend_from_slice(&bytes);
        }
    }

    /// Converts the body to a stream, which fails if the upstream sends nothing for `max_pause`. The upstream is read
    /// only as fast as the stream is polled. `origin` is for the log.
    pub fn into_stream(
        self,
        origin: Origin,
        max_pause: Duration,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        try_unfold((self, origin), move |(mut body, origin)| async move {
            let next = timeout(max_pause, body.next()).await.unwrap_or(Err(UpstreamError::Timeout(max_pause)));
            let next = next.map_err(|error| io::Error::other(format!("the upstream {origin}: {error}")))?;
            Ok(next.map(|bytes| (bytes, (body, origin))))
        })
    }
}

/// Why an upstream has not responded, or not with a valid response.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// All connections are in use for as long as a call waits for one.
    #[error("all {0} connections of this thread are in use")]
    Busy(usize),
    #[error("cannot connect: {0}")]
    Connect(#[source] io::Error),
    /// The TLS connection cannot be opened, for example because the certificate of the upstream is not valid.
    #[error("cannot open a TLS connection: {0}")]
    Tls(#[source] io::Error),
    #[error("no connection within {0:?}")]
    ConnectTimeout(Duration),
    /// The response, or the next part of its body, has not arrived in time.
    #[error("no response within {0:?}")]
    Timeout(Duration),
    #[error("{}", describe_with_causes(.0))]
    Connection(#[source] hyper::Error),
    /// The response is not one that a handler accepts.
    #[error("{0}")]
    Response(String),
    #[error("the body of the response is larger than {0} bytes")]
    TooLarge(usize),
    #[error("an uploaded file cannot be read: {0}")]
    Upload(String),
}

impl UpstreamError {
    pub fn from_connection(error: hyper::Error) -> Self {
        // Only the body of a request is code of this crate: a file that cannot be read.
        if error.is_user() { Self::Upload(describe_with_causes(&error)) } else { Self::Connection(error) }
    }

    /// Returns the error for the client. The log names the upstream.
    pub fn for_client(&self, origin: &Origin) -> ApiError {
        let reason = format_args!("the upstream {origin}: {self}");
        match self {
            // The upstream has not received the request.
            Self::Busy(_) | Self::Connect(_) => ApiError::unavailable(reason),
            Self::ConnectTimeout(_) | Self::Timeout(_) => ApiError::gateway_timeout(reason),
            Self::Tls(_) | Self::Connection(_) | Self::Response(_) | Self::TooLarge(_) => ApiError::bad_gateway(reason),
            Self::Upload(_) => ApiError::internal(reason),
        }
    }
}
