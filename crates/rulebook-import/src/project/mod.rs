//! Reads the files of a project for another framework, and generates a project for rulebook.
//!
//! The Rust module of each framework reads the framework's files and returns an `Import`. `repair` then removes what
//! rulebook does not accept, and `code` generates Rust code for the methods of the definition. Definitions are copied
//! unchanged if rulebook can read them.

mod aicra;
mod api3;
mod code;
mod iapi;
mod phalapi;
mod repair;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use jsonc_parser::ast::Value;
use rulebook_model::definition;
use rulebook_model::definition::dialect_spec::{DialectSpec, RULES};
use rulebook_model::diagnostic::{Diagnostic, Report};
use rulebook_model::invisible::replace_invisible;
use rulebook_model::model::Api;
use rulebook_model::span::Span;
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

use crate::ImportedFile;
use crate::definition::{MemberPath, members_of, parse, path_at};

/// A framework whose projects can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framework {
    /// PhalApi 1 and 2: PHP classes with rules, which `php` executes.
    PhalApi,
    /// api 3.0: `modules.json` with methods such as `POST::write`.
    Api3,
    /// aicra: `api.json`.
    Aicra,
    /// internal-api: the PHP script that creates the endpoints, and `api_keys.json`.
    InternalApi,
}

impl Framework {
    /// Returns the name of the framework for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::PhalApi => "PhalApi",
            Self::Api3 => "api 3.0",
            Self::Aicra => "aicra",
            Self::InternalApi => "internal-api",
        }
    }
}

/// What handles the calls of the new project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandlerChoice {
    /// Handlers in Rust, which have to be written.
    Rust,
    /// The PHP code of the other project, which php-fpm runs.
    FastCgi,
}

/// The socket of php-fpm in Debian and Ubuntu.
const PHP_FPM: &str = "unix:/run/php/php-fpm.sock";

/// A part of the other project that rulebook does not have, or that needs work by a programmer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The path of the file, relative to the folder of the other project.
    pub file: String,
    /// The line in the file, counted from 1, if it is known.
    pub line: Option<usize>,
    /// What is missing, or what to do.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

#[derive(Debug, Default)]
struct Import {
    definitions: Vec<DefinitionFile>,
    settings: Map<String, Json>,
    /// The file of the other project that has the settings, and the positions of members of `settings`.
    settings_origin: (String, Positions),
    /// The imported files, each with a description of what was imported.
    imported: Vec<(String, String)>,
    warnings: Vec<Warning>,
    /// Code for the API module `iapi`, whose handlers exist.
    iapi: Option<iapi::IapiCode>,
}

impl Import {
    fn warn(&mut self, file: &str, line: impl Into<Option<usize>>, message: impl Into<String>) {
        self.warnings.push(Warning { file: file.to_owned(), line: line.into(), message: message.into() });
    }

    fn add_imported(&mut self, file: &str, what: impl Into<String>) {
        self.imported.push((file.to_owned(), what.into()));
    }

    fn set(&mut self, key: &str, value: impl Into<Json>) {
        self.settings.insert(key.to_owned(), value.into());
    }

    /// Returns a name for a further file of the definition: `stem`, with as many `_` after it as make it unique.
    fn unique_stem(&self, stem: &str) -> String {
        let mut stem = stem.to_owned();
        while stem == "app" || self.definitions.iter().any(|file| file.name.strip_suffix(".json") == Some(&*stem)) {
            stem.push('_');
        }
        stem
    }
}

/// The generated files of the new project, and what the user has to know.
#[derive(Debug)]
pub struct ImportedProject {
    /// The files of the project, without those that every project has.
    pub files: Vec<ImportedFile>,
    /// What rulebook does not have, and what needs work by a programmer.
    pub warnings: Vec<Warning>,
    /// The imported files, each with a description of what was imported.
    pub imported: Vec<(String, String)>,
}

