//! What calls return: results in memory, whose rows become outputs; downloads, whose rows are sent while the database
//! finds them, so that only a few chunks are in memory; and single files, each the content of a column.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::future::{Either, select};
use futures_util::{StreamExt, stream};
use rulebook::handler_kind::ReturnedValue;
use rulebook::{ApiError, Download, ETag};
use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::{CallFailure, LIMIT_NAME, ReadRows, ResultStep, SqlMethod};
use crate::database::{FileRow, JsonRow, PageRow, Prepared, row_object};
use crate::result_shape::{RowShape, Rows};
use crate::value::SqlValue;

pub(super) struct Outputs;

impl ReadRows for Outputs {
    type Result = Json;

    async fn read(&self, mut step: ResultStep<'_>) -> Result<Json, CallFailure> {
        let shape = step.shape;
        let (rows, next) = collect(&mut step).await?;
        if rows.is_empty() {
            for check in &step.prepared.checks {
                step.lease.execute(check, step.values).await?;
            }
            if !shape.is_optional {
                step.method.check_missing(step.index)?;
            }
        }
        let whole = match shape.rows {
            Rows::Many => Json::Array(rows),
            Rows::One | Rows::None => match rows.into_iter().next() {
                Some(row) => shape.outputs_of_row(row),
                None if shape.is_optional => Json::Null,
                None => {
                    let reason = "the statement returned no row, without `missing`";
                    return Err(CallFailure::Api(ApiError::internal(reason)));
                }
            },
        };
        let Some(name) = &shape.output else { return Ok(whole) };
        let named = [Some((name.clone(), whole)), next];
        Ok(Json::Object(named.into_iter().flatten().collect()))
    }
}

/// Returns the rows, and the output with the cursor of the next page.
async fn collect(step: &mut ResultStep<'_>) -> Result<(Vec<Json>, Option<(String, Json)>), CallFailure> {
    let (method, limits) = (step.method, &mut *step.limits);
    let page = method.page.as_ref().filter(|_| method.steps[step.index].is_paged);
    let size = page.map(|page| page.size(step.values));
    // A row that the outputs cannot express is an error, which must not follow a change.
    let is_writing = method.steps.iter().flat_map(|step| &step.variants).any(|statement| !statement.is_reading);
    let mut stream = step.lease.fetch::<PageRow>(step.prepared, step.values)?;
    let (mut rows, mut first, mut keys, mut next_keys) = (Vec::new(), None, Vec::new(), None);
    while let Some(row) = stream.next().await {
        let PageRow { row, keys: row_keys } = row?;
        if size == Some(rows.len() as u64) {
            next_keys = Some(row_keys);
            continue;
        }
        if is_writing && let Some((output, column)) = step.prepared.refused_output(&row) {
            let reason = format!("the column `{column}` has a value that is not {}", output.in_words());
            return Err(CallFailure::Stopped(ApiError::internal(reason)));
        }
        let bytes = row.iter().map(size_of_value).sum();
        let reason = if step.shape.rows == Rows::One && !rows.is_empty() {
            "the statement returned more than one row; add a condition, or `limit 1`".to_owned()
        } else if limits.rows == 0 {
            let max = method.limits.rows;
            format!("the statement returned more than {max} rows; return them in pages, or as a download")
        } else if limits.bytes < bytes {
            let max = method.limits.bytes;
            format!("the result has more than {max} bytes; return it in pages, or as a download")
        } else {
            (limits.rows, limits.bytes) = (limits.rows - 1, limits.bytes - bytes);
            if method.inserted.is_some() && rows.is_empty() {
                first = row.first().cloned();
            }
            rows.push(match step.shape.row {
                RowShape::Value(_) => row.into_iter().next().unwrap_or(Json::Null),
                RowShape::Members(_) | RowShape::AnyMembers(_) => Json::Object(row_object(step.prepared, row)),
            });
            keys = row_keys;
            continue;
        };
        return Err(CallFailure::Stopped(ApiError::internal(reason)));
    }
    drop(stream);
    method.note_inserted(step.index, first.as_ref(), step.values);
    let Some(page) = page else { return Ok((rows, None)) };
    let dialect = method.database.settings.dialect;
    let next = match next_keys {
        Some(next_keys) if next_keys == keys => return Err(CallFailure::Api(page.order_error(step.combination))),
        Some(_) => page.cursor_after(keys, step.prepared, step.combination, dialect).map_err(CallFailure::Api)?,
        None => Json::Null,
    };
    Ok((rows, Some((page.settings.next.clone(), next))))
}

/// Returns about the number of bytes that a value occupies.
fn size_of_value(value: &Json) -> u64 {
    let bytes = match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        Json::String(text) => text.len() as u64,
        Json::Array(items) => items.iter().map(size_of_value).sum(),
        Json::Object(members) => members.iter().map(|(name, value)| name.len() as u64 + size_of_value(value)).sum(),
    };
    bytes + 16
}

const CHUNK_BYTES: usize = 16 << 10;

const MAX_WAITING_CHUNKS: usize = 4;

type Chunk = Result<Bytes, ApiError>;

