//! The files of a new project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::name::Name;
use super::vendor;
use crate::schema;
use rulebook_model::schema::SchemaKind;

/// The files of the template: path in the project, and text. The text contains the placeholders `package-name` and
/// `crate_name` for the name of the project, and `SOURCE(crate)` for the source of a dependency.
const FILES: [(&str, &str); 9] = [
    (".gitignore", include_str!("template/gitignore.in")),
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("README.md", include_str!("template/README.md.in")),
    ("api/app.json", include_str!("template/api/app.json")),
    ("api/greeting.json", include_str!("template/api/greeting.json")),
    ("src/greeting.rs", include_str!("template/src/greeting.rs")),
    ("src/lib.rs", include_str!("template/src/lib.rs")),
    ("src/main.rs", include_str!("template/src/main.rs")),
    ("tests/greeting.rs", include_str!("template/tests/greeting.rs")),
];

/// The source of the project's dependency on rulebook.
#[derive(Debug)]
pub(super) enum Rulebook {
    /// This version in the registry.
    Version(&'static str),
    /// The copy in the folder `vendor` of the project.
    Vendored,
    /// A local checkout of the repository, by its absolute path.
    Folder(String),
}

impl Rulebook {
    /// Returns the key and value that specify the source of a crate in `Cargo.toml`.
    fn to_toml(&self, name: &str) -> String {
        let (key, value) = match self {
            Self::Version(version) => ("version", (*version).to_owned()),
            Self::Vendored => ("path", format!("vendor/{name}")),
            Self::Folder(path) => ("path", format!("{path}/crates/{name}")),
        };
        // A JSON string is also a TOML string, except that TOML requires U+007F to be escaped.
        let value = serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007F");
        format!("{key} = {value}")
    }
}

/// Creates the project in the folder `name` of `parent`. If an error occurs, nothing is created.
///
/// # Errors
/// Fails if the folder exists and is not empty, or a file cannot be written.
pub(super) fn create(parent: &Path, name: &Name, rulebook: &Rulebook) -> io::Result<()> {
    // The project is created in a temporary folder first, which is removed if an error occurs.
    let temporary = tempfile::Builder::new().prefix(".rulebook-new-").tempdir_in(parent)?;
    let project = temporary.path().join(name.as_str());
    for (path, text) in FILES {
        let file = project.join(path);
        let folder = file.parent().map_or_else(|| project.clone(), PathBuf::from);
        fs::create_dir_all(folder)?;
        fs::write(file, fill_in(text, name, rulebook))?;
    }
    if matches!(rulebook, Rulebook::Vendored) {
        vendor::write(&project.join("vendor"))?;
    }
    // The JSON Schema for editors is generated, so that it matches this version of the program.
    fs::create_dir(project.join("schema"))?;
    fs::write(project.join("schema/definition.json"), schema::text(SchemaKind::AnyFile))?;
    // Renaming replaces an empty folder, and fails if any other entry has the name.
    fs::rename(&project, parent.join(name.as_str()))
}

/// Replaces the placeholders of the template.
fn fill_in(text: &str, name: &Name, rulebook: &Rulebook) -> String {
    let text = text.replace("package-name", name.as_str()).replace("crate_name", &name.crate_name());
    ["rulebook", "rulebook-cli", "rulebook-test"]
        .iter()
        .fold(text, |text, name| text.replace(&format!("SOURCE({name})"), &rulebook.to_toml(name)))
}
