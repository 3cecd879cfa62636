//! Downloads: the rows of a result are sent while the database finds them, so that only a few chunks are in memory.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{StreamExt, stream};
use rulebook::handler_kind::ReturnedValue;
use rulebook::{ApiError, Download};
use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::{CallFailure, ReadRows, ResultStep, SqlMethod};
use crate::database::{JsonRow, Lease, Prepared, row_object};
use crate::settings::CallLimits;
use crate::value::SqlValue;

const CHUNK_BYTES: usize = 16 << 10;

/// The maximum number of chunks that wait for the client.
const MAX_WAITING_CHUNKS: usize = 4;

type Chunk = Result<Bytes, ApiError>;

/// Starts the statements, and returns the file when its first chunk exists. An error before this is the error of the
/// call.
pub(super) async fn download(
    method: Arc<SqlMethod>,
    values: Vec<SqlValue>,
    format: Format,
) -> Result<ReturnedValue, ApiError> {
    let runtime = method.database.runtime().map_err(|error| method.error_names.api_error(&error))?;
    let file_name = format!("{}.{}", method.file_name, format.extension());
    let (sender, mut receiver) = mpsc::channel(MAX_WAITING_CHUNKS);
    runtime.spawn(send_rows(method, values, format, sender));
    let first = receiver.recv().await.transpose()?.unwrap_or_default();
    let rest = stream::poll_fn(move |context| receiver.poll_recv(context));
    let chunks = stream::once(async { Ok(first) }).chain(rest.map(|chunk| chunk.map_err(|error| stream_error(&error))));
    let download = Download::stream(chunks).name(file_name).media_type(format.media_type());
    Ok(ReturnedValue::Download(Box::new(download)))
}

fn stream_error(error: &ApiError) -> io::Error {
    io::Error::other(error.log().unwrap_or("the rows cannot be read").to_owned())
}

/// Runs the statements until all rows are sent, the client is gone, or the time is over.
async fn send_rows(method: Arc<SqlMethod>, values: Vec<SqlValue>, format: Format, chunks: mpsc::Sender<Chunk>) {
    let sender = RowSender { format, chunks, has_sent: AtomicBool::new(false) };
    let ended = match select(pin!(method.run(values, &sender)), pin!(sender.chunks.closed())).await {
        Either::Left((ended, _)) => ended,
        Either::Right(_) => return,
    };
    if let Err(error) = ended {
        let _ = sender.chunks.send(Err(error)).await;
    }
}

/// Sends the rows of a result to a client.
struct RowSender {
    format: Format,
    chunks: mpsc::Sender<Chunk>,
    /// `true` if the client may have got a chunk.
    has_sent: AtomicBool,
}

impl ReadRows for RowSender {
    type Result = ();

    async fn read(
        &self,
        method: &SqlMethod,
        lease: &mut Lease,
        step: &ResultStep<'_>,
        values: &mut [SqlValue],
        _: &mut CallLimits,
    ) -> Result<(), CallFailure> {
        // Statements run again after a change of the tables.
        if self.has_sent.load(Ordering::Relaxed) {
            let reason = "the tables were changed while their rows were sent";
            return Err(CallFailure::Stopped(ApiError::internal(reason)));
        }
        let statement = step.prepared;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        self.format.write_head(statement, &mut chunk);
        let mut rows = lease.fetch(statement, values)?;
        let mut is_empty = true;
        while let Some(row) = rows.next().await {
            is_empty = false;
            self.format.write_row(statement, row?, &mut chunk);
            if chunk.len() >= CHUNK_BYTES {
                self.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES))).await?;
            }
        }
        if is_empty {
            method.check_missing(step)?;
        }
        self.send(chunk).await
    }
}

impl RowSender {
    async fn send(&self, chunk: Vec<u8>) -> Result<(), CallFailure> {
        self.has_sent.store(true, Ordering::Relaxed);
        let sent = self.chunks.send(Ok(chunk.into())).await;
        sent.map_err(|_| CallFailure::Stopped(ApiError::internal("the client is gone")))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON object in each line.
    JsonLines,
    /// Comma-separated values (RFC 4180), with the names of the columns in the first line.
    Csv,
}

impl Format {
    pub(super) fn extension(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::JsonLines => "application/jsonl",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }

    /// Appends what is before the first row.
    pub(super) fn write_head(self, prepared: &Prepared, to: &mut Vec<u8>) {
        if self == Self::Csv {
            write_csv_line(prepared.columns.iter().map(|column| column.name.clone()), to);
        }
    }

    pub(super) fn write_row(self, prepared: &Prepared, row: JsonRow, to: &mut Vec<u8>) {
        match self {
            Self::JsonLines => {
                to.extend_from_slice(Json::Object(row_object(prepared, row)).to_string().as_bytes());
                to.push(b'\n');
            }
            Self::Csv => write_csv_line(row.into_iter().map(csv_text), to),
        }
    }
}

fn csv_text(value: Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text,
        other => other.to_string(),
    }
}

fn write_csv_line(fields: impl Iterator<Item = String>, to: &mut Vec<u8>) {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            to.push(b',');
        }
        if field.contains([',', '"', '\r', '\n']) {
            to.extend_from_slice(format!("\"{}\"", field.replace('"', "\"\"")).as_bytes());
        } else {
            to.extend_from_slice(field.as_bytes());
        }
    }
    to.extend_from_slice(b"\r\n");
}