/// The reason why a project cannot be imported.
#[derive(Debug, Error)]
pub enum ProjectError {
    /// A file cannot be read.
    #[error("{}: {error}", file.display())]
    Io {
        /// Its path.
        file: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The folder does not contain a project for the framework, or PHP cannot be run.
    #[error("{0}")]
    Unusable(String),
    /// The definition has errors that cannot be fixed.
    #[error("the definition has errors that must be fixed in the files first\n{0}")]
    Definition(Report),
}

/// Reads the project of another framework in `folder`. `name` is the name of the new project, which is also the name of
/// a Cargo package.
///
/// # Errors
/// Fails if the folder does not contain such a project, or has no handlers of the wanted kind, if a file cannot be
/// read, if the definition has errors that cannot be fixed, or if PHP is needed but cannot be run.
pub fn import(
    framework: Framework,
    folder: &Path,
    name: &str,
    handlers: HandlerChoice,
) -> Result<ImportedProject, ProjectError> {
    let mut import = match (framework, handlers) {
        (Framework::PhalApi, _) => phalapi::import(folder, handlers),
        (Framework::Api3, _) => api3::import(folder, handlers),
        (Framework::Aicra, HandlerChoice::Rust) => aicra::import(folder),
        (Framework::InternalApi, HandlerChoice::Rust) => iapi::import(folder),
        (_, HandlerChoice::FastCgi) => {
            let message = format!(
                "projects for {} have no handlers that php-fpm can run: only those for PhalApi and api 3.0 have them",
                framework.title()
            );
            Err(ProjectError::Unusable(message))
        }
    }?;
    let first = [("$schema", "../schema/definition.json"), ("title", name), ("version", "0.1.0")];
    let mut settings: Map<String, Json> =
        first.map(|(key, value)| (key.to_owned(), value.into())).into_iter().collect();
    settings.append(&mut import.settings);
    let (origin, positions) = std::mem::take(&mut import.settings_origin);
    let text = format!("{:#}\n", Json::Object(settings));
    import.definitions.iter_mut().for_each(DefinitionFile::add_dialect_if_needed);
    // In `app.json`, only the rules of PhalApi can have errors.
    let mut definitions =
        vec![DefinitionFile { name: "app.json".to_owned(), text, dialect: &RULES, origin, positions }];
    definitions.append(&mut import.definitions);
    let checked = repair::repair(&mut definitions, &mut import.warnings).map_err(ProjectError::Definition)?;
    import.warnings.extend(definition_warnings(&checked.warnings, &definitions));
    let api = checked.api;
    import.warnings.extend(function_warnings(&api, &definitions));
    let definitions = definitions.into_iter();
    let mut files: Vec<ImportedFile> =
        definitions.map(|file| ImportedFile { path: format!("api/{}", file.name), text: file.text }).collect();
    if handlers == HandlerChoice::Rust {
        files.extend(code::generate(&api, name, import.iapi.as_ref()));
    }
    import.warnings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let Import { mut imported, mut warnings, .. } = import;
    for (file, what) in &mut imported {
        (*file, *what) = (replace_invisible(file), replace_invisible(what));
    }
    for Warning { file, line: _, message } in &mut warnings {
        *file = replace_invisible(file);
        *message = replace_invisible(&message.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    files.push(code::generate_readme(framework, handlers, name, &api, &imported, &warnings));
    Ok(ImportedProject { files, warnings, imported })
}

/// Returns the warnings about the new definition with positions in the files of the other project.
fn definition_warnings(warnings: &[Diagnostic], definitions: &[DefinitionFile]) -> Vec<Warning> {
    let convert = |warning: &Diagnostic| {
        let (path, file, line) = locate(warning.span, definitions)?;
        let help = warning.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        Some(Warning { file, line, message: format!("`{}`: {}{help}", path.join("."), warning.message) })
    };
    warnings.iter().filter_map(convert).collect()
}

/// Returns the path of the member that contains a span, and the file and the line of the other project that have it.
fn locate(span: Span, definitions: &[DefinitionFile]) -> Option<(MemberPath, String, Option<usize>)> {
    let file = definitions.get(span.file as usize)?;
    let path = parse(&file.text).map(|value| path_at(&value, span.start as usize)).unwrap_or_default();
    let (origin, line) = file.locate(&path);
    Some((path, origin, line))
}

/// Returns a warning for each parameter whose check or conversion is a function of the other project.
fn function_warnings(api: &Api, definitions: &[DefinitionFile]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for (parameter, names) in code::functions_of_parameters(api) {
        let Some((_, file, line)) = locate(parameter.span, definitions) else { continue };
        for name in names {
            let message = format!(
                "the function `{name}` for the parameter `{}` has to be written (`Rulebook::callable` in `src/lib.rs`); until \
                 then, it rejects every value",
                parameter.name
            );
            let warning = Warning { file: file.clone(), line, message };
            // The methods GET and POST of a service share their parameters.
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    warnings
}

fn unusable(folder: &Path, why: &str) -> ProjectError {
    ProjectError::Unusable(format!("{}: {why}", folder.display()))
}

fn absolute_path(folder: &Path) -> Result<String, ProjectError> {
    let path = folder.canonicalize().map_err(|error| ProjectError::Io { file: folder.to_owned(), error })?;
    path.into_os_string().into_string().map_err(|_| unusable(folder, "the path of the folder is not UTF-8"))
}

/// Returns the setting `handlers` for the PHP code in a folder, with further settings of the kind `fastcgi`.
fn fastcgi_handlers(root: &str, settings: Json) -> Json {
    let mut all = Map::from_iter([("root".to_owned(), root.into())]);
    if let Json::Object(settings) = settings {
        all.extend(settings);
    }
    json!({ "default": { "fastcgi": PHP_FPM }, "fastcgi": all })
}

fn count_with_noun(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Folders that contain code of others, or generated files.
const SKIPPED_FOLDERS: [&str; 4] = ["vendor", "node_modules", "target", "dist"];

/// The maximum number of files that are searched, in case that the folder is not a project.
const MAX_FILES: usize = 20_000;

const MAX_FILE_SIZE: u64 = 8 << 20;

#[derive(Debug)]
struct TextFile {
    /// The path relative to the folder of the project, with `/` between its parts.
    pub path: String,
    pub text: String,
}

impl TextFile {
    fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Returns the line numbers, counted from 1, of the lines that contain a text.
    fn lines_with<'a>(&'a self, part: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
            .filter(move |(_, line)| line.contains(part))
    }
}

/// Reads the files below a folder whose names have one of the extensions, sorted by path. Hidden files, symbolic links,
/// dependencies and files that are not UTF-8 are omitted.
fn read_files(root: &Path, extensions: &[&str]) -> Result<Vec<TextFile>, ProjectError> {
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

/// The file and the line of each member, by its path.
type Positions = BTreeMap<MemberPath, (String, usize)>;

#[derive(Debug)]
struct DefinitionFile {
    pub name: String,
    pub text: String,
    pub dialect: &'static DialectSpec,
    /// The file of the other project that has the definition.
    pub origin: String,
    pub positions: Positions,
}

impl DefinitionFile {
    /// Creates a file whose text is copied from a file of the other project.
    fn copied(name: String, text: String, dialect: &'static DialectSpec, origin: &str) -> Self {
        let lines = member_lines(&text).into_iter();
        let positions = lines.map(|(path, line)| (path, (origin.to_owned(), line))).collect();
        Self { name, text, dialect, origin: origin.to_owned(), positions }
    }

    /// Adds the key `dialect` to the text if rulebook would read the text in another dialect. For example, a class
    /// whose methods have the names of HTTP methods could be a part of a `tree`.
    fn add_dialect_if_needed(&mut self) {
        let loaded = definition::read(vec![(PathBuf::from(&self.name), self.text.clone().into_bytes())]);
        let dialect = self.dialect.name;
        let Some(brace) = self.text.find('{') else { return };
        if loaded.definition.modules.iter().any(|module| module.spec.name != dialect) {
            let content = &self.text[brace + 1..];
            let space = &content[..content.len() - content.trim_start().len()];
            self.text.insert_str(brace + 1, &format!("{space}\"dialect\": \"{dialect}\","));
        }
    }

    /// Returns the file and the line of the other project that have a member. If the position of the member is unknown,
    /// returns that of the innermost known member that contains it.
    fn locate(&self, path: &[String]) -> (String, Option<usize>) {
        let known = (1..=path.len()).rev().find_map(|length| self.positions.get(&path[..length]));
        known.map_or_else(|| (self.origin.clone(), None), |(file, line)| (file.clone(), Some(*line)))
    }

    /// Changes the paths of the items after an item of an array that was removed from the text. Does nothing if
    /// `removed` is the path of a member of an object.
    fn shift_items_after(&mut self, removed: &[String]) {
        let Some((key, parent)) = removed.split_last() else { return };
        let Ok(removed_index) = key.parse::<usize>() else { return };
        let shifted = std::mem::take(&mut self.positions).into_iter().map(|(mut path, position)| {
            if let Some((index, _)) = path.strip_prefix(parent).and_then(<[String]>::split_first)
                && let Ok(index) = index.parse::<usize>()
                && index > removed_index
            {
                path[parent.len()] = (index - 1).to_string();
            }
            (path, position)
        });
        self.positions = shifted.collect();
    }
}

/// Returns the line of each member of a JSON text, counted from 1.
fn member_lines(text: &str) -> BTreeMap<MemberPath, usize> {
    let mut lines = BTreeMap::new();
    if let Some(value) = parse(text) {
        add_lines(text, &value, &mut MemberPath::new(), &mut lines);
    }
    lines
}

fn add_lines(text: &str, value: &Value<'_>, path: &mut MemberPath, lines: &mut BTreeMap<MemberPath, usize>) {
    for member in members_of(value) {
        path.push(member.key);
        lines.insert(path.clone(), line_at(text, member.range.start));
        add_lines(text, member.value, path, lines);
        path.pop();
    }
}

/// Returns the line of the byte at `offset`, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
