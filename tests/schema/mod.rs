//! Tests `rulebook schema`: the JSON Schemas of definition files agree with the parser of definitions.

mod changes;
mod published;
mod values;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use jsonschema::Validator;
use rulebook::Rulebook;
use rulebook_model::diagnostic::{DiagnosticCode, Report};
use rulebook_model::schema::{SchemaKind, schema};
use serde_json::Value as Json;

/// All kinds of schemas that `rulebook schema` can print.
const ALL_KINDS: [SchemaKind; 6] = [
    SchemaKind::AnyFile,
    SchemaKind::Settings,
    SchemaKind::Tree,
    SchemaKind::Methods,
    SchemaKind::Rules,
    SchemaKind::Tests,
];

static ANY_FILE_VALIDATOR: LazyLock<Validator> = LazyLock::new(|| schema_validator(SchemaKind::AnyFile));
static SETTINGS_VALIDATOR: LazyLock<Validator> = LazyLock::new(|| schema_validator(SchemaKind::Settings));

/// The errors in definitions that the schemas always detect.
const ALWAYS_DETECTED: [DiagnosticCode; 6] = [
    DiagnosticCode::UnknownKey,
    DiagnosticCode::WrongKind,
    DiagnosticCode::MissingInfo,
    DiagnosticCode::MissingType,
    DiagnosticCode::UnknownDialect,
    DiagnosticCode::UnknownMethod,
];

/// The errors in definitions that the schemas detect in some cases: values of options, names, and malformed types.
const SOMETIMES_DETECTED: [DiagnosticCode; 9] = [
    DiagnosticCode::BadAuth,
    DiagnosticCode::BadHeader,
    DiagnosticCode::BadConstraint,
    DiagnosticCode::BadOption,
    DiagnosticCode::BadName,
    DiagnosticCode::BadUri,
    DiagnosticCode::UnknownType,
    DiagnosticCode::BadScope,
    DiagnosticCode::BadTypeArgument,
];

fn schema_validator(kind: SchemaKind) -> Validator {
    jsonschema::draft202012::new(&schema(kind)).unwrap_or_else(|error| panic!("{kind:?} is not a schema: {error}"))
}

/// Returns `true` if a file is valid against the schema for settings (for `app.json`), or against the schema for any
/// definition file.
fn is_valid_against_schema(name: &str, content: &Json) -> bool {
    (if name == "app.json" { &*SETTINGS_VALIDATOR } else { &*ANY_FILE_VALIDATOR }).is_valid(content)
}

/// Returns the diagnostics of the definition in these files.
fn report_of_files(files: Vec<(PathBuf, Vec<u8>)>) -> Report {
    Rulebook::read(files).check().err().unwrap_or_default()
}

/// Returns the codes of the diagnostics in the file with this name.
fn diagnostic_codes(report: &Report, name: &str) -> Vec<DiagnosticCode> {
    let within = |file: u32| report.sources.get(file).is_some_and(|source| source.path.ends_with(name));
    report.diagnostics.iter().filter(|error| within(error.span.file)).map(|error| error.code).collect()
}

/// Reads the `*.json` and `*.jsonc` files of a folder.
fn read_folder(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "json" || end == "jsonc")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Parses JSON with comments; returns `None` if the file is not valid JSON.
fn parse_content(bytes: &[u8]) -> Option<Json> {
    jsonc_parser::parse_to_serde_value(std::str::from_utf8(bytes).ok()?, &jsonc_parser::ParseOptions::default()).ok()
}

fn definition_folders(kind: &str) -> Vec<PathBuf> {
    let root = Path::new("crates/rulebook-model/tests/definitions").join(kind);
    let mut folders: Vec<_> = root.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

#[test]
fn json_schemas_are_valid_and_use_all_their_definitions() {
    for kind in ALL_KINDS {
        let schema = schema(kind);
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{kind:?}");
        let text = schema.to_string();
        for name in schema["$defs"].as_object().unwrap().keys() {
            assert!(text.contains(&format!("\"#/$defs/{name}\"")), "{kind:?}: nothing refers to {name}");
        }
        // An empty `enum` is a valid schema, but some validators reject it.
        assert!(!text.contains("\"enum\":[]"), "{kind:?}");
        // Editors display the description of each key.
        assert!(!text.contains("\"description\":\"\""));
    }
}

#[test]
fn the_schema_of_tests_accepts_those_of_new_projects() {
    let validator = schema_validator(SchemaKind::Tests);
    for file in ["shared/tests/greeting.json", "sql/tests/note.json"] {
        let path = Path::new("crates/rulebook-cli/src/new/templates").join(file);
        let mut content = parse_content(&fs::read(path).unwrap()).unwrap();
        assert!(validator.is_valid(&content), "{file}: {:#?}", validator.validate(&content));
        content["another"] = serde_json::json!([{ "call": "note.add", "status": 200 }]);
        assert!(!validator.is_valid(&content), "{file}");
    }
}

#[test]
fn the_schema_accepts_every_valid_definition() {
    let mut files = 0;
    let languages = ["node", "php", "python", "rust", "shared", "sql"];
    let templates = languages.map(|name| PathBuf::from(format!("crates/rulebook-cli/src/new/templates/{name}/api")));
    for folder in definition_folders("good").into_iter().chain([PathBuf::from("api")]).chain(templates) {
        for (path, bytes) in read_folder(&folder) {
            let content = parse_content(&bytes).unwrap();
            for valid in
                [is_valid_against_schema(&file_name(&path), &content), is_valid_against_schema("any.json", &content)]
            {
                assert!(valid, "{}: {:#?}", path.display(), ANY_FILE_VALIDATOR.validate(&content));
            }
            files += 1;
        }
    }
    assert!(files > 8, "{files} files only");
}

#[test]
fn the_schema_rejects_the_errors_that_it_can_detect() {
    let (mut detected, mut others) = (0, 0);
    for folder in definition_folders("bad") {
        let files = read_folder(&folder);
        let report = report_of_files(files.clone());
        for (path, bytes) in files {
            let name = file_name(&path);
            let codes = diagnostic_codes(&report, &name);
            let Some(content) = parse_content(&bytes).filter(|_| !codes.contains(&DiagnosticCode::Syntax)) else {
                continue;
            };
            let valid = is_valid_against_schema(&name, &content);
            if codes.iter().any(|code| ALWAYS_DETECTED.contains(code)) {
                assert!(!valid, "{} is accepted: {codes:?}", path.display());
                detected += 1;
            } else if !codes.iter().any(|code| SOMETIMES_DETECTED.contains(code)) {
                assert!(valid, "{} is rejected: {codes:?}", path.display());
                others += 1;
            }
        }
    }
    assert!(detected > 15 && others > 20, "{detected} rejected, {others} accepted");
}
