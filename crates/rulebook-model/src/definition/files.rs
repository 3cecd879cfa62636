//! Reads the files of a definition, and parses their text.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::thread;

use super::jsonc::{self, JsonNode, MAX_FILE_BYTES};
use super::syntax_error;
use crate::diagnostic::{Diagnostic, DiagnosticCode, Sources};
use crate::span::Span;

/// The content of a definition file, or why the content is not available.
pub(super) enum FileContent {
    Bytes(Vec<u8>),
    /// The file has more than [`MAX_FILE_BYTES`] bytes.
    TooLarge,
    Unreadable(io::Error),
}

/// The definition files of a folder.
pub(super) struct FolderContent {
    pub(super) files: Vec<(PathBuf, FileContent)>,
    /// The files whose names resemble those of definition files, and the first definition file of each subfolder.
    pub(super) unread: Vec<PathBuf>,
}

/// The extensions, besides `json` and `jsonc` in another case, of files that may be meant as definition files.
const UNREAD_EXTENSIONS: [&str; 4] = ["yaml", "yml", "json5", "toml"];

/// Returns `true` if a file in the folder of a definition is a part of the definition, by its name: `*.json` or
/// `*.jsonc`, and not hidden.
#[must_use]
pub fn is_definition_file(path: &Path) -> bool {
    path.extension().is_some_and(is_definition_extension) && !is_hidden(path)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

pub(super) fn is_definition_extension(extension: &OsStr) -> bool {
    extension == "json" || extension == "jsonc"
}

/// Reads the definition files of a folder (`*.json` and `*.jsonc`, except hidden files), sorted by file name. Fails if
/// they cannot be listed.
pub(super) fn read_folder(folder: &Path) -> io::Result<FolderContent> {
    let (mut paths, mut unread) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let path = folder.join(entry?.file_name());
        // A symbolic link without a target has no metadata. It counts as a file here, so that opening it reports the
        // error.
        let is_file = fs::metadata(&path).map_or(true, |metadata| metadata.is_file());
        if is_hidden(&path) {
            continue;
        }
        if !is_file {
            unread.extend(definition_file_in(&path));
            continue;
        }
        let lowercase = path.extension().unwrap_or_default().to_ascii_lowercase();
        if is_definition_file(&path) {
            paths.push(path);
        } else if is_definition_extension(&lowercase) || UNREAD_EXTENSIONS.iter().any(|other| lowercase == **other) {
            unread.push(path);
        }
    }
    paths.sort();
    unread.sort();
    let contents = paths.into_iter().map(|path| {
        let content = read_file(&path).unwrap_or_else(FileContent::Unreadable);
        (path, content)
    });
    Ok(FolderContent { files: contents.collect(), unread })
}

/// Returns the first definition file in a folder.
fn definition_file_in(folder: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    files.filter(|path| is_definition_file(path) && path.is_file()).min()
}

pub(super) fn read_file(path: &Path) -> io::Result<FileContent> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(content_from_bytes(bytes))
}

pub(super) fn content_from_bytes(bytes: Vec<u8>) -> FileContent {
    if bytes.len() > MAX_FILE_BYTES { FileContent::TooLarge } else { FileContent::Bytes(bytes) }
}

/// The text of a file, and what the parser has found in it.
pub(super) struct ParsedFile {
    text: String,
    /// `None` if the text cannot be read or parsed.
    node: Option<JsonNode>,
    diagnostics: Vec<Diagnostic>,
}

impl ParsedFile {
    /// Parses the content of the file with the index `file` in the sources.
    pub(super) fn new(file: u32, content: FileContent) -> Self {
        let (code, message) = match content {
            FileContent::Bytes(bytes) => {
                let (text, invalid_byte) = jsonc::decode_utf8(&bytes);
                let mut diagnostics = Vec::new();
                let node = match invalid_byte {
                    Some(offset) => {
                        diagnostics.push(syntax_error::not_utf8_error(file, offset));
                        None
                    }
                    None => jsonc::parse_json(file, &text, &mut diagnostics),
                };
                return Self { text, node, diagnostics };
            }
            FileContent::TooLarge => {
                (DiagnosticCode::Syntax, format!("this file is larger than {} MiB", MAX_FILE_BYTES >> 20))
            }
            FileContent::Unreadable(error) => {
                (DiagnosticCode::MissingDefinition, format!("cannot read this file: {error}"))
            }
        };
        Self { text: String::new(), node: None, diagnostics: vec![Diagnostic::new(code, start_of_file(file), message)] }
    }

    /// Adds the file and its errors to those of the definition, and returns its content.
    pub(super) fn add_to(
        self,
        path: PathBuf,
        sources: &mut Sources,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<JsonNode> {
        sources.add(path, self.text);
        diagnostics.extend(self.diagnostics);
        self.node
    }
}

/// Applies a function to the files of a definition, in as many threads as there are processors, and returns the results
/// in the order of the files.
pub(super) fn in_parallel<T: Send, R: Send>(files: Vec<T>, apply: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let count = files.len().div_ceil(threads).max(1);
    let mut rest = files.into_iter();
    thread::scope(|scope| {
        let apply = &apply;
        let started: Vec<_> = (1..threads)
            .map(|_| rest.by_ref().take(count).collect::<Vec<_>>())
            .filter(|files| !files.is_empty())
            .map(|files| scope.spawn(move || files.into_iter().map(apply).collect::<Vec<_>>()))
            .collect();
        let last: Vec<_> = rest.map(apply).collect();
        let results = started.into_iter().flat_map(|thread| match thread.join() {
            Ok(results) => results,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.chain(last).collect()
    })
}

pub(super) fn start_of_file(file: u32) -> Span {
    Span { file, start: 0, end: 0 }
}
