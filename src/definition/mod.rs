//! A definition as it is written: text with places, before anything is meant by it.
//!
//! In charge of reading files as JSON with comments, recognising their
//! dialect, and taking apart what the dialect's keys say into one written
//! form. Finds faults of the text (`syntax`, `duplicate-key`, `unknown-key`,
//! `wrong-kind`, `unknown-dialect`, `missing-definition`). Must not know what
//! types, paths or permissions mean: that is [`crate::compile`].

mod app;
mod dialect;
mod files;
pub mod keys;
pub mod manner;
mod object;
mod syntax;
mod text;
pub mod written;

pub(crate) use dialect::METHOD_NAMES;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Sources};
use crate::place::Place;
use files::Content;
use text::{Data, Node};
use written::Definition;

/// What reading a definition gave.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Its files, for the places in the other two.
    pub sources: Sources,
    /// What it says; of a faulty one what could be read.
    pub definition: Definition,
    /// The faults of its text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the definition that is in a folder: its `*.json` and `*.jsonc` files,
/// hidden ones left out, in the order of their names. Folders in it are not read.
#[must_use]
pub fn load(folder: &Path) -> Loaded {
    match files::list(folder) {
        Ok(files) => judge(folder, files),
        Err(error) => {
            let mut loaded = Loaded::default();
            let words = format!("the folder `{}` cannot be read: {error}", folder.display());
            missing(&mut loaded, folder, words);
            loaded
        }
    }
}

/// Reads a definition from files that are in memory, in their order. Paths only
/// name them: their last parts as in a folder, the whole in diagnostics.
#[must_use]
pub fn read(files: Vec<(PathBuf, Vec<u8>)>) -> Loaded {
    let first = files.first().and_then(|(path, _)| path.parent());
    let folder = first.unwrap_or(Path::new("")).to_owned();
    let files = files.into_iter().map(|(path, bytes)| (path, files::bounded(bytes)));
    judge(&folder, files.collect())
}

/// Reads all files.
fn judge(folder: &Path, files: Vec<(PathBuf, Content)>) -> Loaded {
    let mut loaded = Loaded::default();
    let mut settings = Vec::new();
    let mut unreadable_settings = false;
    let mut found = false;
    for (path, content) in files {
        let is_app = path.file_stem().is_some_and(|stem| stem == "app");
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let node = open(path, content, &mut loaded);
        let holds_modules = node.as_ref().is_some_and(holds_modules);
        found |= !is_app || holds_modules;
        match node {
            Some(node) if is_app || holds_modules => settings.push(node),
            Some(node) => {
                let modules = dialect::read(&name.unwrap_or_default(), &node, &mut loaded.diagnostics);
                loaded.definition.modules.extend(modules);
            }
            // Of a file that could not be read nobody knows what is in it.
            None => {
                unreadable_settings |= is_app;
                found = true;
            }
        }
    }
    app::read(settings, &mut loaded.definition, &mut loaded.diagnostics);
    loaded.definition.app.damaged |= unreadable_settings;
    if !found {
        let words = format!("the folder `{}` holds no definition file", folder.display());
        missing(&mut loaded, folder, words);
    }
    loaded
}

/// Makes a file known and reads its text.
fn open(path: PathBuf, content: Content, loaded: &mut Loaded) -> Option<Node> {
    let (code, words) = match content {
        Content::Bytes(bytes) => {
            let (text, bad) = text::decode(&bytes);
            let file = loaded.sources.add(path, text);
            if let Some(offset) = bad {
                loaded.diagnostics.push(syntax::not_utf8(file, offset));
                return None;
            }
            let text = &loaded.sources.get(file)?.text;
            return text::parse(file, text, &mut loaded.diagnostics);
        }
        Content::TooLarge => (Code::Syntax, format!("this file is larger than {} MiB", text::MAX_BYTES >> 20)),
        Content::Unreadable(error) => (Code::MissingDefinition, format!("this file cannot be read: {error}")),
    };
    let file = loaded.sources.add(path, String::new());
    loaded.diagnostics.push(Diagnostic::new(code, whole(file), words));
    None
}

/// Whether a file is the document of a whole API.
fn holds_modules(node: &Node) -> bool {
    let Data::Object(members) = &node.data else {
        return false;
    };
    let has = |name: &str| members.list.iter().any(|member| member.key.value == name);
    has("modules") && !has("dialect")
}

/// Tells that there is no definition.
fn missing(loaded: &mut Loaded, folder: &Path, words: String) {
    let file = loaded.sources.add(folder.to_owned(), String::new());
    loaded.diagnostics.push(Diagnostic::new(Code::MissingDefinition, whole(file), words).help(
        "a definition is a folder of `*.json` files beside `app.json`, which is optional; `--api` says where \
                 it is, `rulebook new` makes a project with one",
    ));
}

/// The place of a file as a whole.
fn whole(file: u32) -> Place {
    Place { file, start: 0, end: 0 }
}
