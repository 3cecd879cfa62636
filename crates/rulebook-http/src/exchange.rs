//! Sends a request to an upstream, and receives the head of the response.

use std::io;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING};
use hyper::http::response::Parts;
use hyper::{Method, Request, Response, StatusCode, Uri};
use rulebook::Upload;
use rulebook::handler_kind::{body_len, body_stream};
use rulebook::multipart::MultipartPiece;
use tokio::time::{Instant, timeout_at};

use super::error::UpstreamError;
use super::response_body::ResponseBody;
use super::settings::CallLimits;
use super::upstream::{LeasedConnection, Upstream};

/// The body of a request while it is sent.
pub type OutgoingBody = Either<Full<Bytes>, StreamBody<BoxStream<'static, io::Result<Frame<Bytes>>>>>;

/// The content of a request, from which a body can be created again if the request is sent again.
#[derive(Debug)]
pub enum RequestContent {
    /// The bytes of the body; empty if the request has no body.
    Bytes(Bytes),
    /// A file, or a form with files.
    Files(Vec<MultipartPiece<Upload>>),
}

/// A request to an upstream, which can be sent several times.
#[derive(Debug)]
pub struct Outgoing {
    /// The HTTP method.
    pub method: Method,
    /// The path and the query.
    pub target: Uri,
    pub fields: HeaderMap,
    pub content: RequestContent,
}

/// The response of an upstream, whose body has yet to be received.
pub struct UpstreamResponse {
    /// The status and the header fields.
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
