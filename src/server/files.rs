//! The files of the static folder, or the built-in page of the API where there is no such folder.
//!
//! Nothing outside of the folder is ever given out: names are taken apart and judged one by one, hidden ones do
//! not count, and where links have been followed the file must still be inside. Folders are not listed. Who may write
//! to the folder is trusted: what is put in a file's place just before it is opened has not been judged.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use actix_files::NamedFile;
use actix_web::web;
use percent_encoding::percent_decode_str;

use crate::call::Refusal;
use crate::plan::Document;

/// What a folder is shown as.
const INDEX: &str = "index.html";

const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The page of the API, which lists and calls what OPTIONS tells, the client that it calls by, and what the pages of the
/// docs load.
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

/// Those of them that pages below `/docs/` load from there, whatever static folder there is.
const DOCS: [&str; 6] = ["theme.css", "docs.css", "docs.js", "form.js", "rulebook.js", "rulebook.d.ts"];

/// All of them, made ready when the first is asked for.
static BUILT_IN: LazyLock<[(&str, Document); 9]> =
    LazyLock::new(|| PAGE.map(|(name, media_type, bytes)| (name, Document::new(media_type, bytes))));

/// The built-in file of this name; none where there is none.
fn built_in(name: &Path) -> Option<&'static Document> {
    BUILT_IN.iter().find(|(own, _)| Path::new(own) == name).map(|(_, document)| document)
}

/// The built-in file of this name that is at `/docs/`; none where there is none.
pub(super) fn of_docs(name: &str) -> Option<&'static Document> {
    DOCS.contains(&name).then(|| built_in(Path::new(name))).flatten()
}

/// Where static files come from.
#[derive(Debug, Default)]
pub(super) enum Files {
    /// The program itself.
    #[default]
    BuiltIn,
    /// A folder, links in its path followed.
    Folder(PathBuf),
}

/// What is at a path.
pub(super) enum File {
    /// A part of the built-in page.
    BuiltIn(&'static Document),
    /// A file of the folder, open.
    Open(Box<NamedFile>),
    /// A folder, which is shown by its name with a slash behind it.
    Folder,
}

impl Files {
    /// Those of the folder; the built-in ones where there is none.
    pub(super) fn new(folder: Option<&Path>) -> Self {
        let folder = folder.and_then(|folder| folder.canonicalize().ok()).filter(|folder| folder.is_dir());
        folder.map_or(Self::BuiltIn, Self::Folder)
    }

    /// What is at a path below the folder: as it was sent, without a slash in front.
    ///
    /// # Errors
    /// The file is there but cannot be read.
    pub(super) async fn find(&self, path: &str) -> Result<Option<File>, Refusal> {
        let Some(name) = name(path) else { return Ok(None) };
        match self {
            Self::BuiltIn => Ok(built_in(&name).map(File::BuiltIn)),
            Self::Folder(folder) => {
                let folder = folder.clone();
                // A folder may be on a slow disk, and the worker has others to answer.
                web::block(move || open(&folder, &name)).await.map_err(Refusal::internal)?
            }
        }
    }
}

/// The name of a file below the folder; none where no file that may be given out can have it.
fn name(path: &str) -> Option<PathBuf> {
    let is_folder = path.is_empty() || path.ends_with('/');
    let segments = path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty());
    let mut name = PathBuf::new();
    for segment in segments {
        let segment: Cow<'_, str> = percent_decode_str(segment).decode_utf8().ok()?;
        // One plain name for this system: neither `..` nor a name with a separator or a drive in it.
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
fn open(folder: &Path, name: &Path) -> Result<Option<File>, Refusal> {
    let opened = folder.join(name).canonicalize().and_then(|path| {
        // A link may lead anywhere.
        let inside = path.starts_with(folder);
        let kind = path.metadata()?;
        Ok(match (inside, kind.is_dir(), kind.is_file()) {
            (true, true, _) => Some(File::Folder),
            (true, _, true) => Some(File::Open(Box::new(NamedFile::open(path)?))),
            // Opening what is neither, such as a pipe, could wait for ever.
            _ => None,
        })
    });
    opened.or_else(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => Ok(None),
        _ => Err(Refusal::internal(format_args!("{}: {error}", name.display()))),
    })
}
