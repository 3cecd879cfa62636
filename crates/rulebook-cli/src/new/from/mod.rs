//! `rulebook new --from`: reads the files of a project for another framework, and generates a project for rulebook.
//!
//! The Rust module of each framework reads the framework's files and returns an [`Import`]. [`repair`] then removes
//! what rulebook does not accept, and [`code`] generates Rust code for the methods of the definition. Definitions are
//! copied unchanged if rulebook can read them.

mod aicra;
mod api3;
mod code;
mod files;
mod iapi;
mod json_text;
mod phalapi;
mod readme;
mod repair;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Map, Value as Json};
use thiserror::Error;

use rulebook_model::definition;
use rulebook_model::definition::dialect_spec::{self, DialectSpec};
use rulebook_model::diagnostic::{Diagnostic, Report};
use rulebook_model::model::Api;
use rulebook_model::span::Span;

use super::name::ProjectName;
use super::project::ProjectFile;
use json_text::MemberPath;

/// A framework whose projects can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Framework {
    /// PhalApi 1 and 2: PHP classes with rules. The command executes their PHP files with `php`.
    Phalapi,
    /// api 3.0: `modules.json` with methods such as `POST::write`.
    Api3,
    /// aicra: `api.json`.
    Aicra,
    /// internal-api: the PHP script that creates the endpoints, and `api_keys.json`.
    Iapi,
}

impl Framework {
    /// Returns the name of the framework for people.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Phalapi => "PhalApi",
            Self::Api3 => "api 3.0",
            Self::Aicra => "aicra",
            Self::Iapi => "internal-api",
        }
    }
}

/// The dialect of a definition file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Tree,
    Methods,
    Rules,
}

impl Dialect {
    fn spec(self) -> &'static DialectSpec {
        match self {
            Self::Tree => &dialect_spec::TREE,
            Self::Methods => &dialect_spec::METHODS,
            Self::Rules => &dialect_spec::RULES,
        }
    }
}

/// A part of the other project that rulebook does not have, or that needs work by a programmer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Warning {
    /// The path of the file, relative to the folder of the other project.
    file: String,
    /// The line in the file, counted from 1, if it is known.
    line: Option<usize>,
    message: String,
}

impl Warning {
    fn new(file: impl Into<String>, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into() }
    }

    fn position(&self) -> String {
        self.line.map_or_else(|| self.file.clone(), |line| format!("{}:{line}", self.file))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position(), self.message)
    }
}

/// A file of the new definition.
#[derive(Debug)]
struct DefinitionFile {
    /// The name of the file in the folder `api`.
    name: String,
    text: String,
    dialect: Dialect,
    /// The file of the other project that has the definition.
    origin: String,
    /// The positions of members in files of the other project.
    positions: BTreeMap<MemberPath, (String, usize)>,
}

impl DefinitionFile {
    /// Creates a file whose text is copied from a file of the other project.
    fn copied(name: String, text: String, dialect: Dialect, origin: &str) -> Self {
        let lines = json_text::member_lines(&text).into_iter();
        let positions = lines.map(|(path, line)| (path, (origin.to_owned(), line))).collect();
        Self { name, text, dialect, origin: origin.to_owned(), positions }
    }

