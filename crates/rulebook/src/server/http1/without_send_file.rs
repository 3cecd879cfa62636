//! Takes the place of `send_file` on systems other than Linux: sends a file like any other stream.

use std::io;

use super::response_head::ResponseFraming;
use super::send::send_stream;
use super::socket::Socket;
use crate::call::RequestId;
use crate::pipeline::FileRange;
use crate::server::alarm::Alarm;
use crate::server::file_stream::FileStream;
use crate::server::streamed_body::StreamedBody;

/// Sends a part of a file. `id` is the id of the request, for the log.
///
/// # Errors
/// Fails if the connection is broken, or if the file cannot be read.
pub(super) async fn send_file(socket: &Socket, alarm: &mut Alarm, range: FileRange, id: &RequestId) -> io::Result<()> {
    let length = range.length;
    let stream = StreamedBody::new(Box::pin(FileStream::from(range)), Some(length), id.clone());
    send_stream(socket, alarm, stream, ResponseFraming::Length(length)).await
}
