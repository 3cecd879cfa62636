//! Parses the text of definition files into the parsed definition.
//!
//! The parser reads the files as JSON with comments, detects the dialect (the format) of each file, and converts all
//! dialects to the structures in [`parsed`]. It reports errors of the text (`syntax`, `duplicate-key`, `unknown-key`,
//! `wrong-kind`, `unknown-dialect`, `missing-definition`). The types, paths and permissions in the definition are
//! checked later by [`crate::compile`].

mod checked_object;
mod dialect;
pub mod dialect_spec;
mod jsonc;
pub mod keys;
pub mod parsed;
mod versions;

pub(crate) use checked_object::{CheckedObject, wrong_kind_error};
pub(crate) use dialect::{DialectReader, HTTP_METHOD_NAMES, TREE_OBJECT_KEYS, read_permission_groups};
pub use jsonc::{JsonData, JsonMember, JsonMembers, JsonNode};

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::{fs, io, thread};

use crate::diagnostic::{Diagnostic, DiagnosticCode, Sources};
use crate::span::Span;
use checked_object::named_members;
use dialect_spec::TREE;
use jsonc::{MAX_FILE_BYTES, duplicate_key_error};
use keys::{APP, WHOLE_API_KEYS};
use parsed::{AppSettings, Definition};
use versions::VersionNames;

/// The result of loading the files of a definition and parsing their text.
#[derive(Debug, Default)]
pub struct LoadedDefinition {
    /// The files of the definition, to which the spans in `definition` and `diagnostics` refer.
    pub sources: Sources,
    /// The parsed definition. Erroneous values are omitted. If the API has versions, it contains all of them, and
    /// values that only some versions have are optional.
    pub definition: Definition,
    /// The parts of the definition that each version has, in the order of the versions; empty if the API has none.
    pub versions: Vec<Definition>,
    /// A diagnostic for every error in the text of the files.
    pub diagnostics: Vec<Diagnostic>,
    /// A warning for each file in the folder that looks like a part of the definition, but is not read.
    pub warnings: Vec<Diagnostic>,
    /// The folder that contains the files.
    pub folder: PathBuf,
}

/// Parses the definition in a folder, which consists of the `*.json` and `*.jsonc` files of the folder, sorted by name.
/// Hidden files and subfolders are ignored. Files with similar names, such as `*.yaml`, cause a warning.
#[must_use]
pub fn load(folder: &Path) -> LoadedDefinition {
    match read_folder(folder) {
        Ok(FolderContent { files, unread }) => {
            let mut loaded = parse_files(folder, files);
            for path in unread {
                let warning = unread_file_warning(&path, &mut loaded.sources);
                loaded.warnings.push(warning);
            }
            loaded
        }
        Err(error) => {
            let mut loaded = LoadedDefinition::default();
            let message = format!("cannot read the folder `{}`: {error}", folder.display());
            report_missing_definition(&mut loaded, folder, message);
            loaded
        }
    }
}

/// Parses a definition from files in memory, each with its path. The file name in a path has the same meaning as in a
/// folder. Diagnostics show the whole path.
///
/// ```
/// let text = br#"{ "/": { "ping": { "GET": { "info": "Check that the server is running" } } } }"#;
/// let loaded = rulebook_model::definition::read(vec![("api/ping.json".into(), text.to_vec())]);
/// assert!(loaded.diagnostics.is_empty());
/// let module = &loaded.definition.modules[0];
/// assert_eq!((module.name.value.as_str(), module.services[0].path.value.as_str()), ("ping", "/ping"));
/// ```
#[must_use]
pub fn read(files: Vec<(PathBuf, Vec<u8>)>) -> LoadedDefinition {
    let first = files.first().and_then(|(path, _)| path.parent());
    let folder = first.unwrap_or(Path::new("")).to_owned();
    let files = files.into_iter().map(|(path, bytes)| (path, content_from_bytes(bytes)));
    parse_files(&folder, files.collect())
}

fn parse_files(folder: &Path, files: Vec<(PathBuf, FileContent)>) -> LoadedDefinition {
    let mut loaded = LoadedDefinition { folder: folder.to_owned(), ..LoadedDefinition::default() };
    let mut documents = Documents::default();
    let (mut has_modules, mut has_unread_modules, mut has_unread_settings) = (false, false, false);
    let files = (0..).zip(files).collect();
    for (path, parsed) in in_parallel(files, |(file, (path, content))| (path, ParsedFile::new(file, content))) {
        let is_app = path.file_stem().is_some_and(|stem| stem == "app");
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let node = parsed.add_to(path, &mut loaded.sources, &mut loaded.diagnostics);
        let is_whole_api = node.as_ref().is_some_and(is_whole_api);
        has_modules |= !is_app || is_whole_api;
        match node {
            Some(node) if is_app || is_whole_api => documents.settings.push(node),
            Some(node) => documents.modules.push((name.unwrap_or_default(), node)),
            // A file that could not be parsed may contain API modules, so they must not be reported as missing.
            None if is_app => (has_modules, has_unread_settings) = (true, true),
            None => (has_modules, has_unread_modules) = (true, true),
        }
    }
    let names = VersionNames::of_settings(&documents.settings);
    documents.nodes_with_versions().for_each(|node| names.check(node, &mut loaded.diagnostics));
    loaded.versions =
        names.iter().map(|(version, _)| documents.part_of(&names, version).read(&mut Vec::new())).collect();
    documents.nodes_with_versions().for_each(versions::unite);
    loaded.definition = documents.read(&mut loaded.diagnostics);
    let app = &mut loaded.definition.app;
    app.is_incomplete |= has_unread_settings || (has_unread_modules && !app.common.is_empty());
    if !has_modules {
        let message = format!("the folder `{}` contains no definition files", folder.display());
        report_missing_definition(&mut loaded, folder, message);
    }
    loaded
}

