//! `rulebook new`: creates a project with a definition, handlers and tests.
//!
//! The files of the project are copied from the folder `templates`. The tests of the repository build and run such a
//! project. This command must neither run cargo nor use the network; it runs git to create a repository.

mod name;
mod project;
mod starter;

use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};

use clap::Args;
use rulebook_import::project::{self as other_project, Framework, HandlerChoice, ImportedProject, ProjectError};
use rulebook_model::invisible::replace_invisible;

use super::choices::{Choice, choice_parser};
use super::{Exit, output};
use name::ProjectName;
use project::{ProjectContent, RulebookSource};
use starter::HandlerLanguage;

/// Create a new project: a folder with a definition, handlers and tests.
///
/// With --from, the command imports a project that is written for another framework: it copies or converts the
/// definition of the API, and writes a handler for each method, which responds with the status 501. With --handlers
/// fastcgi, php-fpm runs the PHP code of the imported project instead. The command prints what rulebook does not have
/// as warnings, and lists it in the README of the new project. For PhalApi, it executes PHP files of the project with
/// `php`, those of its API classes and settings: only import projects whose code you trust.
#[derive(Debug, Args)]
pub(super) struct NewOptions {
    /// Name of the project and its folder: lowercase letters, digits, `-` and `_`.
    name: ProjectName,
    /// Folder of the project to import (with --from). Its files are not changed.
    #[arg(value_name = "FOLDER", requires = "from")]
    folder: Option<PathBuf>,
    /// Import the project in FOLDER, which is written for another framework.
    #[arg(long, value_parser = choice_parser(FRAMEWORKS), value_name = "FRAMEWORK", requires = "folder")]
    from: Option<Framework>,
    /// What the handlers are written in. Only handlers in Rust need a compiler; `rulebook serve` serves the others.
    ///
    /// An imported project has handlers in Rust, which have to be written, or with `fastcgi` its own code in PHP.
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "rust")]
    handlers: HandlerLanguage,
    /// Folder with a checkout of rulebook's repository, which the project uses instead of a copy in `vendor/`.
    #[arg(long, value_name = "DIR")]
    path: Option<PathBuf>,
    /// Do not create a git repository. None is created in an existing repository, or if git is not installed.
    #[arg(long)]
    no_git: bool,
}

const FRAMEWORKS: &[Choice<Framework>] = &[
    (
        "phalapi",
        "PhalApi 1 and 2: PHP classes with rules. The command executes their PHP files with `php`",
        Framework::PhalApi,
    ),
    ("api3", "api 3.0: `modules.json` with methods such as `POST::write`", Framework::Api3),
    ("aicra", "aicra: `api.json`", Framework::Aicra),
    ("iapi", "internal-api: the PHP script that creates the endpoints, and `api_keys.json`", Framework::InternalApi),
];

