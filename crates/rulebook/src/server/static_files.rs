//! The files of the static folder, or the built-in page of the API if there is no such folder.
//!
//! No file outside of the folder is ever served: the segments of a path are decoded and checked one by one, hidden
//! files are not served, and the path must be inside the folder after links have been followed. Folders are not listed.
//! Users that can write to the folder are trusted: a file that is replaced just before it is opened is not checked
//! again.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use actix_web::web;
use http::HeaderValue;
use percent_encoding::percent_decode_str;

use crate::call::ApiError;
use crate::plan::Document;
use crate::transfer;

/// The file that is served for a folder.
const INDEX: &str = "index.html";

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The built-in files: the page that lists the methods and calls them, the client library that it uses, and the files
/// that the documentation pages load.
const PAGE: [(&str, &str, &[u8]); 9] = [
    (INDEX, "text/html; charset=utf-8", include_bytes!("../../static/index.html")),
    ("index.js", SCRIPT, include_bytes!("../../static/index.js")),
    ("form.js", SCRIPT, include_bytes!("../../static/form.js")),
    ("rulebook.js", SCRIPT, include_bytes!("../../static/rulebook.js")),
    ("rulebook.d.ts", "text/plain; charset=utf-8", include_bytes!("../../static/rulebook.d.ts")),
    ("theme.css", CSS, include_bytes!("../../static/theme.css")),
    ("style.css", CSS, include_bytes!("../../static/style.css")),
    ("docs.css", CSS, include_bytes!("../../static/docs.css")),
    ("docs.js", SCRIPT, include_bytes!("../../static/docs.js")),
];

/// The built-in files that the documentation pages load from `/docs/`, even if there is a static folder.
const DOCS: [&str; 6] = ["theme.css", "docs.css", "docs.js", "form.js", "rulebook.js", "rulebook.d.ts"];

/// The built-in files as documents, which are created when the first of them is requested.
static BUILT_IN: LazyLock<[(&str, Document); 9]> =
    LazyLock::new(|| PAGE.map(|(name, media_type, bytes)| (name, Document::new(media_type, bytes))));

/// Returns the built-in file with this name. Without the feature `documents`, no file is built in.
fn built_in(name: &Path) -> Option<&'static Document> {
    let files = if cfg!(feature = "documents") { &BUILT_IN[..] } else { &[] };
    files.iter().find(|(file, _)| Path::new(file) == name).map(|(_, document)| document)
}

/// Returns the built-in file with this name that the documentation pages load from `/docs/`.
pub(super) fn docs_file(name: &str) -> Option<&'static Document> {
    DOCS.contains(&name).then(|| built_in(Path::new(name))).flatten()
}

/// The source of static files.
#[derive(Debug, Default)]
pub(super) enum StaticFiles {
    /// The files that are built into the program.
    #[default]
    BuiltIn,
    /// The files of a folder. Symbolic links in the path of the folder have been resolved.
    Folder(PathBuf),
}

/// A static file or folder at a path.
pub(super) enum StaticFile {
    /// A built-in file.
    BuiltIn(&'static Document),
    /// A file of the folder.
    File {
        /// The open file.
        file: std::fs::File,
        /// The media type by the name of the file.
        media_type: HeaderValue,
    },
    /// A folder, requested without a slash at the end of its path.
    Folder,
}

impl StaticFiles {
    /// Returns the files of the folder, or the built-in files if there is no folder.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let folder = folder.and_then(|folder| folder.canonicalize().ok()).filter(|folder| folder.is_dir());
        folder.map_or(Self::BuiltIn, Self::Folder)
    }

    /// Finds the file at a raw path below the folder, without its leading slash. If the folder has no file
    /// `index.html`, the built-in page and its files are served instead.
    ///
    /// # Errors
    /// Fails if the file exists but cannot be opened.
    pub(super) async fn find(&self, path: &str) -> Result<Option<StaticFile>, ApiError> {
        let Some(name) = relative_path(path) else { return Ok(None) };
        match self {
            Self::BuiltIn => Ok(built_in(&name).map(StaticFile::BuiltIn)),
            Self::Folder(folder) => {
                let (folder, in_folder) = (folder.clone(), name);
                // The folder may be on a slow disk, and the worker has other requests.
                let open = move || match open(&folder, &in_folder)? {
                    None if !folder.join(INDEX).is_file() => Ok(built_in(&in_folder).map(StaticFile::BuiltIn)),
                    file => Ok(file),
                };
                web::block(open).await.map_err(ApiError::internal)?
            }
        }
    }
}

/// Returns the path of a file below the folder; `None` if a file with this name must not be served.
fn relative_path(path: &str) -> Option<PathBuf> {
    let is_folder = path.is_empty() || path.ends_with('/');
    let segments = path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty());
    let mut name = PathBuf::new();
    for segment in segments {
        let segment: Cow<'_, str> = percent_decode_str(segment).decode_utf8().ok()?;
        // The segment must be a plain file name on this system: neither `..` nor a name that contains a separator or a
        // drive.
        let mut components = Path::new(&*segment).components();
        let plain = matches!(components.next(), Some(Component::Normal(name)) if name == &*segment);
        if !plain || components.next().is_some() || segment.starts_with('.') || segment.contains('\0') {
            return None;
        }
        name.push(&*segment);
    }
    if is_folder {
        name.push(INDEX);
    }
    Some(name)
}

/// Opens a file of the folder.
fn open(folder: &Path, name: &Path) -> Result<Option<StaticFile>, ApiError> {
    let opened = folder.join(name).canonicalize().and_then(|path| {
        // A symbolic link may point outside of the folder.
        let inside = path.starts_with(folder);
        let kind = path.metadata()?;
        Ok(match (inside, kind.is_dir(), kind.is_file()) {
            (true, true, _) => Some(StaticFile::Folder),
            (true, _, true) => {
                let file = std::fs::File::open(&path)?;
                Some(StaticFile::File { file, media_type: media_type(&path) })
            }
            // Opening anything else, such as a pipe, could wait forever.
            _ => None,
        })
    });
    opened.or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Ok(None),
        _ => Err(ApiError::internal(format_args!("{}: {error}", name.display()))),
    })
}

/// Returns the media type for the extension of a file name. Text is served as UTF-8.
fn media_type(path: &Path) -> HeaderValue {
    let media_type = transfer::media_type(path.to_str());
    match media_type.to_str() {
        Ok(text) if text.starts_with("text/") && text != "text/xml" => {
            HeaderValue::try_from(format!("{text}; charset=utf-8")).unwrap_or(media_type)
        }
        _ => media_type,
    }
}
