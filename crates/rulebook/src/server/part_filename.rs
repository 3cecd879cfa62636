//! The file name of a part in a multipart body.

use multer::Field;
use rulebook_model::filename::visible_base_name;

use crate::call::{ApiError, MalformedRequest};

/// The maximum length of a part's file name, in characters. A longer name is truncated.
const MAX_FILENAME_CHARS: usize = 255;

/// Returns the file name of a part, without folders; `None` if the part is not a file. `number` is the number of the
/// part, which starts at 1.
///
/// # Errors
/// Fails if the name is not UTF-8, or if it is in the parameter `filename*`, which is not allowed in multipart bodies
/// (RFC 7578 section 4.2). Such a file must not become a text.
pub(super) fn part_filename(field: &Field<'_>, number: u64) -> Result<Option<String>, ApiError> {
    match field.file_name() {
        Some(name) => Ok(Some(clean_filename(name))),
        None if has_filename_parameter(field) => {
            Err(ApiError::malformed(MalformedRequest::MultipartHead { part: number }))
        }
        None => Ok(None),
    }
}

/// Returns `true` if the header field `Content-Disposition` of a part has the parameter `filename` or `filename*`.
fn has_filename_parameter(field: &Field<'_>) -> bool {
    let Some(value) = field.headers().get("content-disposition") else { return false };
    let mut is_quoted = false;
    let parameters = value.as_bytes().split(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b';' && !is_quoted
    });
    parameters.skip(1).any(|parameter| {
        let name = parameter.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
        name.strip_suffix(b"*").unwrap_or(name).trim_ascii_end().eq_ignore_ascii_case(b"filename")
    })
}

/// Removes folders, control characters, and characters that change the direction of text from a file name that a client
/// sent.
fn clean_filename(name: &str) -> String {
    let name: String = visible_base_name(name).take(MAX_FILENAME_CHARS).collect();
    if matches!(name.as_str(), "." | "..") { String::new() } else { name }
}
