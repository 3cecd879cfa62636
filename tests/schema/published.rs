//! Tests the published schemas: those that `rulebook schema` prints, and the schema file that is stored in projects.

use std::fs;
use std::path::Path;

use rulebook_model::schema::{SchemaKind, schema};
use serde_json::Value as Json;
use tempfile::TempDir;

use super::{parse_content, read_folder};
use crate::cli::run_program;
use support::golden;

#[test]
fn the_stored_schema_is_the_schema_for_any_definition_file() {
    golden::compare(Path::new("schema/definition.json"), &format!("{:#}\n", schema(SchemaKind::AnyFile)));
}

#[test]
fn rulebook_schema_prints_each_kind_of_schema() {
    let folder = TempDir::new().unwrap();
    let cases: [(&[&str], SchemaKind); 6] = [
        (&["schema"], SchemaKind::AnyFile),
        (&["schema", "all"], SchemaKind::AnyFile),
        (&["schema", "app"], SchemaKind::Settings),
        (&["schema", "tree"], SchemaKind::Tree),
        (&["schema", "methods"], SchemaKind::Methods),
        (&["schema", "rules"], SchemaKind::Rules),
    ];
    for (arguments, kind) in cases {
        let result = run_program(folder.path(), arguments);
        assert_eq!((result.exit_code, result.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(result.stdout, format!("{:#}\n", schema(kind)), "{arguments:?}");
    }
}

#[test]
fn definitions_of_the_repository_refer_to_the_stored_schema() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run_program(folder.path(), &["new", "greeter"]).exit_code, Some(0));
    let project = folder.path().join("greeter");
    for project in [Path::new(env!("CARGO_MANIFEST_DIR")), &project] {
        let files = read_folder(&project.join("api"));
        assert!(files.len() > 1);
        for (path, bytes) in files {
            let content = parse_content(&bytes).unwrap();
            let named = content["$schema"].as_str().unwrap_or_else(|| panic!("{} has no `$schema`", path.display()));
            let named = path.parent().unwrap().join(named).canonicalize().unwrap();
            assert_eq!(named, project.join("schema/definition.json").canonicalize().unwrap(), "{}", path.display());
        }
    }
    let written: Json = serde_json::from_slice(&fs::read(project.join("schema/definition.json")).unwrap()).unwrap();
    assert_eq!(written, schema(SchemaKind::AnyFile));
}
