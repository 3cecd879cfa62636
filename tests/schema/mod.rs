//! `rulebook schema`: reader and schema are held against each other.

mod changes;
mod kept;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use rulebook::Rulebook;
use rulebook::diagnostic::{Code, Report};
use rulebook::schema::{Of, schema};
use serde_json::Value as Json;

/// Everything that a schema can be of.
const ALL: [Of; 5] = [Of::AnyFile, Of::Settings, Of::Tree, Of::Methods, Of::Rules];

static ANY_FILE: LazyLock<Validator> = LazyLock::new(|| judge(Of::AnyFile));
static SETTINGS: LazyLock<Validator> = LazyLock::new(|| judge(Of::Settings));

/// Faults that a schema states wherever they are.
const STATED: [Code; 6] = [
    Code::UnknownKey,
    Code::WrongKind,
    Code::MissingInfo,
    Code::MissingType,
    Code::UnknownDialect,
    Code::UnknownMethod,
];

/// Faults of which a schema states some: words and ranges of options, names, and what no term can look like.
const STATED_IN_PART: [Code; 6] =
    [Code::BadOption, Code::BadName, Code::BadUri, Code::UnknownType, Code::BadScope, Code::BadTypeArgument];

fn judge(of: Of) -> Validator {
    jsonschema::draft202012::new(&schema(of)).unwrap_or_else(|error| panic!("{of:?} is no schema: {error}"))
}

/// Whether a schema takes a file: that of settings for `app.json`, else the one for any file.
fn takes(name: &str, content: &Json) -> bool {
    (if name == "app.json" { &*SETTINGS } else { &*ANY_FILE }).is_valid(content)
}

/// What the reader says of these files.
fn report(files: Vec<(PathBuf, Vec<u8>)>) -> Report {
    Rulebook::read(files).check().err().unwrap_or_default()
}

/// The codes of the faults that are in the file of this name.
fn codes(report: &Report, name: &str) -> Vec<Code> {
    let within = |file: u32| report.sources.get(file).is_some_and(|source| source.path.ends_with(name));
    report.diagnostics.iter().filter(|fault| within(fault.place.file)).map(|fault| fault.code).collect()
}

/// The files of a folder that are JSON with comments, with what they hold.
fn read(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "json" || end == "jsonc")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// What a file holds; none where it is no JSON.
fn content(bytes: &[u8]) -> Option<Json> {
    jsonc_parser::parse_to_serde_value(std::str::from_utf8(bytes).ok()?, &jsonc_parser::ParseOptions::default()).ok()
}

fn folders(kind: &str) -> Vec<PathBuf> {
    let root = Path::new("tests/definitions").join(kind);
    let mut folders: Vec<_> = root.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn schemas_are_schemas() {
    for of in ALL {
        let schema = schema(of);
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{of:?}");
        let text = schema.to_string();
        for name in schema["$defs"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{of:?}: nothing refers to {name}");
        }
        // A choice of nothing is lawful, and refused by some validators.
        assert!(!text.contains("\"enum\":[]"), "{of:?}");
        // An editor says of a key what the table says.
        assert!(!text.contains("\"description\":\"\""));
    }
}

#[test]
fn what_the_reader_takes_the_schema_takes() {
    let mut files = 0;
    for folder in folders("good").into_iter().chain([PathBuf::from("api"), PathBuf::from("src/cli/new/template/api")]) {
        for (path, bytes) in read(&folder) {
            let content = content(&bytes).unwrap();
            for judge in [takes(&name(&path), &content), takes("any.json", &content)] {
                assert!(judge, "{}: {:#?}", path.display(), ANY_FILE.validate(&content));
            }
            files += 1;
        }
    }
    assert!(files > 8, "{files} files only");
}

#[test]
fn what_a_schema_can_state_it_refuses() {
    let (mut stated, mut others) = (0, 0);
    for folder in folders("bad") {
        let files = read(&folder);
        let report = report(files.clone());
        for (path, bytes) in files {
            let name = name(&path);
            let codes = codes(&report, &name);
            let Some(content) = content(&bytes).filter(|_| !codes.contains(&Code::Syntax)) else { continue };
            let taken = takes(&name, &content);
            if codes.iter().any(|code| STATED.contains(code)) {
                assert!(!taken, "{} is taken: {codes:?}", path.display());
                stated += 1;
            } else if !codes.iter().any(|code| STATED_IN_PART.contains(code)) {
                assert!(taken, "{} is refused: {codes:?}", path.display());
                others += 1;
            }
        }
    }
    assert!(stated > 15 && others > 20, "{stated} that are refused, {others} that are taken");
}
