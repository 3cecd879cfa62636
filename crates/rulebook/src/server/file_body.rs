//! Receives bodies that are files, such as images, and contains what such files have in common with the files in
//! multipart bodies.

use std::io;

use actix_web::http::header::{ContentDisposition, DispositionParam, HeaderValue};
use http::header::CONTENT_DISPOSITION;
use rulebook_model::error::ErrorCode;
use rulebook_model::filename::visible_base_name;
use rulebook_model::limits;
use rulebook_model::model::Limits;

use super::receive::LimitedBody;
use super::upload_writer::UploadWriter;
use crate::call::{ApiError, Head, Limit};
use crate::pipeline::Body;
use crate::plan::{BodyUse, Plan, PlannedMethod};

/// The number of bytes by which a file may exceed the size limit of its parameter while it is received. A file that is
/// only slightly too long is received completely. Then the parameter's check can report the exact length together with
/// the errors of all other parameters.
const MAX_FILE_EXCESS: u64 = 64 << 10;
/// The maximum length of a file name, in characters. A longer name is truncated.
const MAX_FILENAME_CHARS: usize = 255;
/// The file name of a body without a name.
const DEFAULT_FILENAME: &str = "file";

/// Receives a body that is the file of a parameter. An empty body is no file.
pub(super) async fn receive_file(
    mut body: LimitedBody<'_>,
    head: &Head,
    plan: &Plan,
    method: &PlannedMethod,
) -> Result<Body, ApiError> {
    let BodyUse::Raw(slot) = method.body_use else { return Ok(Body::Empty) };
    let destination = body.file_destination(Some(&*method.parameters[slot].check), false);
    let mut writer = UploadWriter::new(body_filename(head), Some(destination));
    while let Some(chunk) = body.next_chunk().await? {
        writer.write(&chunk).await.map_err(storage_error)?;
    }
    if writer.size() == 0 {
        return Ok(Body::Empty);
    }
    let upload = writer.finish(plan.limits.body).await.map_err(storage_error)?;
    body.reserve_memory(upload.bytes().map_or(0, <[u8]>::len))?;
    Ok(Body::File(upload))
}

/// Returns the number of bytes of a file with this limit that are received.
pub(super) fn max_received_size(limit: Limit, limits: &Limits) -> u64 {
    let is_general = limit == limits::PART_SIZE.with_value(limits.part);
    if is_general { limit.max } else { limit.max.saturating_add(MAX_FILE_EXCESS) }
}

/// Returns the file name in `Content-Disposition` of a request, of which `filename*` precedes `filename` (RFC 6266
/// section 4.3).
fn body_filename(head: &Head) -> String {
    let value = head.header_values(CONTENT_DISPOSITION.as_str()).next();
    let value = value.and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    let disposition = value.and_then(|value| ContentDisposition::from_raw(&value).ok());
    let parameters = disposition.map(|disposition| disposition.parameters).unwrap_or_default();
    let extended = parameters.iter().find_map(DispositionParam::as_filename_ext);
    let extended = extended.and_then(|name| std::str::from_utf8(&name.value).ok());
    let name = extended.or_else(|| parameters.iter().find_map(DispositionParam::as_filename));
    name.map(stored_filename).filter(|name| !name.is_empty()).unwrap_or_else(|| DEFAULT_FILENAME.to_owned())
}

/// Returns a file name without folders, control characters, and characters that change the direction of text. Browsers
/// send a quote as `%22` (HTML, section 4.10.21.8).
pub(super) fn stored_filename(name: &str) -> String {
    let name: String = visible_base_name(&name.replace("%22", "\"")).take(MAX_FILENAME_CHARS).collect();
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}

pub(super) fn storage_error(error: io::Error) -> ApiError {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
        // Too many files are open, or requests use too much memory.
        io::ErrorKind::ResourceBusy | io::ErrorKind::OutOfMemory => ErrorCode::Unavailable,
        _ => ErrorCode::Upload,
    };
    ApiError::plain(code).with_log(error)
}
