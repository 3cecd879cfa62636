//! Finds and reads the files of another project.

use std::fs;
use std::path::Path;

use super::{ProjectError, unusable};

/// Folders that contain code of others, or generated files.
const SKIPPED_FOLDERS: [&str; 4] = ["vendor", "node_modules", "target", "dist"];

/// The maximum number of files that are searched, in case that the folder is not a project.
const MAX_FILES: usize = 20_000;

/// The maximum size of a file that is searched, in bytes.
const MAX_FILE_SIZE: u64 = 8 << 20;

/// A text file of another project.
#[derive(Debug)]
pub(super) struct TextFile {
    /// The path relative to the folder of the project, with `/` between its parts.
    pub path: String,
    pub text: String,
}

impl TextFile {
    /// Returns the name of the file without its folders and its extension.
    pub(super) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Returns the line numbers, counted from 1, of the lines that contain a text.
    pub(super) fn lines_with<'a>(&'a self, part: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(move |(_, line)| line.contains(part))
    }
}

/// Reads the files below a folder whose names have one of the extensions, sorted by path. Hidden files, symbolic links,
/// dependencies and files that are not UTF-8 are omitted.
pub(super) fn read_files(root: &Path, extensions: &[&str]) -> Result<Vec<TextFile>, ProjectError> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| io_error(&folder, error))? {
            let entry = entry.map_err(|error| io_error(&folder, error))?;
            let kind = entry.file_type().map_err(|error| io_error(&entry.path(), error))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            count += 1;
            if count > MAX_FILES {
                let why = format!("the folder has more than {MAX_FILES} files; expected a project");
                return Err(unusable(root, &why));
            }
            if name.starts_with('.') || kind.is_symlink() {
                continue;
            }
            if kind.is_dir() {
                if !SKIPPED_FOLDERS.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if extensions.iter().any(|extension| name.ends_with(extension)) {
                found.extend(read_file(root, &path)?);
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn read_file(root: &Path, file: &Path) -> Result<Option<TextFile>, ProjectError> {
    let size = fs::metadata(file).map_err(|error| io_error(file, error))?.len();
    if size > MAX_FILE_SIZE {
        return Ok(None);
    }
    let bytes = fs::read(file).map_err(|error| io_error(file, error))?;
    let Ok(text) = String::from_utf8(bytes) else { return Ok(None) };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let parts = file.strip_prefix(root).unwrap_or(file).components();
    let path = parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
    Ok(Some(TextFile { path, text }))
}

fn io_error(file: &Path, error: std::io::Error) -> ProjectError {
    ProjectError::Io { file: file.to_owned(), error }
}
