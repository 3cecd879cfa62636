//! The PHP script that calls classes of api 3.0, and its file in the data folder.

use std::io;
use std::path::{Path, PathBuf};

/// The bridge.
const SOURCE: &str = include_str!("bridge.php");
/// The name of its file in the data folder.
const FILE_NAME: &str = "fastcgi-api3.php";

/// Writes the bridge to the data folder, unless it is there, and returns its absolute path. Other programs never see a
/// part of the file.
pub async fn write(data_folder: &Path) -> io::Result<PathBuf> {
    let folder = tokio::fs::canonicalize(data_folder).await?;
    let path = folder.join(FILE_NAME);
    if tokio::fs::read(&path).await.is_ok_and(|written| written == SOURCE.as_bytes()) {
        return Ok(path);
    }
    // Programs that share the data folder write the same bytes.
    let temporary = folder.join(format!("{FILE_NAME}.{}", std::process::id()));
    tokio::fs::write(&temporary, SOURCE).await?;
    tokio::fs::rename(&temporary, &path).await?;
    Ok(path)
}