/// The files of a definition, after their text was parsed.
#[derive(Default)]
struct Documents {
    settings: Vec<JsonNode>,
    modules: Vec<(String, JsonNode)>,
}

impl Documents {
    /// Returns the files whose parts can belong to some versions only.
    fn nodes_with_versions(&mut self) -> impl Iterator<Item = &mut JsonNode> {
        let modules = self.modules.iter_mut().map(|(_, node)| node).filter(|node| dialect::can_have_versions(node));
        self.settings.iter_mut().chain(modules)
    }

    /// Returns the part of the files that belongs to one version.
    fn part_of(&self, names: &VersionNames, version: usize) -> Self {
        let part = |(name, node): &(String, JsonNode)| {
            let part = if dialect::can_have_versions(node) { names.part_of(node, version) } else { Some(node.clone()) };
            Some((name.clone(), part?))
        };
        Self {
            settings: self.settings.iter().filter_map(|node| names.part_of(node, version)).collect(),
            modules: self.modules.iter().filter_map(part).collect(),
        }
    }

    fn read(self, diagnostics: &mut Vec<Diagnostic>) -> Definition {
        let mut definition = Definition::default();
        let read = |(name, node): (String, JsonNode)| {
            let mut diagnostics = Vec::new();
            (dialect::read_api_modules(&name, &node, &mut diagnostics), diagnostics)
        };
        for (modules, errors) in in_parallel(self.modules, read) {
            definition.modules.extend(modules);
            diagnostics.extend(errors);
        }
        read_settings_and_modules(self.settings, &mut definition, diagnostics);
        definition
    }
}

