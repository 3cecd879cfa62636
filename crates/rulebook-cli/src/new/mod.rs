//! `rulebook new`: creates a project with a definition, handlers and tests.
//!
//! The files of the project are copied from the folder `templates`. The tests of the repository build and run such a
//! project. This command must neither run cargo nor use the network; it runs git to create a repository.

use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use std::str::FromStr;
use std::{fs, io};

use clap::{Args, ValueEnum};
use rulebook_build::identifier::RUST_KEYWORDS;
use rulebook_import::project::{Framework, HandlerChoice, ImportedProject, ProjectError};
use rulebook_import::{ImportedFile, project as other_project};
use rulebook_model::invisible::replace_invisible;
use rulebook_model::schema::SchemaKind;
use rulebook_process::sdk;

use crate::documents::new_project_schema;
use crate::{Choice, Exit, choice_parser, output};

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
    let handlers = match (options.handlers, options.from) {
        (language, _) if options.path.is_some() && language != HandlerLanguage::Rust => {
            Err("--path is for handlers in Rust: the program `rulebook` serves this project")
        }
        (HandlerLanguage::FastCgi, Some(_)) => Ok(HandlerChoice::FastCgi),
        (HandlerLanguage::FastCgi, None) => {
            Err("--handlers fastcgi is for imported projects: add `--from phalapi FOLDER`, or `--from api3 FOLDER`")
        }
        (HandlerLanguage::Rust, _) | (_, None) => Ok(HandlerChoice::Rust),
        _ => Err("an imported project has handlers in Rust, or with `--handlers fastcgi` in PHP"),
    };
    let handlers = handlers.map_err(output::print_system_error)?;
    let checkout = options.path.as_deref().map(checkout_path).transpose();
    let rulebook = match checkout.map_err(output::print_system_error)? {
        Some(folder) => RulebookSource::Folder(folder),
        None if VENDORED_FILES.is_empty() => RulebookSource::Version(env!("CARGO_PKG_VERSION")),
        None => RulebookSource::Vendored,
    };
    let imported = match options.from.zip(options.folder.as_deref()) {
        None => None,
        Some((framework, folder)) => {
            let imported = other_project::import(framework, folder, name.as_str(), handlers).map_err(|error| {
                let exit = output::print_system_error(&error);
                if matches!(error, ProjectError::Definition(_)) { Exit::ErrorsReported } else { exit }
            })?;
            Some((framework, folder, imported))
        }
    };
    let imported_files = imported.as_ref().map(|(.., imported)| imported.files.as_slice());
    create_project(options, &rulebook, imported_files).map_err(|error| {
        output::print_system_error(match error.kind() {
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

fn import_report(framework: Framework, folder: &Path, imported: &ImportedProject) -> String {
    let files = imported
        .imported
        .iter()
        .map(|(file, what)| format!("  {}: {}\n", replace_invisible(file), replace_invisible(what)));
    format!("Imported from {} ({}):\n{}", folder.display(), framework.title(), files.collect::<String>())
}

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

/// The name of a new project and of its Cargo package: lowercase ASCII letters, digits, `-` and `_`, beginning with a
/// letter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ProjectName(String);

/// Maximum length of a project name in characters; crates.io has the same limit for package names.
const MAX_LEN: usize = 64;

const RESERVED_NAMES: &str = "alloc aux build con core deps examples incremental nul prn proc_macro std test";

impl ProjectName {
    fn as_str(&self) -> &str {
        &self.0
    }

    fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl FromStr for ProjectName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let first = text.chars().next().ok_or("the name is empty")?;
        if let Some(other) = text.chars().find(|char| !matches!(char, 'a'..='z' | '0'..='9' | '-' | '_')) {
            let expected = "expected lowercase letters from a to z, digits, `-` and `_`";
            return Err(format!("the name contains {other:?}; {expected}"));
        }
        if !first.is_ascii_lowercase() {
            return Err(format!("the name begins with {first:?}; expected a lowercase letter from a to z"));
        }
        if text.len() > MAX_LEN {
            return Err(format!("the name is longer than {MAX_LEN} characters"));
        }
        let name = Self(text.to_owned());
        match name.crate_name().as_str() {
            keyword if RUST_KEYWORDS.contains(&keyword) => Err("the name is a keyword of Rust".to_owned()),
            reserved if is_reserved(reserved) => {
                Err("the name is reserved by cargo, Rust's standard library or Windows".to_owned())
            }
            "rulebook" | "serde" | "serde_json" => Err("the name is that of a dependency of the project".to_owned()),
            _ => Ok(name),
        }
    }
}

/// Returns `true` for names that cargo reserves, names of crates in Rust's standard library, and names of devices on
/// Windows, such as `com1` and `lpt1`.
fn is_reserved(name: &str) -> bool {
    let port = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    matches!(port.map(str::as_bytes), Some([b'0'..=b'9'])) || RESERVED_NAMES.split(' ').any(|reserved| reserved == name)
}

/// The path and the text of a file. The text contains the placeholders that `project.rs` fills.
type StarterFile = (&'static str, &'static str);

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HandlerLanguage {
    /// Rust: a Cargo project.
    Rust,
    /// SQL statements in the definition, on a database of SQLite.
    Sql,
    /// Python functions.
    Python,
    /// JavaScript functions for Node.
    Node,
    /// PHP functions.
    Php,
    /// The PHP code of an imported project, which php-fpm runs.
    #[value(name = "fastcgi")]
    FastCgi,
}

const GREETING: StarterFile = ("api/greeting.json", include_str!("templates/shared/api/greeting.json"));
/// The files that git ignores in a project without Rust.
const GITIGNORE: StarterFile = (".gitignore", include_str!("templates/shared/gitignore.in"));

const RUST: &[StarterFile] = &[
    (".gitignore", include_str!("templates/rust/gitignore.in")),
    ("Cargo.toml", include_str!("templates/rust/Cargo.toml.in")),
    ("README.md", include_str!("templates/rust/README.md.in")),
    ("api/app.json", include_str!("templates/rust/api/app.json")),
    GREETING,
    ("build.rs", include_str!("templates/rust/build.rs.in")),
    ("src/greeting.rs", include_str!("templates/rust/src/greeting.rs")),
    ("src/lib.rs", include_str!("templates/rust/src/lib.rs")),
    ("src/main.rs", include_str!("templates/rust/src/main.rs")),
    ("tests/greeting.rs", include_str!("templates/rust/tests/greeting.rs")),
];

/// The files of a project whose example is a greeting, in any language but Rust.
const OF_GREETING: &[StarterFile] =
    &[GITIGNORE, GREETING, ("tests/greeting.json", include_str!("templates/shared/tests/greeting.json"))];

const SQL: &[StarterFile] = &[
    GITIGNORE,
    ("README.md", include_str!("templates/sql/README.md.in")),
    ("api/app.json", include_str!("templates/sql/api/app.json")),
    ("api/note.json", include_str!("templates/sql/api/note.json")),
    ("migrations/1_note.sql", include_str!("templates/sql/migrations/1_note.sql")),
    ("tests/note.json", include_str!("templates/sql/tests/note.json")),
];

const PYTHON: &[StarterFile] = &[
    ("README.md", include_str!("templates/python/README.md.in")),
    ("api/app.json", include_str!("templates/python/api/app.json")),
    ("handlers.py", include_str!("templates/python/handlers.py")),
];

const NODE: &[StarterFile] = &[
    ("README.md", include_str!("templates/node/README.md.in")),
    ("api/app.json", include_str!("templates/node/api/app.json")),
    ("greeting.mjs", include_str!("templates/node/greeting.mjs")),
    ("handlers.mjs", include_str!("templates/node/handlers.mjs")),
];

const PHP: &[StarterFile] = &[
    ("README.md", include_str!("templates/php/README.md.in")),
    ("api/app.json", include_str!("templates/php/api/app.json")),
    ("greeting.php", include_str!("templates/php/greeting.php")),
    ("handlers.php", include_str!("templates/php/handlers.php")),
];

impl HandlerLanguage {
    fn files(self) -> impl Iterator<Item = StarterFile> {
        let groups: &[&[StarterFile]] = match self {
            Self::Rust => &[RUST],
            Self::Sql => &[SQL],
            Self::Python => &[OF_GREETING, PYTHON, sdk::PYTHON],
            Self::Node => &[OF_GREETING, NODE, sdk::NODE],
            Self::Php => &[OF_GREETING, PHP, sdk::PHP],
            Self::FastCgi => &[&[GITIGNORE]],
        };
        groups.iter().copied().flatten().copied()
    }

    fn has_test_files(self) -> bool {
        !matches!(self, Self::Rust | Self::FastCgi)
    }

    fn serve_command(self) -> &'static str {
        if self == Self::Rust { "cargo run -- serve --watch" } else { "rulebook serve --watch" }
    }
}

// The texts of the files contain the placeholders `package-name` and `crate_name` for the name of the project, and the
// placeholder `RUST_VERSION` for the oldest version of Rust that can build it. `SOURCE(rulebook)` in them is the
// placeholder for where cargo finds the crate `rulebook`.

/// The files of a new project in Rust that an imported project has, too.
const SHARED_FILES: [&str; 4] = [".gitignore", "Cargo.toml", "build.rs", "src/main.rs"];

/// The line of the manifest before which an imported project has more dependencies.
const FIRST_TYPE_DEPENDENCY: &str = "# The generated types use these two.\n";

/// Every source file of rulebook's crates: its path below `vendor/`, and its content. If this program was built from
/// the repository, it cannot know whether its version of the crates has been published: the projects that it creates
/// contain a copy of the crates. The list is empty if this program was built from a package registry.
const VENDORED_FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The `Cargo.toml` of the workspace that consists of the copied crates.
const WORKSPACE_MANIFEST: &str = include_str!(concat!(env!("OUT_DIR"), "/workspace.toml"));

#[derive(Debug)]
enum RulebookSource {
    /// From the package registry, in this version.
    Version(&'static str),
    /// From the folder `vendor` of the project, which contains a copy of the crates.
    Vendored,
    /// From a local checkout of rulebook's repository, which has this path, absolute or relative to the project.
    Folder(String),
}

impl RulebookSource {
    /// Returns the text that specifies the source of the crate `name` in `Cargo.toml`, such as `version = "1.0.0"`.
    fn to_toml_source(&self, name: &str) -> String {
        let (key, value) = match self {
            Self::Version(version) => ("version", (*version).to_owned()),
            Self::Vendored => ("path", format!("vendor/{name}")),
            Self::Folder(path) => ("path", format!("{path}/crates/{name}")),
        };
        // A JSON string is also a valid TOML string, except that TOML does not allow the character U+007F in it.
        let value = serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007F");
        format!("{key} = {value}")
    }
}

/// Creates the project in the current folder. If an error occurs, no folder remains. `imported` are the files of an
/// imported project, which replace the example.
fn create_project(options: &NewOptions, source: &RulebookSource, imported: Option<&[ImportedFile]>) -> io::Result<()> {
    let name = &options.name;
    // The project is created in a temporary folder first, which is removed if an error occurs.
    let temporary = tempfile::Builder::new().prefix(".rulebook-new-").tempdir_in(".")?;
    let project = temporary.path().join(name.as_str());
    let needs_iapi = options.from == Some(Framework::InternalApi);
    for (path, text) in options.handlers.files() {
        if imported.is_none() || SHARED_FILES.contains(&path) {
            let text = if needs_iapi { with_iapi_dependency(text) } else { text.to_owned() };
            write_file(&project.join(path), fill_placeholders(&text, name, source))?;
        }
    }
    for file in imported.unwrap_or_default() {
        write_file(&project.join(&file.path), &file.text)?;
    }
    if options.handlers == HandlerLanguage::Rust && matches!(source, RulebookSource::Vendored) {
        write_file(&project.join("vendor/Cargo.toml"), WORKSPACE_MANIFEST)?;
        for (path, content) in VENDORED_FILES {
            write_file(&project.join("vendor").join(path), content)?;
        }
    }
    // The JSON Schemas for editors are generated, so that they match this version of the program.
    write_file(&project.join("schema/definition.json"), new_project_schema(SchemaKind::AnyFile))?;
    if options.handlers.has_test_files() {
        write_file(&project.join("schema/tests.json"), new_project_schema(SchemaKind::Tests))?;
    }
    // `rename` replaces an empty folder of this name. It fails if a file or a folder with content has the name.
    fs::rename(&project, name.as_str())
}

fn write_file(file: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, content)
}

/// Adds the dependency on the crate `rulebook-iapi` to the manifest of the template. Other texts are not changed.
fn with_iapi_dependency(text: &str) -> String {
    text.replace(
        FIRST_TYPE_DEPENDENCY,
        &format!("rulebook-iapi = {{ SOURCE(rulebook-iapi) }}\n{FIRST_TYPE_DEPENDENCY}"),
    )
}

fn fill_placeholders(text: &str, name: &ProjectName, rulebook: &RulebookSource) -> String {
    let text = text.replace("package-name", name.as_str()).replace("crate_name", &name.crate_name());
    let text = text.replace("RUST_VERSION", env!("CARGO_PKG_RUST_VERSION"));
    ["rulebook", "rulebook-build", "rulebook-cli", "rulebook-iapi", "rulebook-test"]
        .iter()
        .fold(text, |text, name| text.replace(&format!("SOURCE({name})"), &rulebook.to_toml_source(name)))
}
