//! The files that methods with the option `download` return.

use std::fs::File;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rulebook::handler_kind::ReturnedValue;
use rulebook::{ApiError, Download};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A file that a worker returns: one of the first three members has the content.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReturnedFile {
    file: Option<String>,
    text: Option<String>,
    base64: Option<String>,
    name: Option<String>,
    r#type: Option<String>,
    #[serde(default)]
    inline: bool,
}

/// Reads the file that a worker has returned for a method. It is in this folder; without a folder, handlers can return
/// only content.
/// Fails if the text has another form, or the file is not in the folder. Clients get an internal error.
pub async fn read_file(folder: Option<&Path>, method: &str, returned: &RawValue) -> Result<ReturnedValue, ApiError> {
    let internal = |reason: &dyn std::fmt::Display| ApiError::internal(format_args!("{method}: {reason}"));
    let returned = serde_json::from_str::<ReturnedFile>(returned.get());
    let returned = returned.map_err(|error| internal(&format_args!("the returned file is not valid: {error}")))?;
    let mut name = returned.name;
    let download = match (returned.file, returned.text, returned.base64) {
        (Some(path), None, None) => {
            let Some(folder) = folder.map(Path::to_owned) else {
                return Err(internal(&"a worker has returned a path, but the setting `files` names no folder"));
            };
            name = name.or_else(|| Some(Path::new(&path).file_name()?.to_str()?.to_owned()));
            // Opening a file can wait for the disk.
            let opened = tokio::task::spawn_blocking(move || open_inside(&folder, Path::new(&path))).await;
            let file = opened.map_err(|error| internal(&error))?.map_err(|error| internal(&error))?;
            Download::file(file)
        }
        (None, Some(text), None) => Download::bytes(text),
        (None, None, Some(text)) => {
            let bytes = BASE64_STANDARD.decode(text).map_err(|error| internal(&error))?;
            Download::bytes(bytes)
        }
        _ => return Err(internal(&"a returned file has either `file`, `text` or `base64`")),
    };
    let download = if let Some(name) = name { download.name(name) } else { download };
    let download = if let Some(media_type) = returned.r#type { download.media_type(media_type) } else { download };
    let download = if returned.inline { download.inline() } else { download };
    Ok(ReturnedValue::Download(Box::new(download)))
}

/// Opens a file inside of a folder. A relative path is relative to the folder. Links are followed, but not to files
/// outside of the folder.
fn open_inside(folder: &Path, path: &Path) -> io::Result<File> {
    let outside = || io::Error::other(format!("{} is not a file in the folder `files`", path.display()));
    let folder = folder.canonicalize()?;
    let path = folder.join(path).canonicalize()?;
    // A named pipe could not be opened without waiting.
    if !path.starts_with(&folder) || !path.metadata()?.is_file() {
        return Err(outside());
    }
    File::open(path)
}
