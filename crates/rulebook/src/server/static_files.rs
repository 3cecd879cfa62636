//! Static files: the files of a folder that the settings name, and the files that are built into the program.
//!
//! No file outside of the folder is ever served. The segments of a requested path are decoded and checked one by one,
//! hidden files are not served, and after symbolic links have been resolved, the file must be inside the folder. The
//! content of a folder is not listed. Users that can write to the folder are trusted: a file that is replaced between
//! this check and its opening is not checked again.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use actix_web::web;
use http::HeaderValue;
use rulebook_model::uri::percent_decode;

use crate::call::ApiError;
use crate::plan::Document;
use crate::transfer;

/// The name of the file that is served for the path of a folder.
const INDEX_FILE: &str = "index.html";

const CSS_MEDIA_TYPE: &str = "text/css; charset=utf-8";
const SCRIPT_MEDIA_TYPE: &str = "text/javascript; charset=utf-8";

/// The built-in files, each with its media type: the JavaScript client of APIs, and the files that the documentation
/// pages load.
const BUILT_IN_FILES: [(&str, &str, &[u8]); 15] = [
    ("rulebook.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/rulebook.js")),
    ("rulebook.d.ts", "text/plain; charset=utf-8", include_bytes!("../../static/rulebook.d.ts")),
    ("theme.css", CSS_MEDIA_TYPE, include_bytes!("../../static/theme.css")),
    ("theme.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/theme.js")),
    ("docs.css", CSS_MEDIA_TYPE, include_bytes!("../../static/docs.css")),
    ("docs.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/docs.js")),
    ("credential.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/credential.js")),
    ("element.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/element.js")),
    ("highlight.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/highlight.js")),
    ("form.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/form.js")),
    ("snippets-javascript.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/snippets-javascript.js")),
    ("snippets.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/snippets.js")),
    ("response.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/response.js")),
    ("swagger.css", CSS_MEDIA_TYPE, include_bytes!("../../static/swagger.css")),
    ("swagger.js", SCRIPT_MEDIA_TYPE, include_bytes!("../../static/swagger.js")),
];

/// The built-in files as documents, which can be sent. They are created when the first of them is requested.
static BUILT_IN_DOCUMENTS: LazyLock<[(&str, Document); 15]> =
    LazyLock::new(|| BUILT_IN_FILES.map(|(name, media_type, bytes)| (name, Document::new(media_type, bytes))));

/// Returns the built-in file with this name; `None` if the feature `documents` of the crate is disabled.
fn built_in_file(name: &Path) -> Option<&'static Document> {
    let files = if cfg!(feature = "documents") { &BUILT_IN_DOCUMENTS[..] } else { &[] };
    files.iter().find(|(file, _)| Path::new(file) == name).map(|(_, document)| document)
}

/// Returns the built-in file with this name, which the documentation pages load from `/docs/` even if a static folder
/// exists; `None` if there is no such file.
pub(super) fn docs_file(name: &str) -> Option<&'static Document> {
    built_in_file(Path::new(name))
}

/// The maximum length in bytes of a path of a static file. Operating systems open no files with longer paths.
const MAX_PATH_LEN: usize = 4096;

/// Where static files come from.
#[derive(Debug, Default)]
pub(super) enum StaticFiles {
    /// The files that are built into the program are served.
    #[default]
    BuiltIn,
    /// The files in this folder are served. Symbolic links in the path of the folder have been resolved.
    Folder(PathBuf),
}

/// The static file or folder that was found at a path.
pub(super) enum StaticFile {
    /// A file that is built into the program.
    BuiltIn(&'static Document),
    /// A file in the static folder.
    File {
        /// The open file.
        file: std::fs::File,
        /// The value of `Content-Type`, which depends on the extension of the file name.
        media_type: HeaderValue,
    },
    /// A folder that was requested without a slash at the end of the path.
    Folder,
}

impl StaticFiles {
    /// Returns the folder as the source of static files or, if there is no folder at this path, the built-in files.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let folder = folder.and_then(|folder| folder.canonicalize().ok()).filter(|folder| folder.is_dir());
        folder.map_or(Self::BuiltIn, Self::Folder)
    }