/// Reads and parses a file of another kind that is written as definition files are.
pub(crate) fn read_document(path: &Path, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Option<JsonNode> {
    let content = read_file(path).unwrap_or_else(FileContent::Unreadable);
    ParsedFile::new(sources.next_index(), content).add_to(path.to_owned(), sources, diagnostics)
}

/// Parses a file in memory, as [`read_document`] does.
pub(crate) fn parse_document(
    path: PathBuf,
    bytes: Vec<u8>,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<JsonNode> {
    ParsedFile::new(sources.next_index(), content_from_bytes(bytes)).add_to(path, sources, diagnostics)
}

fn is_whole_api(node: &JsonNode) -> bool {
    let JsonData::Object(members) = &node.data else {
        return false;
    };
    let has = |name: &str| members.list.iter().any(|member| member.key.value == name);
    has("modules") && !has("dialect")
}

/// Reads the settings and the API modules of all files that have settings, which are merged into one object.
fn read_settings_and_modules(documents: Vec<JsonNode>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    let Some(span) = documents.first().map(|node| node.span) else {
        return;
    };
    let mut merged = JsonMembers::default();
    for node in documents {
        match node.data {
            JsonData::Object(members) => merge_members(&mut merged, members, diagnostics),
            _ => {
                merged.is_incomplete = true;
                diagnostics.push(wrong_kind_error(APP.subject, "an object", &node));
            }
        }
    }
    let node = JsonNode { data: JsonData::Object(merged), span, escaped: None, expanded: None };
    if let Some(object) = CheckedObject::new(&node, &APP, diagnostics) {
        read_api_modules(&object, definition, diagnostics);
        definition.app = read_settings(object, diagnostics);
    }
}

/// Adds the members of another settings file to `merged`. Reports settings that both files have.
fn merge_members(merged: &mut JsonMembers, more: JsonMembers, diagnostics: &mut Vec<Diagnostic>) {
    merged.is_incomplete |= more.is_incomplete;
    let before = merged.list.len();
    for member in more.list {
        let is_same = |old: &&JsonMember| old.key.value == member.key.value && !old.is_comment();
        match merged.list[..before].iter().find(is_same) {
            Some(old) => {
                merged.is_incomplete = true;
                diagnostics.push(duplicate_key_error(&member.key.value, member.key.span, old.key.span));
            }
            None => merged.list.push(member),
        }
    }
}

fn read_api_modules(object: &CheckedObject<'_>, definition: &mut Definition, diagnostics: &mut Vec<Diagnostic>) {
    if let Some(JsonData::Object(modules)) = object.get("modules").map(|node| &node.data) {
        for JsonMember { key, value } in named_members(modules) {
            definition.modules.extend(dialect::read_tree_module(key.clone(), value, diagnostics));
        }
    }
}

fn read_settings(mut object: CheckedObject<'_>, diagnostics: &mut Vec<Diagnostic>) -> AppSettings {
    let (common, has_common_rules) = dialect::read_common_parameters(&mut object, diagnostics);
    let schemas = DialectReader { spec: &TREE, diagnostics }.read_schemas("schemas", &mut object);
    let is_setting = |member: &&JsonMember| WHOLE_API_KEYS.find(&member.key.value).is_none();
    let settings = object.members().filter(is_setting).cloned().collect();
    let is_incomplete = object.is_incomplete || common.iter().any(|parameter| parameter.is_incomplete);
    AppSettings { settings, common, schemas, has_common_rules, span: object.span, is_incomplete }
}

fn report_missing_definition(loaded: &mut LoadedDefinition, folder: &Path, message: String) {
    let file = loaded.sources.add(folder.to_owned(), String::new());
    loaded.diagnostics.push(Diagnostic::new(DiagnosticCode::MissingDefinition, start_of_file(file), message).help(
        "a definition is a folder with a `*.json` file for each module and optionally `app.json`; \
             `--api` sets the folder, `rulebook new` creates a project",
    ));
}

fn unread_file_warning(path: &Path, sources: &mut Sources) -> Diagnostic {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let json = path.with_extension("json");
    let json = json.file_name().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let help = if is_definition_file(path) {
        "move it to the folder of the definition, whose subfolders are not read".to_owned()
    } else if is_definition_extension(&extension) {
        format!("rename it to `{}`: the extensions are lowercase", json.escape_debug())
    } else {
        format!(
            "write it as JSON, which may contain comments, in `{}`, or move it to another folder",
            json.escape_debug()
        )
    };
    let message = match is_definition_file(path) {
        true => format!("the file `{}` is not read: it is in a subfolder", name.escape_debug()),
        false => format!("the file `{}` is not read: definition files are `*.json` and `*.jsonc`", name.escape_debug()),
    };
    let file = sources.add(path.to_owned(), String::new());
    Diagnostic::new(DiagnosticCode::UnreadFile, start_of_file(file), message).help(help).into_warning()
}

/// The content of a definition file, or why the content is not available.
enum FileContent {
    Bytes(Vec<u8>),
    /// The file has more than [`MAX_FILE_BYTES`] bytes.
    TooLarge,
    Unreadable(io::Error),
}

struct FolderContent {
    files: Vec<(PathBuf, FileContent)>,
    /// The files whose names resemble those of definition files, and the first definition file of each subfolder.
    unread: Vec<PathBuf>,
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

fn is_definition_extension(extension: &OsStr) -> bool {
    extension == "json" || extension == "jsonc"
}

/// Reads the definition files of a folder (`*.json` and `*.jsonc`, except hidden files), sorted by file name. Fails if
/// they cannot be listed.
fn read_folder(folder: &Path) -> io::Result<FolderContent> {
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

fn read_file(path: &Path) -> io::Result<FileContent> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(content_from_bytes(bytes))
}

fn content_from_bytes(bytes: Vec<u8>) -> FileContent {
    if bytes.len() > MAX_FILE_BYTES { FileContent::TooLarge } else { FileContent::Bytes(bytes) }
}

struct ParsedFile {
    text: String,
    /// `None` if the text cannot be read or parsed.
    node: Option<JsonNode>,
    diagnostics: Vec<Diagnostic>,
}

impl ParsedFile {
    /// Parses the content of the file with the index `file` in the sources.
    fn new(file: u32, content: FileContent) -> Self {
        let (code, message) = match content {
            FileContent::Bytes(bytes) => {
                let (text, invalid_byte) = jsonc::decode_utf8(&bytes);
                let mut diagnostics = Vec::new();
                let node = match invalid_byte {
                    Some(offset) => {
                        diagnostics.push(jsonc::not_utf8_error(file, offset));
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
    fn add_to(self, path: PathBuf, sources: &mut Sources, diagnostics: &mut Vec<Diagnostic>) -> Option<JsonNode> {
        sources.add(path, self.text);
        diagnostics.extend(self.diagnostics);
        self.node
    }
}

/// Applies a function to the files of a definition, in as many threads as there are processors, and returns the results
/// in the order of the files.
fn in_parallel<T: Send, R: Send>(files: Vec<T>, apply: impl Fn(T) -> R + Sync) -> Vec<R> {
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

fn start_of_file(file: u32) -> Span {
    Span { file, start: 0, end: 0 }
}