pub(super) fn run(options: &NewOptions) -> Result<Exit, Exit> {
    let name = &options.name;
    if options.path.is_some() && options.handlers != HandlerLanguage::Rust {
        let why = "--path is for handlers in Rust: the program `rulebook` serves this project";
        return Err(output::print_system_error(why));
    }
    let handlers = match (options.handlers, options.from) {
        (HandlerLanguage::FastCgi, Some(_)) => HandlerChoice::FastCgi,
        (HandlerLanguage::Rust, _) | (_, None) if options.handlers != HandlerLanguage::FastCgi => HandlerChoice::Rust,
        (HandlerLanguage::FastCgi, None) => {
            let why =
                "--handlers fastcgi is for imported projects: add `--from phalapi FOLDER`, or `--from api3 FOLDER`";
            return Err(output::print_system_error(why));
        }
        _ => {
            let why = "an imported project has handlers in Rust, or with `--handlers fastcgi` in PHP";
            return Err(output::print_system_error(why));
        }
    };
    let checkout = options.path.as_deref().map(checkout_path).transpose();
    let rulebook = match checkout.map_err(|why| output::print_system_error(&why))? {
        Some(folder) => RulebookSource::Folder(folder),
        None if project::VENDORED_FILES.is_empty() => RulebookSource::Version(env!("CARGO_PKG_VERSION")),
        None => RulebookSource::Vendored,
    };
    let imported = match options.from.zip(options.folder.as_deref()) {
        None => None,
        Some((framework, folder)) => {
            let imported = other_project::import(framework, folder, name.as_str(), handlers).map_err(|error| {
                let exit = output::print_system_error(&error.to_string());
                if matches!(error, ProjectError::Definition(_)) { Exit::ErrorsReported } else { exit }
            })?;
            Some((framework, folder, imported))
        }
    };
    let content = ProjectContent {
        language: options.handlers,
        imported: imported.as_ref().map(|(.., imported)| imported.files.as_slice()),
        needs_iapi: options.from == Some(Framework::InternalApi),
    };
    project::create_project(Path::new("."), name, &rulebook, &content).map_err(|error| {
        output::print_system_error(&match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => {
                format!("`{}` already exists", name.as_str())
            }
            _ => format!("cannot create `{}`: {error}", name.as_str()),
        })
    })?;
    if !options.no_git {
        create_repository(Path::new(name.as_str()));
    }
    let command = options.handlers.serve_command();
    let next = format!("Created the project {0}. Next:\n  cd {0}\n  {command}\n", name.as_str());
    let Some((framework, folder, imported)) = imported else { return Ok(output::print_to_stdout(&next)) };
    let exit = output::print_to_stdout(&(import_report(framework, folder, &imported) + &next));
    print_warnings(&imported, name);
    Ok(exit)
}

/// Returns the list of the imported files.
fn import_report(framework: Framework, folder: &Path, imported: &ImportedProject) -> String {
    let files = imported
        .imported
        .iter()
        .map(|(file, what)| format!("  {}: {}\n", replace_invisible(file), replace_invisible(what)));
    format!("Imported from {} ({}):\n{}", folder.display(), framework.title(), files.collect::<String>())
}

/// Prints what rulebook does not have to standard error.
fn print_warnings(imported: &ImportedProject, name: &ProjectName) {
    let mut text: String = imported
        .warnings
        .iter()
        .map(|warning| format!("warning: {}\n", replace_invisible(&warning.to_string())))
        .collect();
    let count = imported.warnings.len();
    if count > 0 {
        let count = output::count_with_noun(count, "warning");
        text += &format!("{count}; {}/README.md lists them as tasks\n", name.as_str());
    }
    output::print_to_stderr(&text);
}

/// Returns the path of a checkout of rulebook's repository, for a file in the folder of the project: a relative path if
/// `path` is relative, so that the project and the checkout can be moved together. Returns an error message if `path`
/// is not a checkout.
fn checkout_path(path: &Path) -> Result<String, String> {
    let path_error = |why: &str| format!("--path {}: {why}", path.display());
    let absolute = path.canonicalize().map_err(|error| path_error(&error.to_string()))?;
    if !absolute.join("crates/rulebook/Cargo.toml").is_file() {
        return Err(path_error("the folder has no crates/rulebook/Cargo.toml"));
    }
    let checkout = if path.is_absolute() { absolute } else { Path::new("..").join(path) };
    checkout.into_os_string().into_string().map_err(|_| path_error("the path is not UTF-8"))
}

/// Creates a git repository in the folder of the project, unless the folder is in a repository. If git cannot be run,
/// the project has no repository.
fn create_repository(project: &Path) {
    let is_in_repository =
        project.canonicalize().is_ok_and(|folder| folder.ancestors().any(|folder| folder.join(".git").exists()));
    if !is_in_repository {
        let mut git = process::Command::new("git");
        git.args(["init", "--quiet"]).current_dir(project).stdin(Stdio::null()).stdout(Stdio::null());
        // The project is complete without a repository.
        let _ = git.stderr(Stdio::null()).status();
    }
}
