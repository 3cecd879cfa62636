//! Creates the files of a new project.
//!
//! The texts of `starter.rs` contain the placeholders `package-name` and `crate_name` for the name of the project, and
//! the placeholder `RUST_VERSION` for the oldest version of Rust that can build it. `SOURCE(rulebook)` in them is the
//! placeholder for where cargo finds the crate `rulebook`.

use std::fs;
use std::io;
use std::path::Path;

use rulebook_import::ImportedFile;
use rulebook_model::schema::SchemaKind;

use super::name::ProjectName;
use super::starter::HandlerLanguage;
use crate::schema;

/// The files of a new project in Rust that an imported project has, too.
const SHARED_FILES: [&str; 4] = [".gitignore", "Cargo.toml", "build.rs", "src/main.rs"];

/// The line of the manifest before which an imported project has more dependencies.
const FIRST_TYPE_DEPENDENCY: &str = "# The generated types use these two.\n";

/// Every source file of rulebook's crates: its path below `vendor/`, and its content. If this program was built from
/// the repository, it cannot know whether its version of the crates has been published: the projects that it creates
/// contain a copy of the crates. The list is empty if this program was built from a package registry.
pub(super) const VENDORED_FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// The `Cargo.toml` of the workspace that consists of the copied crates.
const WORKSPACE_MANIFEST: &str = include_str!(concat!(env!("OUT_DIR"), "/workspace.toml"));

/// What the new project contains.
#[derive(Debug)]
pub(super) struct ProjectContent<'a> {
    pub language: HandlerLanguage,
    /// The files of an imported project, which replace the example; it is written in Rust.
    pub imported: Option<&'a [ImportedFile]>,
    /// `true` if the project needs the crate `rulebook-iapi`.
    pub needs_iapi: bool,
}

/// Where the new project gets the crates of rulebook from.
#[derive(Debug)]
pub(super) enum RulebookSource {
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

/// Creates the project in the subfolder `name` of `parent`. If an error occurs, no folder remains.
pub(super) fn create_project(
    parent: &Path,
    name: &ProjectName,
    rulebook: &RulebookSource,
    content: &ProjectContent<'_>,
) -> io::Result<()> {
    // The project is created in a temporary folder first, which is removed if an error occurs.
    let temporary = tempfile::Builder::new().prefix(".rulebook-new-").tempdir_in(parent)?;
    let project = temporary.path().join(name.as_str());
    for (path, text) in content.language.files() {
        if content.imported.is_none() || SHARED_FILES.contains(&path) {
            let text = if content.needs_iapi { with_iapi_dependency(text) } else { text.to_owned() };
            write_file(&project.join(path), fill_placeholders(&text, name, rulebook))?;
        }
    }
    for file in content.imported.unwrap_or_default() {
        write_file(&project.join(&file.path), &file.text)?;
    }
    if content.language == HandlerLanguage::Rust && matches!(rulebook, RulebookSource::Vendored) {
        write_file(&project.join("vendor/Cargo.toml"), WORKSPACE_MANIFEST)?;
        for (path, content) in VENDORED_FILES {
            write_file(&project.join("vendor").join(path), content)?;
        }
    }
    // The JSON Schemas for editors are generated, so that they match this version of the program.
    write_file(&project.join("schema/definition.json"), schema::new_project_schema(SchemaKind::AnyFile))?;
    if content.language.has_test_files() {
        write_file(&project.join("schema/tests.json"), schema::new_project_schema(SchemaKind::Tests))?;
    }
    // `rename` replaces an empty folder of this name. It fails if a file or a folder with content has the name.
    fs::rename(&project, parent.join(name.as_str()))
}

/// Writes a file, after creating its folder.
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

/// Replaces the placeholders in a text of the template.
fn fill_placeholders(text: &str, name: &ProjectName, rulebook: &RulebookSource) -> String {
    let text = text.replace("package-name", name.as_str()).replace("crate_name", &name.crate_name());
    let text = text.replace("RUST_VERSION", env!("CARGO_PKG_RUST_VERSION"));
    ["rulebook", "rulebook-build", "rulebook-cli", "rulebook-iapi", "rulebook-test"]
        .iter()
        .fold(text, |text, name| text.replace(&format!("SOURCE({name})"), &rulebook.to_toml_source(name)))
}
