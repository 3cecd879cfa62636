//! Forwards header fields of PHP's response, and files, to the client.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::try_unfold;
use rulebook::handler_kind::{ReturnedValue, describe_file};
use rulebook::http::HeaderValue;
use rulebook::{ApiError, Context, Download};
use tokio::time::timeout;

use super::ResponseHead;
use crate::call_error::CallError;
use crate::protocol::Exchange;
use crate::settings::HandlerSettings;

/// The header fields of every response that are forwarded. Others could contain data that is not meant for clients,
/// such as the version of PHP.
const FORWARDED: [&str; 2] = ["set-cookie", "location"];
/// The successes whose status describes the body, which the script does not send as it is.
const BODY_STATUSES: [u16; 3] = [204, 205, 206];

/// A file that is being received.
pub struct ReceivedFile {
    pub exchange: Exchange,
    /// The bytes that were received.
    pub first: Bytes,
    /// The maximum time until the next bytes are received.
    pub timeout: Duration,
}

/// Returns the file whose first bytes are `first`. It is received as fast as the client reads it.
pub fn download(
    settings: &HandlerSettings,
    head: &ResponseHead,
    first: Bytes,
    exchange: Exchange,
    context: &Context,
) -> Result<ReturnedValue, ApiError> {
    forward(settings, head, context)?;
    let file = ReceivedFile { exchange, first, timeout: settings.timeout };
    let download = Download::stream(try_unfold(Some(file), next_bytes));
    let fields = head.fields.iter().map(|(name, value)| (name.as_str(), &value[..]));
    Ok(ReturnedValue::Download(Box::new(describe_file(download, fields))))
}

pub async fn next_bytes(file: Option<ReceivedFile>) -> io::Result<Option<(Bytes, Option<ReceivedFile>)>> {
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

/// Forwards the status of a success, and the header fields that clients may get.
pub fn forward(settings: &HandlerSettings, head: &ResponseHead, context: &Context) -> Result<(), ApiError> {
    if head.status != 200 && head.is_success() && !BODY_STATUSES.contains(&head.status) {
        context.set_status(head.status)?;
    }
    for (name, value) in &head.fields {
        let is_named = settings.response_headers.iter().any(|named| named.eq_ignore_ascii_case(name));
        if !is_named && !FORWARDED.contains(&name.as_str()) {
            continue;
        }
        // Header fields that only the engine sets, such as those of the connection, are not forwarded.
        let forwarded = HeaderValue::from_bytes(value).map(|value| context.append_header(name, value));
        if let Ok(Err(error)) = forwarded {
            log::debug!("a header field of PHP is not forwarded: {error}");
        }
    }
    Ok(())
}