    /// Adds the key `dialect` to the text if rulebook would read the text in another dialect. For example, a class
    /// whose methods have the names of HTTP methods could be a part of a `tree`.
    fn add_dialect_if_needed(&mut self) {
        let loaded = definition::read(vec![(PathBuf::from(&self.name), self.text.clone().into_bytes())]);
        let dialect = self.dialect.spec().name;
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

/// What the files of another project contain.
#[derive(Debug, Default)]
struct Import {
    definitions: Vec<DefinitionFile>,
    /// The keys of `app.json`.
    settings: Map<String, Json>,
    /// The file of the other project that has the settings, and the positions of members of `settings`.
    settings_origin: (String, BTreeMap<MemberPath, (String, usize)>),
    /// The imported files, each with a description of what was imported.
    imported: Vec<(String, String)>,
    warnings: Vec<Warning>,
    /// Code for the API module `iapi`, whose handlers exist.
    iapi: Option<iapi::IapiCode>,
}

/// The generated files of the new project, and what the user has to know.
#[derive(Debug)]
pub(super) struct ImportedProject {
    pub files: Vec<ProjectFile>,
    pub warnings: Vec<Warning>,
    /// The imported files, each with a description of what was imported.
    pub imported: Vec<(String, String)>,
}

/// The reason why a project cannot be imported.
#[derive(Debug, Error)]
pub(super) enum ImportError {
    #[error("{}: {error}", file.display())]
    Io { file: PathBuf, error: io::Error },
    #[error("{0}")]
    Unusable(String),
    #[error("the definition has errors that must be fixed in the files first\n{0}")]
    Definition(Report),
}

/// Reads the project of another framework in `folder`.
///
/// # Errors
/// Fails if the folder does not contain such a project, if a file cannot be read, if the definition has errors that
/// cannot be fixed, or if PHP is needed but cannot be run.
pub(super) fn import(framework: Framework, folder: &Path, name: &ProjectName) -> Result<ImportedProject, ImportError> {
    let mut import = match framework {
        Framework::Phalapi => phalapi::import(folder),
        Framework::Api3 => api3::import(folder),
        Framework::Aicra => aicra::import(folder),
        Framework::Iapi => iapi::import(folder),
    }?;
    let mut settings = Map::new();
    settings.insert("$schema".to_owned(), "../schema/definition.json".into());
    settings.insert("title".to_owned(), name.as_str().into());
    settings.insert("version".to_owned(), "0.1.0".into());
    settings.append(&mut import.settings);
    let (origin, positions) = std::mem::take(&mut import.settings_origin);
    let text = format!("{:#}\n", Json::Object(settings));
    // In `app.json`, only the rules of PhalApi can have errors.
    let app = DefinitionFile { name: "app.json".to_owned(), text, dialect: Dialect::Rules, origin, positions };
    import.definitions.iter_mut().for_each(DefinitionFile::add_dialect_if_needed);
    let mut definitions = vec![app];
    definitions.append(&mut import.definitions);
    let checked = repair::repair(&mut definitions, &mut import.warnings).map_err(ImportError::Definition)?;
    import.warnings.extend(definition_warnings(&checked.warnings, &definitions));
    let api = checked.api;
    import.warnings.extend(function_warnings(&api, &definitions));
    let mut files: Vec<ProjectFile> =
        definitions.into_iter().map(|file| ProjectFile::new(format!("api/{}", file.name), file.text)).collect();
    files.extend(code::generate(&api, name, import.iapi.as_ref()));
    import.warnings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let Import { imported, warnings, .. } = import;
    files.push(readme::generate(framework, name, &api, &imported, &warnings));
    Ok(ImportedProject { files, warnings, imported })
}

/// Returns the warnings about the new definition with positions in the files of the other project.
fn definition_warnings(warnings: &[Diagnostic], definitions: &[DefinitionFile]) -> Vec<Warning> {
    let convert = |warning: &Diagnostic| {
        let (path, origin, line) = locate(warning.span, definitions)?;
        let help = warning.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        Some(Warning::new(origin, line, format!("`{}`: {}{help}", path.join("."), warning.message)))
    };
    warnings.iter().filter_map(convert).collect()
}

/// Returns the path of the member that contains a span, and the file and the line of the other project that have it.
fn locate(span: Span, definitions: &[DefinitionFile]) -> Option<(MemberPath, String, Option<usize>)> {
    let file = definitions.get(span.file as usize)?;
    let members = json_text::members_at(&file.text, span.start as usize);
    let path: MemberPath = members.into_iter().map(|member| member.key).collect();
    let (origin, line) = file.locate(&path);
    Some((path, origin, line))
}

/// Returns a warning for each parameter whose check or conversion is a function of the other project.
fn function_warnings(api: &Api, definitions: &[DefinitionFile]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for (parameter, names) in code::functions_of_parameters(api) {
        let Some((_, origin, line)) = locate(parameter.span, definitions) else { continue };
        for name in names {
            let message = format!(
                "the function `{name}` for the parameter `{}` has to be written (`Rulebook::callable` in `src/lib.rs`); until \
                 then, it rejects every value",
                parameter.name
            );
            let warning = Warning::new(&origin, line, message);
            // The methods GET and POST of a service share their parameters.
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        }
    }
    warnings
}
