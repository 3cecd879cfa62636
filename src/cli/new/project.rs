//! The files of a new project.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::name::Name;
use crate::cli::schema;
use crate::schema::Of;

/// Where the project's own files come from: its path in the project, and its text. In it `package-name` and
/// `crate_name` stand for the project's name, `RULEBOOK` for where rulebook is found.
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

/// Where the new project finds rulebook.
#[derive(Debug)]
pub(super) enum Rulebook {
    /// In the registry, this version.
    Version(&'static str),
    /// In a folder of this machine.
    Folder(String),
}

impl Rulebook {
    /// As a dependency in `Cargo.toml` says it.
    fn written(&self) -> String {
        let (key, value) = match self {
            Self::Version(version) => ("version", *version),
            Self::Folder(path) => ("path", path.as_str()),
        };
        // A JSON string is a TOML string too, but for a character that TOML wants escaped.
        let value = serde_json::Value::from(value).to_string().replace('\u{7f}', "\\u007F");
        format!("{key} = {value}")
    }
}

/// Makes the project in the folder `name` of `parent`: the whole of it, or nothing.
///
/// # Errors
/// The folder is there and not empty, or files cannot be written.
pub(super) fn make(parent: &Path, name: &Name, rulebook: &Rulebook) -> io::Result<()> {
    // What is not finished stands in a folder that goes when this function ends, however it ends.
    let beside = tempfile::Builder::new().prefix(".rulebook-new-").tempdir_in(parent)?;
    let made = beside.path().join(name.as_str());
    for (path, text) in FILES {
        let file = made.join(path);
        let folder = file.parent().map_or_else(|| made.clone(), PathBuf::from);
        fs::create_dir_all(folder)?;
        fs::write(file, filled(text, name, rulebook))?;
    }
    // What editors check the definition by is that of this program, so it is no file of the template.
    fs::create_dir(made.join("schema"))?;
    fs::write(made.join("schema/definition.json"), schema::text(Of::AnyFile))?;
    // An empty folder gives way to another; anything else does not.
    fs::rename(&made, parent.join(name.as_str()))
}

fn filled(text: &str, name: &Name, rulebook: &Rulebook) -> String {
    let text = text.replace("package-name", name.as_str()).replace("crate_name", &name.in_code());
    text.replace("RULEBOOK", &rulebook.written())
}