/// Returns the file when its first chunk exists. An error before this is the error of the call.
pub(super) async fn download(
    method: Arc<SqlMethod>,
    values: Vec<SqlValue>,
    format: Format,
) -> Result<ReturnedValue, ApiError> {
    let runtime = method.database.runtime().map_err(|error| method.error_names.api_error(&error))?;
    let (extension, media_type) = match format {
        Format::JsonLines => ("jsonl", "application/jsonl"),
        Format::Csv => ("csv", "text/csv; charset=utf-8; header=present"),
    };
    let file_name = format!("{}.{extension}", method.file_name);
    let (sender, mut receiver) = mpsc::channel(MAX_WAITING_CHUNKS);
    runtime.spawn(send_rows(method, values, format, sender));
    let first = receiver.recv().await.transpose()?.unwrap_or_default();
    let rest = stream::poll_fn(move |context| receiver.poll_recv(context));
    let chunks = stream::once(async { Ok(first) }).chain(rest.map(|chunk| chunk.map_err(|error| stream_error(&error))));
    let download = Download::stream(chunks).name(file_name).media_type(media_type);
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

struct RowSender {
    format: Format,
    chunks: mpsc::Sender<Chunk>,
    /// `true` if the client may have got a chunk.
    has_sent: AtomicBool,
}

impl ReadRows for RowSender {
    type Result = ();

    async fn read(&self, step: ResultStep<'_>) -> Result<(), CallFailure> {
        // Statements run again after a change of the tables.
        if self.has_sent.load(Ordering::Relaxed) {
            let reason = "the tables were changed while their rows were sent";
            return Err(CallFailure::Stopped(ApiError::internal(reason)));
        }
        let statement = step.prepared;
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        self.format.write_head(statement, &mut chunk);
        let mut rows = step.lease.fetch(statement, step.values)?;
        let mut is_empty = true;
        while let Some(row) = rows.next().await {
            is_empty = false;
            self.format.write_row(statement, row?, &mut chunk);
            if chunk.len() >= CHUNK_BYTES {
                self.send(std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES))).await?;
            }
        }
        if is_empty {
            step.method.check_missing(step.index)?;
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
    /// Appends what is before the first row.
    fn write_head(self, prepared: &Prepared, to: &mut Vec<u8>) {
        if self == Self::Csv {
            write_csv_line(prepared.columns.iter().map(|column| column.name.clone()), to);
        }
    }

    fn write_row(self, prepared: &Prepared, row: JsonRow, to: &mut Vec<u8>) {
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

/// The maximum size in bytes of a file that waits for its client in memory; a larger one waits on the disk.
const MAX_BYTES_IN_MEMORY: usize = 64 << 10;

pub(super) async fn file(method: Arc<SqlMethod>, values: Vec<SqlValue>) -> Result<ReturnedValue, ApiError> {
    let Some((content, row)) = method.run(values, &FileContent).await?.pop() else { return Err(no_file()) };
    let download = if content.len() <= MAX_BYTES_IN_MEMORY {
        Download::bytes(content)
    } else {
        let folder = method.prepared()?.data_folder.clone();
        let stored = method.wait_for_disk(move || store(&content, &folder)).await;
        let (file, etag) = stored.map_err(|error| ApiError::internal(format!("the file cannot be sent: {error}")))?;
        Download::file(file).etag(etag)
    };
    let download = download.name(row.name.unwrap_or_else(|| method.file_name.clone()));
    let download = if method.is_inline { download.inline_if_passive() } else { download };
    let download = match row.media_type {
        Some(media_type) => download.media_type(media_type),
        None => download,
    };
    Ok(ReturnedValue::Download(Box::new(download)))
}

/// Writes a file without a name, which is removed when it is closed, and returns it with its entity tag.
fn store(content: &[u8], folder: &Path) -> io::Result<(File, ETag)> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(content)?;
    Ok((file, ETag::strong(blake3::hash(content).to_hex())))
}

struct FileContent;

impl ReadRows for FileContent {
    /// The content of the file, and the row without it.
    type Result = (Vec<u8>, FileRow);

    async fn read(&self, step: ResultStep<'_>) -> Result<Self::Result, CallFailure> {
        let mut rows = step.lease.fetch::<FileRow>(step.prepared, step.values)?;
        let mut row = rows.next().await.transpose()?;
        if rows.next().await.transpose()?.is_some() {
            let reason = "the statement returned more than one file; add a condition, or `limit 1`";
            return Err(CallFailure::Stopped(ApiError::internal(reason)));
        }
        let content = row.as_mut().and_then(|row| row.content.take());
        if content.is_none() {
            step.method.check_missing(step.index)?;
        }
        let (content, row) = content.zip(row).ok_or_else(|| CallFailure::Api(no_file()))?;
        let (size, max) = (content.len() as u64, step.method.limits.file);
        if size > max {
            let reason = format!("the file has {size} bytes, but `{LIMIT_NAME}` is {max}");
            return Err(CallFailure::Api(ApiError::internal(reason)));
        }
        Ok((content, row))
    }
}

fn no_file() -> ApiError {
    ApiError::internal("the statement returned no file, without `missing`")
}
