//! Streams a file that PHP returns to the client.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use rulebook::handler_kind::ReturnedValue;
use rulebook::{ApiError, Context, Download};
use tokio::time::timeout;

use super::{ResponseHead, forward};
use crate::call_error::CallError;
use crate::protocol::Exchange;
use crate::settings::HandlerSettings;

/// A file that is being received.
struct ReceivedFile {
    exchange: Exchange,
    /// The bytes that were received with the head.
    first: Bytes,
    /// The maximum time until the next bytes are received.
    timeout: Duration,
}

/// Returns the file whose first bytes are `first`. It is received as fast as the client reads it.
pub fn download(
    settings: &HandlerSettings,
    head: &ResponseHead,
    first: Bytes,
    exchange: Exchange,
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    forward::forward(settings, head, context)?;
    let file = ReceivedFile { exchange, first, timeout: settings.timeout };
    let download = Download::stream(try_unfold(Some(file), next_bytes));
    Ok(ReturnedValue::Download(Box::new(forward::describe_file(download, head))))
}

async fn next_bytes(file: Option<ReceivedFile>) -> io::Result<Option<(Bytes, Option<ReceivedFile>)>> {
    let Some(mut file) = file else { return Ok(None) };
    if !file.first.is_empty() {
        return Ok(Some((std::mem::take(&mut file.first), Some(file))));
    }
    let next = timeout(file.timeout, file.exchange.next()).await;
    match next.unwrap_or(Err(CallError::Late)).map_err(io::Error::other)? {
        Some(bytes) => Ok(Some((bytes, Some(file)))),
        None => {
            file.exchange.finish();
            Ok(None)
        }
    }
}