    /// Finds the file at a percent-encoded path, without the slash at its beginning. If the folder contains no file
    /// `index.html`, built-in files are served in place of files that do not exist.
    ///
    /// # Errors
    /// Fails if the file exists but cannot be opened.
    pub(super) async fn find_file(&self, path: &str) -> Result<Option<StaticFile>, ApiError> {
        let Some(name) = relative_path(path) else { return Ok(None) };
        match self {
            Self::BuiltIn => Ok(built_in_file(&name).map(StaticFile::BuiltIn)),
            // Most requests for unknown paths end here. The system remembers which files do not exist.
            Self::Folder(folder) if is_missing(&folder.join(&name)) => Ok(instead_of_missing(folder, &name)),
            Self::Folder(folder) => {
                let (folder, in_folder) = (folder.clone(), name);
                // The file is opened on another thread, because the disk may be slow and the worker has other requests.
                let open = move || match open_in_folder(&folder, &in_folder)? {
                    None => Ok(instead_of_missing(&folder, &in_folder)),
                    file => Ok(file),
                };
                web::block(open).await.map_err(ApiError::internal)?
            }
        }
    }
}

/// Returns the built-in file that is served in place of a file that the folder does not contain. A folder with a file
/// `index.html` replaces all built-in files.
fn instead_of_missing(folder: &Path, name: &Path) -> Option<StaticFile> {
    if folder.join(INDEX_FILE).is_file() { None } else { built_in_file(name).map(StaticFile::BuiltIn) }
}

/// Returns `true` if there is certainly nothing at this path.
fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Decodes a path to a file path relative to the static folder; `None` if a file with this path must not be served.
fn relative_path(path: &str) -> Option<PathBuf> {
    if path.len() > MAX_PATH_LEN {
        return None;
    }
    let is_folder = path.is_empty() || path.ends_with('/');
    let segments = path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty());
    let mut name = PathBuf::new();
    for segment in segments {
        let segment = percent_decode(segment).ok()?;
        // On this system, the segment must be a plain file name: not `..`, and not a name that contains a separator or
        // a drive.
        let mut components = Path::new(&*segment).components();
        let plain = matches!(components.next(), Some(Component::Normal(name)) if name == &*segment);
        if !plain || components.next().is_some() || segment.starts_with('.') || segment.contains('\0') {
            return None;
        }
        name.push(&*segment);
    }
    if is_folder {
        name.push(INDEX_FILE);
    }
    Some(name)
}

/// Opens the file at a path relative to the static folder; `None` if no file with this path can be served.
fn open_in_folder(folder: &Path, name: &Path) -> Result<Option<StaticFile>, ApiError> {
    let opened = folder.join(name).canonicalize().and_then(|path| {
        // A symbolic link may lead to a file outside of the folder.
        let inside = path.starts_with(folder);
        let kind = path.metadata()?;
        Ok(match (inside, kind.is_dir(), kind.is_file()) {
            (true, true, _) => Some(StaticFile::Folder),
            (true, _, true) => {
                let file = std::fs::File::open(&path)?;
                Some(StaticFile::File { file, media_type: media_type_with_charset(&path) })
            }
            // Anything else is not opened, because opening it could wait forever: a named pipe, for example.
            _ => None,
        })
    });
    opened.or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Ok(None),
        _ => Err(ApiError::internal(format_args!("{}: {error}", name.display()))),
    })
}

/// Returns the value of `Content-Type` for the extension of a file name. Text files are served as UTF-8.
fn media_type_with_charset(path: &Path) -> HeaderValue {
    let media_type = transfer::media_type_by_name(path.to_str());
    match media_type.to_str() {
        Ok(text) if text.starts_with("text/") && text != "text/xml" => {
            HeaderValue::try_from(format!("{text}; charset=utf-8")).unwrap_or(media_type)
        }
        _ => media_type,
    }
}
